"""How improbable a text is in a language, in bits. This decides between encodings that can all decode the bytes.

The table (`letter_costs.json`, made by `benchmarks/letter_costs.py`) is counted in the word lists of wordfreq (R. Speer,
CC BY-SA 4.0). It knows how usual a letter is after another in languages with an alphabet, and how usual a character is in
Chinese, Japanese and Korean.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

IMPOSSIBLE = 1e9
"""Bits of a text that nobody writes: it has control characters."""
_TABLE = Path(__file__).with_name("letter_costs.json")
_ASCII = 4.5
_UNSEEN = 16.0
_BORDER = 5.0
"""A Chinese character right beside a Latin letter."""
_CAPITALS = {(True, False): 6.0, (False, True): 3.0, (False, False): 1.0}
"""A capital after a small letter, after a capital, after none: encodings differ in which half is which."""
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_TYPOGRAPHY = {**dict.fromkeys("’“”–—…\u00a0", 8.0), **dict.fromkeys("‘«»°·×•€£½¿¡№„‚®©™′☆★♥♡♪", 11.0)}
_PUNCTUATION = {
    **dict.fromkeys("，。、", 6.0),
    **dict.fromkeys("（）：；！？「」『』《》【】“”‘’…—～〜・ー　々", 9.0),
}
_SIGNS = dict.fromkeys("★☆♪○●◎→×♡♥％＋－＆", 12.0)


def bits(text: str, languages: tuple[str, ...]) -> float:
    """The bits of `text` in that one of `languages` which it fits best; ASCII weighs the same in all of them."""
    if any("\x7f" <= c < "\xa0" or "\ufdd0" <= c <= "\ufdef" or c == "\ufffd" for c in text):
        return IMPOSSIBLE
    runs = list(_runs(text))
    plain = len(text) - sum(len(run) for _, run, _ in runs)
    return plain * _ASCII + min(sum(_run(language, *run) for run in runs) for language in languages)


def dearness(text: str, languages: tuple[str, ...]) -> float:
    """The bits of one character of `text` that is not ASCII, on average, in the language that it fits best."""
    runs = list(_runs(text))
    count = sum(len(run) for _, run, _ in runs)
    return min(sum(_run(language, *run) for run in runs) for language in languages) / max(1, count)


def _runs(text: str) -> Iterator[tuple[str, str, str]]:
    """Each stretch of other characters than ASCII, with the character before and after it (a blank at the edges)."""
    for match in _FOREIGN.finditer(text):
        start, end = match.span()
        yield text[start - 1 : start] or " ", match[0], text[end : end + 1] or " "


def _run(language: str, before: str, run: str, after: str) -> float:
    pairs, characters = _tables()
    if language in characters:
        return _script(characters[language], before, run, after)
    return _alphabet(pairs[language], before, run, after)


def _script(costs: Mapping[str, int], before: str, run: str, after: str) -> float:
    total = 2.0 + _BORDER * (before.isalpha() + after.isalpha())
    for c in run:
        known = costs.get(c)
        if known is not None:
            total += known
        elif c in _PUNCTUATION:
            total += _PUNCTUATION[c]
        elif c in _SIGNS:
            total += _SIGNS[c]
        elif "\uff00" < c < "\uff5f":  # full-width ASCII
            total += 11
        elif "\uff61" <= c < "\uffa0":  # half-width katakana
            total += 15
        elif "\u2e80" <= c < "\ue000" or c.isalnum():
            total += 20
        else:
            total += 24
    return total


def _alphabet(costs: Mapping[str, int], before: str, run: str, after: str) -> float:
    total = 2.0
    previous = before
    for c in run + after:
        if c.isascii():
            if is_letter(previous):
                total += costs.get(_kind(previous) + _kind(c), _UNSEEN) - _ASCII
        elif is_letter(c):
            total += costs.get(_kind(previous) + _kind(c), _UNSEEN)
            if c.isupper():
                total += _CAPITALS[previous.islower(), previous.isupper()]
        else:
            total += _TYPOGRAPHY.get(c, 18.0)
        previous = c
    return total


def is_letter(c: str) -> bool:
    """Whether a character is a letter, or an accent that is a character of its own."""
    return c.isalpha() or "\u0300" <= c < "\u0370"


def _kind(c: str) -> str:
    """A letter in lower case; `_` for everything else."""
    return (c.lower() if len(c.lower()) == 1 else c) if is_letter(c) else "_"


@functools.cache
def _tables() -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    table = json.loads(_TABLE.read_text(encoding="utf-8"))
    pairs = {
        language: {
            keys[i : i + 2]: int(cost) for cost, keys in by_cost.items() for i in range(0, len(keys), 2)
        }
        for language, by_cost in table["alphabets"].items()
    }
    characters = {
        language: {c: int(cost) for cost, keys in by_cost.items() for c in keys}
        for language, by_cost in table["scripts"].items()
    }
    return pairs, characters
