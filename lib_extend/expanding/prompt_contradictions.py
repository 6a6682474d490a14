"""Which further tag cannot be true beside those that a prompt has: another number of people, a second hair color."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from lib_extend.people.contradictions import colored, of_several_colors
from lib_extend.vocabulary.exclusive_groups import Of
from lib_extend.vocabulary.lookup import Vocabulary
from lib_extend.vocabulary.merging import own
from lib_extend.vocabulary.people_tags import (
    NO_HUMANS,
    SOLO,
    count_people,
    is_people,
    least_number,
    multiple_gender,
    people_count,
)
from lib_extend.vocabulary.person_aspects import ALTERNATIVES
from lib_extend.vocabulary.plurals import singular

_COUNTED = re.compile(r"(\d{1,3})_(.+)")
_ANY = 1_000
"""Persons where nobody says how many: more than tags of any group."""


class Contradictions:
    """What a prompt's tags rule out.

    Args:
        given: canonical names of the prompt.
        others: names of further prompts of the same picture (the scene, the other persons): of them only what is true
            of the whole picture counts.
        persons: how many the tags are about; None for what the tags say.
        vocabulary: knows the groups of which one tag is right, and what follows from a tag.
    """

    def __init__(
        self,
        given: Iterable[str],
        others: Iterable[str] = (),
        persons: int | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self._words = vocabulary or own()
        self._given = frozenset(given)
        self._others = self._with_implied(others)
        self._persons = persons
        self._counted = count_people(self._given) > 0
        self._closed = lru_cache(maxsize=256)(self._closure)

    def of(self, name: str, more: Collection[str] = ()) -> str:
        """The tag that `name` contradicts, "" where it contradicts none. `more`: what was added to the prompt already."""
        there = self._closed(frozenset(more))
        for claim in (name, *self._words.implied(name)):
            if claim in there:
                continue
            found = self._people(claim, there) or self._group(claim, name, there) or _count(claim, there)
            found = found or self._color(claim, there)
            if found:
                return found
        return ""

    def _closure(self, more: frozenset[str]) -> frozenset[str]:
        return self._with_implied(self._given | more)

    def _with_implied(self, names: Iterable[str]) -> frozenset[str]:
        names = frozenset(names)
        return names.union(*(self._words.implied(name) for name in names))

    def _limit(self, there: Collection[str]) -> int:
        """How many tags of a group that each person has one of are right."""
        if self._persons is not None:
            return self._persons
        people = [people_count(name) for name in there]
        open_number = any(p is not None and p.least for p in people) or any(
            not any(p is not None and p.gender == gender for p in people)
            for gender in filter(None, map(multiple_gender, there))
        )
        return _ANY if open_number else max(1, count_people(there))

    def _people(self, name: str, there: frozenset[str]) -> str:
        if not is_people(name):
            return ""
        people = sorted(t for t in there if is_people(t))
        if name == NO_HUMANS:
            return next(iter(people), "")
        if NO_HUMANS in there:
            return NO_HUMANS
        if name == SOLO:
            return next(iter(people), "") if count_people(people) > 1 else ""
        if SOLO in there and count_people([*people, name]) > 1:
            return SOLO
        # the user said who is there
        if self._counted and least_number(name):
            return next(t for t in people if least_number(t))
        return ""

    def _group(self, claim: str, name: str, there: frozenset[str]) -> str:
        implied = self._words.implied(name)
        for group in self._words.exclusive(claim):
            whole = group.of is Of.PICTURE
            known = there | self._others if whole else there
            if group.unless & known or group.unless & {name}:
                continue
            rivals = [
                t for t in known if t in group.tags and t not in implied and self._words.excludes(claim, t)
            ]
            if found := self._too_many(rivals, 1 if whole else self._limit(there)):
                return found
        for tags in ALTERNATIVES:
            if claim in tags:
                rivals = [
                    t for t in there if t in tags and t not in implied and claim not in self._words.implied(t)
                ]
                if found := self._too_many(rivals, self._limit(there)):
                    return found
        return ""

    def _too_many(self, rivals: Collection[str], limit: int) -> str:
        """One of the rivals where no further tag is right beside them."""
        own_way = [t for t in rivals if not any(t in self._words.implied(other) for other in rivals)]
        return min(own_way) if len(own_way) >= limit else ""

    def _color(self, claim: str, there: frozenset[str]) -> str:
        _, thing = colored(claim)
        if not thing or of_several_colors(thing, there):
            return ""
        rivals = [t for t in there if colored(t)[1] == thing]
        return self._too_many(rivals, self._limit(there))


def _count(name: str, there: Iterable[str]) -> str:
    """`3_cakes` beside `2_cakes`."""
    match = _COUNTED.fullmatch(name)
    if match is None:
        return ""
    thing = singular(match[2])
    return next((t for t, n, what in _counts(there) if what == thing and n != int(match[1])), "")


def _counts(names: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    for name in names:
        match = _COUNTED.fullmatch(name)
        if match is not None:
            yield name, int(match[1]), singular(match[2])
