"""Finding tags while somebody types: by the beginning of a name and of every word in it, most frequent first.

`ha` finds `hat`, `long_hair` and, by another word for it, `v` (`hand_sign`). All names stand in one text; the places where
a word begins are sorted by what follows there, so that what begins with a given text is one stretch of them.
"""

from __future__ import annotations

import heapq
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from lib_extend.vocabulary.lookup import Vocabulary

LONGEST = 48
"""Letters by which names are sorted; a longer text is compared in full afterwards."""
_MANY = 4000
"""Matches of a text from which on its most frequent are remembered."""
_REMEMBERED = 2000
_BEST = 256
"""How many of the most frequent are remembered then."""
_LEAST_OF_ALIAS = 3
"""Letters from which on other words for a tag are looked at: fewer fit too many of them."""
_BITS = 32
_ALIAS = (1 << _BITS) - 1
_SEPARATORS = re.compile(r"[\s_]+")
# a word begins at a letter or digit that follows none; each Chinese, Japanese and Korean sign begins one
_WORD = re.compile(r"(?<![^\W_])[^\W_]|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")


class Found(NamedTuple):
    """A tag that was found: its place in the vocabulary's columns, and the other word by which, or ""."""

    place: int
    alias: str


class NameIndex:
    """The names, other words and translations of a vocabulary by what they begin with."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        columns = vocabulary.columns
        # names first, so that a tag is found by its own name where both fit
        named = [(name, place) for place, name in enumerate(columns.names)]
        named += columns.aliases.items()
        named += [(text, place) for place, text in columns.translations.items()]
        self._own = len(columns.names)
        self._names = columns.names
        self._aliases = [name for name, _ in named[self._own :]]
        self._targets = array("i", (place for _, place in named[self._own :]))
        self._build(typed(name) for name, _ in named)
        self._best: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """Places where a name can be found."""
        return len(self._starts)

    def _build(self, names: Iterable[str]) -> None:
        lines = list(names)
        text = self._text = "\n".join(lines)
        starts: list[int] = []
        entries: list[int] = []
        at = 0
        for entry, line in enumerate(lines):
            places = {m.start() for m in _WORD.finditer(line)}
            if line:
                places.add(0)
            starts += [at + p for p in places]
            entries += [entry] * len(places)
            at += len(line) + 1
        order: list[int] = []
        # sorted one letter at a time, because one long sort would block other threads
        for _, numbers in sorted(_by_first_letter(text, starts).items()):
            order += sorted(numbers, key=lambda i: text[starts[i] : starts[i] + LONGEST])
        self._starts = array("i", (starts[i] for i in order))
        # a number that sorts by the tag's place, its own name first, and gives the entry back
        codes = [entry << _BITS for entry in range(self._own)]
        codes += [target << _BITS | n + 1 for n, target in enumerate(self._targets)]
        self._codes = array("q", (codes[entries[i]] for i in order))

    def find(self, text: str, limit: int) -> list[Found]:
        """At most `limit` tags for what somebody typed: the exact one first, then by frequency.

        If too few names begin with a text of several words, names match in which each word begins some word, in any
        order.
        """
        wanted = typed(text)
        if not wanted:
            return [Found(place, "") for place in range(min(limit, self._own))]
        found = self._first(wanted, limit)
        words = wanted.split()
        if len(found) < limit and len(words) > 1:
            known = {f.place for f in found}
            found += [f for f in self._with_all(words, limit) if f.place not in known][: limit - len(found)]
        return found

    def _first(self, wanted: str, limit: int) -> list[Found]:
        low, high = self._stretch(wanted)
        if high - low > _MANY and limit <= _BEST:
            codes = self._remembered(wanted, low, high)
        else:
            codes = self._ranked(self._codes[low:high], limit, aliases=_says_enough(wanted))
        exact = self._exact(wanted, low, high)
        return list(self._tags([*exact, *codes], limit))

    def _exact(self, wanted: str, low: int, high: int) -> list[int]:
        """The names that equal the text; they come first among the names that begin with it."""
        text, end = self._text, len(wanted)
        found = []
        for i in range(low, high):
            start = self._starts[i]
            if text[start + end : start + end + 1] not in ("", "\n"):
                break
            if start == 0 or text[start - 1] == "\n":
                found.append(self._codes[i])
        return sorted(found)

    def _with_all(self, words: Sequence[str], limit: int) -> list[Found]:
        stretches = sorted((self._stretch(word) for word in words), key=lambda s: s[1] - s[0])
        common: set[int] | None = None
        for low, high in stretches:
            codes = self._codes[low:high]
            common = set(codes) if common is None else common.intersection(codes)
            if not common:
                return []
        return list(self._tags(self._ranked(common or (), limit), limit))

    def _stretch(self, wanted: str) -> tuple[int, int]:
        """Which of the sorted places begin with a text: from the first to before the second."""
        text = self._text
        cut = wanted[:LONGEST]
        end = len(cut)
        low = bisect_left(self._starts, cut, key=lambda s: text[s : s + LONGEST])
        high = bisect_right(self._starts, cut, lo=low, key=lambda s: text[s : s + end])
        if len(wanted) > end:
            while low < high and not text.startswith(wanted, self._starts[low]):
                low += 1
            while high > low and not text.startswith(wanted, self._starts[high - 1]):
                high -= 1
        return low, high

    def _remembered(self, wanted: str, low: int, high: int) -> list[int]:
        best = self._best.get(wanted)
        if best is None:
            if len(self._best) >= _REMEMBERED:
                self._best.clear()
            best = self._best[wanted] = self._ranked(
                self._codes[low:high], _BEST, aliases=_says_enough(wanted)
            )
        return best

    def _ranked(self, codes: Collection[int], most: int, *, aliases: bool = True) -> list[int]:
        """The codes of the `most` most frequent tags, in order; a tag may be there by several of its words."""
        if not aliases:
            codes = [code for code in codes if not code & _ALIAS]
        wanted = 2 * most
        while True:
            best = heapq.nsmallest(wanted, codes)
            if len(best) < wanted or len({code >> _BITS for code in best}) >= most:
                return best
            wanted *= 4

    def _tags(self, codes: Iterable[int], limit: int) -> Iterator[Found]:
        seen: set[int] = set()
        for code in codes:
            place, alias = code >> _BITS, code & _ALIAS
            if place not in seen:
                seen.add(place)
                yield Found(place, self._aliases[alias - 1] if alias else "")
                if len(seen) == limit:
                    return


def _says_enough(wanted: str) -> bool:
    """Whether other words for a tag are looked at: one Chinese sign says more than two letters."""
    return len(wanted) >= _LEAST_OF_ALIAS or not wanted.isascii()


def _by_first_letter(text: str, starts: Sequence[int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, start in enumerate(starts):
        found.setdefault(text[start], []).append(number)
    return found


def typed(text: str) -> str:
    """A name or what somebody types as both are compared: small letters, single spaces, brackets without escapes."""
    return _SEPARATORS.sub(" ", text.replace("\\", "")).strip(" ").lower()
