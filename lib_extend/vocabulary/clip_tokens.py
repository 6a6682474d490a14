"""How many CLIP tokens a caption has: what a trainer cuts off at 75, 150 or 225.

The same count as `transformers.CLIPTokenizer`, without the start and the end token, from the merges of OpenAI's CLIP
(`clip_merges.txt.gz`, MIT). Written out here because a WebUI's process should not load a tokenizer library for it.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

MERGES = Path(__file__).with_name("clip_merges.txt.gz")
_END = "</w>"
_REMEMBERED = 100_000
_LONGEST_WORD = 256
"""Bytes encoded at once; a longer run of letters is no word, and encoding it whole would take for ever."""

# CLIP's own pattern, with what Python's `re` has instead of \p{L} and \p{N}
_WORDS = re.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")
_SPECIAL = frozenset({"<|startoftext|>", "<|endoftext|>"})


def count(text: str) -> int:
    """The CLIP tokens of `text`, without the two that every prompt begins and ends with."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return _counter().count(text.lower())


@lru_cache(maxsize=1)
def _counter() -> _Counter:
    with gzip.open(MERGES, "rt", encoding="utf-8") as f:
        return _Counter({line: rank for rank, line in enumerate(f.read().splitlines())})


class _Counter:
    """Byte pair encoding that only counts. Captions repeat their words, so each word is encoded once."""

    def __init__(self, ranks: dict[str, int]) -> None:
        self._ranks = ranks
        self._letters = _byte_letters()
        self._known: dict[str, int] = {}

    def count(self, text: str) -> int:
        known = self._known
        total = 0
        for word in _WORDS.findall(text):
            n = known.get(word)
            total += self._learn(word) if n is None else n
        return total

    def _learn(self, word: str) -> int:
        if word in _SPECIAL:
            n = 1
        elif word.isascii():
            n = self._encode(word)
        else:
            n = sum(map(self._encode, _split_numbers(word)))
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[word] = n
        return n

    def _encode(self, word: str) -> int:
        letters = [self._letters[b] for b in word.encode("utf-8", "surrogatepass")]
        starts = range(0, len(letters), _LONGEST_WORD)
        return sum(self._merge(letters[i : i + _LONGEST_WORD]) for i in starts)

    def _merge(self, parts: list[str]) -> int:
        parts[-1] += _END
        while len(parts) > 1:
            # the earliest merge of all neighbours; each is applied wherever it fits
            ranked = [self._ranks.get(f"{a} {b}", -1) for a, b in pairwise(parts)]
            best = min((r for r in ranked if r >= 0), default=-1)
            if best < 0:
                break
            merged = []
            i = 0
            while i < len(parts):
                if i < len(ranked) and ranked[i] == best:
                    merged.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    merged.append(parts[i])
                    i += 1
            parts = merged
        return len(parts)


def _split_numbers(word: str) -> list[str]:
    """`cm²` is two words: numbers that are no decimal digits count as letters in `re`, and are none."""
    parts = [""]
    for c in word:
        if unicodedata.category(c)[0] == "N":
            parts += [c, ""]
        else:
            parts[-1] += c
    return [p for p in parts if p]


def _byte_letters() -> list[str]:
    """A printable letter for each byte (GPT-2's table): itself where it is printable, else from U+0100 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(b if b in printable else next(others)) for b in range(256)]
