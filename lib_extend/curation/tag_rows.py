"""The tags of many pictures at once: for each tag the set of rows that have it, as the bits of one integer.

A row is a picture, or one of its persons where those are told apart. What is done with a tag is done on all rows in one
operation, so that a folder of 10,000 pictures takes as long as its distinct tags, and one picture is a folder of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lib_extend.curation.curation_reason import Reason

Score = Callable[[str, int], "float | None"]
"""The score in 0…1 of a tag on a row, None where nobody gave one."""

_OF_THE_USER = frozenset({"overruled", "blacklisted", "same"})
"""Codes of what goes because the user says so."""


class Gone(NamedTuple):
    """A tag that a step took from the rows `bits`, and why. `own`: a person wrote it there."""

    name: str
    bits: int
    step: str
    reason: Reason
    own: bool = False


class Renamed(NamedTuple):
    """A tag that a step gave another name on the rows `bits`."""

    name: str
    to: str
    bits: int
    step: str


@dataclass
class Rows:
    """The rows that steps work on.

    Attributes:
        count: how many. machine: rows that have each tag (canonical name) from a model. own: rows that have it from a person
            or from the user's options; only lists of the user's take it away.
        score: of a model's tag on a row.
        characters: rows that show each character. folders: rows by the folder whose core tags are theirs.
        several: rows of more people than one who are not told apart. unnamed: rows that show more people than characters
            are named.
        carriers: on a row of several characters, whose trait a tag is there; None where that is not known.
        kept: names that no step may take (the user said so for this folder). proper: names of characters, series and
            artists, which only lists of the user's take.
    """

    count: int
    machine: dict[str, int]
    own: Mapping[str, int] = field(default_factory=dict)
    score: Score = lambda name, row: None
    characters: Mapping[str, int] = field(default_factory=dict)
    folders: Mapping[str, int] = field(default_factory=dict)
    several: int = 0
    unnamed: int = 0
    carriers: Callable[[str, int], frozenset[str] | None] = lambda name, row: None
    kept: frozenset[str] = frozenset()
    proper: frozenset[str] = frozenset()
    gone: list[Gone] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)

    def has(self, name: str) -> int:
        """The rows that have a tag, from whomever."""
        return self.machine.get(name, 0) | (self.own.get(name, 0) & ~self.taken.get(name, 0))

    def drop(self, name: str, bits: int, step: str, reason: Reason) -> int:
        """Take a model's tag from rows; returns from which it went."""
        bits &= self.machine.get(name, 0)
        if not bits or name in self.kept or (name in self.proper and reason.code not in _OF_THE_USER):
            return 0
        left = self.machine[name] & ~bits
        if left:
            self.machine[name] = left
        else:
            del self.machine[name]
        self.gone.append(Gone(name, bits, step, reason))
        return bits

    def drop_own(self, name: str, step: str, reason: Reason) -> None:
        """Take a tag from whoever wrote it, for a list of the user's own names it."""
        bits = self.own.get(name, 0) & ~self.taken.get(name, 0)
        if bits and name not in self.kept:
            self.taken[name] = self.taken.get(name, 0) | bits
            self.gone.append(Gone(name, bits, step, reason, own=True))

    def rename(self, name: str, to: str, step: str) -> None:
        """Give a model's tag another name; where that one is there already, the first one goes."""
        bits = self.machine.get(name, 0)
        if not bits or name in self.kept:
            return
        there = bits & self.has(to)
        self.drop(name, there, step, Reason("same", {"by": to}))
        bits = self.machine.pop(name, 0)
        if bits:
            self.machine[to] = self.machine.get(to, 0) | bits
            self.renamed.append(Renamed(name, to, bits, step))


def members(bits: int) -> Iterator[int]:
    """The numbers of the rows in a set, ascending."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
