"""Counts how usual letters are in each language, and writes `lib_extend/files/letter_costs.json`.

    python -m benchmarks.letter_costs

Needs `wordfreq` (the word lists of 40 languages) and `zhconv` (from simplified to traditional Chinese), which nothing
else here does. The table holds no words: for alphabets the bits of a letter after another (`_` is the edge of a word), for
Chinese, Japanese and Korean those of a character, by bits.
"""

from __future__ import annotations

import itertools
import json
import math
import unicodedata
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "lib_extend" / "files" / "letter_costs.json"
ALPHABETS = (
    "en fr de es pt it nl sv da nb fi is ca pl cs sk hu sl ro sh ru uk bg mk el tr he ar fa lt lv vi".split()
)
SCRIPTS = ("ja", "ko", "zh", "zht")
DEAREST = 14
"""Bits; what is rarer is left out."""
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def main() -> None:
    """Count and write."""
    table: dict[str, dict[str, dict[str, str]]] = {"alphabets": {}, "scripts": {}}
    for language in ALPHABETS:
        table["alphabets"][language] = grouped(pair_costs(language))
    for language in SCRIPTS:
        table["scripts"][language] = grouped(character_costs(language))
    TARGET.write_text(
        json.dumps(table, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8"
    )
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


def words(language: str) -> dict[str, float]:
    """How often each word is written, as a share."""
    import wordfreq  # type: ignore[import-not-found]

    return dict(wordfreq.get_frequency_dict(language, wordlist="best"))


def pair_costs(language: str) -> dict[str, int]:
    """Bits of the second of two letters after the first, where one of them is no ASCII."""
    pairs: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for word, share in words(language).items():
        text = windows_vietnamese(word) if language == "vi" else word
        text = f"{text[:-1]}ς" if language == "el" and text.endswith("σ") else text  # the lists fold it
        if language == "el":  # capitals have no accents
            for bare in itertools.pairwise(f"_{unicodedata.normalize('NFD', text).replace(chr(0x301), '')}_"):
                pairs[bare[0]][bare[1]] += share / 16
        marked = f"_{''.join(c if c.isalpha() or unicodedata.combining(c) else '_' for c in text)}_"
        for first, second in itertools.pairwise(marked):
            pairs[first][second] += share
    # the lists write "ss" for it
    costs = {f"{c}ß": 7 for c in "aeiouyäöü"} | {"ß_": 2, "ße": 2, "ßt": 4} if language == "de" else {}
    for first, seconds in pairs.items():
        total = sum(seconds.values())
        for second, share in seconds.items():
            if not (first + second).isascii():
                costs[first + second] = max(1, round(-math.log2(share / total)))
    return {pair: bits for pair, bits in costs.items() if bits <= DEAREST}


def character_costs(language: str) -> dict[str, int]:
    """Bits of each character that is no ASCII."""
    import zhconv  # type: ignore[import-not-found]

    shares: dict[str, float] = defaultdict(float)
    for word, share in words("zh" if language == "zht" else language).items():
        text = zhconv.convert(word, "zh-tw") if language == "zht" else word
        for c in text:
            if not c.isascii() and c.isalpha():
                shares[c] += share
    total = sum(shares.values())
    costs = {c: max(1, round(-math.log2(share / total))) for c, share in shares.items()}
    return {c: bits for c, bits in costs.items() if bits <= DEAREST + 3}


def windows_vietnamese(word: str) -> str:
    """As Windows-1258 writes it: tones are characters of their own where it has none with them."""
    result = ""
    for c in word:
        try:
            c.encode("cp1258")
            result += c
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", c)
            base = unicodedata.normalize("NFC", "".join(p for p in parts if p not in _TONES))
            result += base + "".join(p for p in parts if p in _TONES)
    return result


def grouped(costs: dict[str, int]) -> dict[str, str]:
    """What costs so many bits, one after another."""
    result: dict[str, list[str]] = defaultdict(list)
    for key in sorted(costs):
        result[str(costs[key])].append(key)
    return {bits: "".join(keys) for bits, keys in result.items()}


if __name__ == "__main__":
    main()
