"""The tags of a whole folder as sets of pictures, made once; a change of the settings takes a moment then.

For each tag the pictures that have it, most certain first, so that a threshold cuts a column in one place.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lib_extend.curation.core_tags import CoreCounter, CoreTable
from lib_extend.curation.knowledge import Knowledge
from lib_extend.curation.line_curator import PROPER
from lib_extend.curation.tag_rows import Rows, members
from lib_extend.records import Category
from lib_extend.vocabulary.people_tags import count_people, is_people
from lib_extend.vocabulary.tag_names import canonical

SURE = 1_000_001
"""Millionths of a tag that nobody gave a score: more than any score, so that no threshold cuts it."""
FEW = 48
"""Places up to which a set is put together bit by bit."""
Limit = Callable[[str, Category], int]
"""The millionths that a tag needs."""


@dataclass
class Column:
    """One tag: places of pictures, and minus its millionths on each, ascending (the most certain first)."""

    category: Category
    places: array[int] = field(default_factory=lambda: array("I"))
    below: array[int] = field(default_factory=lambda: array("i"))

    def sort(self) -> None:
        order = sorted(range(len(self.places)), key=self.below.__getitem__)
        self.places = array("I", [self.places[i] for i in order])
        self.below = array("i", [self.below[i] for i in order])

    def bits(self, millionths: int, count: int) -> int:
        """The pictures on which the tag is sure enough."""
        return packed(self.places[: bisect_right(self.below, -millionths)], count)


def packed(places: Sequence[int], count: int) -> int:
    """A set of places as the bits of an integer."""
    if len(places) <= FEW:
        bits = 0
        for place in places:
            bits |= 1 << place
        return bits
    flags = bytearray(count // 8 + 1)
    for place in places:
        flags[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(flags, "little")


class FolderTags:
    """The tags of the pictures of a folder before anything is left out.

    Add each picture once, then `close`.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._columns: dict[str, Column] = {}
        self._own: dict[str, array[int]] = {}
        self._own_bits: dict[str, int] = {}
        self._cut: tuple[object, dict[str, int]] = (None, {})
        self._scores: dict[str, dict[int, float]] = {}

    def add(
        self, image: str, tags: Iterable[tuple[str, Category, float | None]], own: Iterable[str] = ()
    ) -> None:
        """A picture with its tags by models (canonical name, category, score in 0…1 or None) and by a person."""
        place = len(self.names)
        self.names.append(image)
        columns = self._columns
        for name, category, score in tags:
            column = columns.get(name)
            if column is None:
                column = columns[name] = Column(category)
            column.places.append(place)
            column.below.append(-SURE if score is None else -round(score * 1_000_000))
        for name in own:
            self._own.setdefault(name, array("I")).append(place)

    def close(self) -> FolderTags:
        """All pictures are there."""
        for column in self._columns.values():
            column.sort()
        self._own_bits = {n: packed(places, len(self.names)) for n, places in self._own.items()}
        return self

    @property
    def own(self) -> Mapping[str, int]:
        """Pictures by the tags that a person wrote."""
        return self._own_bits

    def category(self, name: str) -> Category:
        """The category of a tag."""
        column = self._columns.get(name)
        return Category.GENERAL if column is None else column.category

    def present(self, limit: Limit, key: object) -> Mapping[str, int]:
        """The pictures on which each tag is sure enough; remembered while the `key` of the limits is the same."""
        if self._cut[0] != key:
            found = {}
            for name, column in self._columns.items():
                bits = column.bits(limit(name, column.category), len(self.names))
                if bits:
                    found[name] = bits
            self._cut = key, found
        return self._cut[1]

    def score(self, name: str, place: int) -> float | None:
        """The score in 0…1 of a tag on a picture, None where nobody gave one."""
        scores = self._scores.get(name)
        if scores is None:
            column = self._columns.get(name)
            pairs = zip(column.places, column.below, strict=True) if column else ()
            scores = self._scores[name] = {p: -b / 1_000_000 for p, b in pairs if b != -SURE}
        return scores.get(place)

    def rows(self, present: Mapping[str, int], knowledge: Knowledge, folder_of: Callable[[str], str]) -> Rows:
        """The rows for the steps: one a picture."""
        count = len(self.names)
        every = (1 << count) - 1
        characters = self.characters(present, knowledge)
        several, unnamed = self._people(present, characters)
        folders: dict[str, list[int]] = {}
        for place, image in enumerate(self.names):
            folders.setdefault(folder_of(image), []).append(place)
        sets = {f: packed(places, count) if len(folders) > 1 else every for f, places in folders.items()}
        return Rows(
            count,
            dict(present),
            self._own_bits,
            score=self.score,
            characters=characters,
            folders=sets,
            several=several,
            unnamed=unnamed,
            proper=frozenset(n for n in present if self._columns[n].category in PROPER),
        )

    def characters(self, present: Mapping[str, int], knowledge: Knowledge) -> dict[str, int]:
        """The pictures that show each character; the trigger word stands for all of them."""
        trigger = knowledge.config.trigger
        if trigger:
            return {canonical(trigger): (1 << len(self.names)) - 1}
        found: dict[str, int] = {}
        for name, bits in present.items():
            if self._columns[name].category is Category.CHARACTER:
                found[name] = bits
        for name, bits in self._own_bits.items():
            if knowledge.words.category(name) is Category.CHARACTER:
                found[name] = found.get(name, 0) | bits
        return found

    def _people(self, present: Mapping[str, int], characters: Mapping[str, int]) -> tuple[int, int]:
        """Pictures of several people, and those of more people than characters are named."""
        counts = [(n, b) for n, b in present.items() if is_people(n)]
        counts += [(n, b) for n, b in self._own_bits.items() if is_people(n)]
        some = several = 0
        for name, bits in counts:
            if count_people([name]):
                several |= bits if count_people([name]) > 1 else some & bits
                some |= bits
        said: dict[int, list[str]] = {}
        for name, bits in counts:
            for place in members(bits & several):
                said.setdefault(place, []).append(name)
        shown = Counter(place for bits in characters.values() for place in members(bits & several))
        people = {place: count_people(names) for place, names in said.items()}
        sure = [p for p, n in people.items() if n < 2]  # 1girl twice, by a model and a person
        unnamed = [p for p, n in people.items() if n > max(1, shown[p])]
        return several & ~packed(sure, len(self.names)), packed(unnamed, len(self.names))

    def core_table(self, rows: Rows, knowledge: Knowledge) -> CoreTable:
        """The core tags of all characters; `rows` before any step."""
        counter = CoreCounter()
        resolve, category = knowledge.resolve, knowledge.words.category
        merged: dict[str, int] = {}
        for source in (rows.machine, rows.own):
            for name, bits in source.items():
                if self.category(name) is Category.GENERAL and category(name) in (None, Category.GENERAL):
                    resolved = resolve(name)
                    merged[resolved] = merged.get(resolved, 0) | bits
        once = twice = 0
        for bits in rows.characters.values():
            twice |= once & bits
            once |= bits
        often = sorted(((b.bit_count(), n, b) for n, b in merged.items()), reverse=True)
        for folder, within in rows.folders.items():
            for character, bits in rows.characters.items():
                alone = bits & within & ~twice & ~rows.several
                if alone:
                    pictures = alone.bit_count()
                    least = knowledge.config.core_threshold * pictures
                    counts = {}
                    for total, name, on in often:
                        if total < least:
                            break  # nor are those after it on enough pictures
                        if number := (on & alone).bit_count():
                            counts[name] = number
                    counter.add_counts(folder, character, pictures, counts)
        return counter.table(knowledge.config, knowledge.difficulty)
