"""Merge several lists of tags into one look-up.

The lists come most trusted first, and these are the rules:

- A name is a tag where a list has it, unless a more trusted list says that it is another word for a tag.
- An alias stands for the tag that the first list gives; where that list, or a more trusted one, has the alias as a tag
  of its own, it stays a tag.
- Category and group are those of the first list that says one. The number of pictures is the first exact one; a rough
  one stands only where there is none.
- The implications are those of all lists, with aliases replaced on both sides; a pair that would close a circle is left
  out and reported.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from lib_extend.records import Category
from lib_extend.vocabulary.exclusive_groups import ExclusiveGroup
from lib_extend.vocabulary.implications import Implications, cycles_broken
from lib_extend.vocabulary.lookup import UNKNOWN, Columns, Vocabulary
from lib_extend.vocabulary.own_data import own_exclusive_groups, own_list
from lib_extend.vocabulary.tag_list import ListProblem, TagList, TagRow
from lib_extend.vocabulary.tag_names import key


class Merged(NamedTuple):
    """A vocabulary, and the entries of the lists that could not be used."""

    vocabulary: Vocabulary
    problems: tuple[ListProblem, ...]


@lru_cache(maxsize=1)
def own() -> Vocabulary:
    """The vocabulary of our own words alone."""
    return merged([own_list()], own_exclusive_groups()).vocabulary


def merged(lists: Iterable[TagList], groups: Sequence[ExclusiveGroup] = ()) -> Merged:
    """One look-up of several lists, the most trusted first; the module says how."""
    tags: dict[str, _Slot] = {}
    aliases: dict[str, str] = {}
    translations: dict[str, str] = {}
    given = list(lists)
    for one in given:
        for row in one.rows:
            k = key(row.name)
            if k not in aliases:
                slot = tags.get(k)
                tags[k] = _Slot(row.name, *row[1:4], row.group) if slot is None else slot.completed(row)
        for row in one.rows:
            target = aliases.get(key(row.name), key(row.name))
            for alias in row.aliases:
                if key(alias) not in tags:
                    aliases.setdefault(key(alias), target)
        for name, text in one.translations.items():
            translations.setdefault(key(name), text)
    problems = [problem for one in given for problem in one.problems]
    implications = _implications(given, tags, aliases, problems)
    return Merged(
        Vocabulary(_columns(tags, aliases, translations), implications, groups),
        tuple(problems),
    )


class _Slot(NamedTuple):
    name: str
    category: Category | None
    pictures: int | None
    rough: bool
    group: str

    def completed(self, row: TagRow) -> _Slot:
        """This tag with the additions of a less trusted list."""
        known = self.pictures is not None and (not self.rough or row.pictures is None or row.rough)
        pictures, rough = (self.pictures, self.rough) if known else (row.pictures, row.rough)
        return _Slot(self.name, self.category or row.category, pictures, rough, self.group or row.group)


def _number(slot: _Slot) -> int:
    return UNKNOWN if slot.pictures is None else slot.pictures


def _columns(tags: dict[str, _Slot], aliases: dict[str, str], translations: dict[str, str]) -> Columns:
    slots = sorted(tags.values(), key=lambda s: -_number(s))
    places = {key(slot.name): place for place, slot in enumerate(slots)}
    words = {alias: places[target] for alias, target in aliases.items() if target in places}
    # a translation may be given to another word for a tag
    found: dict[int, str] = {}
    for name, text in translations.items():
        place = places.get(name, words.get(name))
        if place is not None:
            found.setdefault(place, text)
    return Columns(
        [s.name for s in slots],
        bytes(Columns.number(s.category) for s in slots),
        array("q", map(_number, slots)),
        bytes(s.rough for s in slots),
        {place: s.group for place, s in enumerate(slots) if s.group},
        words,
        found,
    )


def _implications(
    lists: Sequence[TagList], tags: dict[str, _Slot], aliases: dict[str, str], problems: list[ListProblem]
) -> Implications:
    def resolved(name: str) -> str:
        slot = tags.get(aliases.get(key(name), key(name)))
        return name if slot is None else slot.name

    origin: dict[tuple[str, str], str] = {}
    for one in lists:
        for special, general in one.implications:
            pair = (resolved(special), resolved(general))
            if pair[0] != pair[1]:
                origin.setdefault(pair, one.name)
    kept, circles = cycles_broken(origin)
    for circle in circles:
        # the pair that was left out leads from the last name back to the first
        name = origin[circle[-1], circle[0]]
        problems.append(
            ListProblem(
                "implication_cycle",
                name,
                0,
                f"{name}: these tags follow from each other in a circle, so the last pair was left out: "
                f"{' → '.join([*circle, circle[0]])}.",
            )
        )
    return Implications(kept)
