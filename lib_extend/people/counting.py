"""Whether the people tags of a picture give the same number of persons as were found in it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib_extend.people.not_separated import OTHER_NUMBER, NotSeparated, because
from lib_extend.records import Category, Source, Tag
from lib_extend.vocabulary.people_tags import (
    GENDERS,
    NO_HUMANS,
    SOLO,
    count_people,
    is_people,
    multiple_gender,
    multiple_tag,
    people_count,
    people_tag,
)

PLAUSIBLE = 0.05
"""Score that a people tag below the threshold needs to be believed when it fits the persons found."""


@dataclass(frozen=True)
class Counted:
    """The people tags that fit the persons found, or why none do.

    Attributes:
        tags: the people tags to write; empty when there is a `why_not`.
        changed: the tagger's own people tags said another number.
        why_not: why no tags fit, None where some do.
    """

    tags: tuple[Tag, ...] = ()
    changed: bool = False
    why_not: NotSeparated | None = None


def count(
    people: Sequence[Tag], possible: Mapping[str, float], found: Sequence[Mapping[str, float]]
) -> Counted:
    """The people tags for `found` persons.

    Args:
        people: the picture's people tags, as they would be written.
        possible: scores in 0…1 of all people tags the tagger named at all, by canonical name.
        found: for each person, the scores of `1girl`, `1boy` … on that person alone.

    Tags that give the number of persons found are kept. Otherwise the most probable tags of that number replace them,
    if the tagger gave them any score. A number that a person wrote is never changed.
    """
    names = [t.name for t in people]
    n = len(found)
    said = count_people(names)
    if not said and NO_HUMANS not in names:
        return Counted(tuple(people))
    if said == n:
        return Counted(tuple(people))
    if said and n > said and any(_at_least(name) for name in names) and not _numbers(names):
        return Counted(tuple(people))
    words = ", ".join(name.replace("_", " ") for name in names)
    why_not = because(OTHER_NUMBER, said=words, persons=f"{n} {'person was' if n == 1 else 'persons were'}")
    if any(t.source is Source.HUMAN or t.locked for t in people):
        return Counted(why_not=why_not)
    best = _likeliest(possible, found)
    if best is None:
        return Counted(why_not=why_not)
    return Counted(_tags(best, possible), changed=True)


def genders(found: Sequence[Mapping[str, float]]) -> tuple[int, int, int]:
    """How many girls, boys and others the persons are, each judged by its own scores."""
    picked = [max(GENDERS, key=lambda k: scores.get(people_tag(1, k), 0.0)) for scores in found]
    return picked.count("girl"), picked.count("boy"), picked.count("other")


def _at_least(name: str) -> bool:
    """Whether a people tag gives a least number only (`multiple_girls`, `6+girls`)."""
    count = people_count(name)
    return bool(multiple_gender(name)) or (count is not None and count.least)


def _numbers(names: Sequence[str]) -> bool:
    return any(people_count(name) and not _at_least(name) for name in names)


def _likeliest(
    possible: Mapping[str, float], found: Sequence[Mapping[str, float]]
) -> tuple[int, int, int] | None:
    """The most probable (girls, boys, others) by the scores of picture and persons; their sum is the number found."""
    n = len(found)
    best: tuple[float, tuple[int, int, int]] | None = None
    for girls, boys in itertools.product(range(n + 1), repeat=2):
        numbers = girls, boys, n - girls - boys
        if numbers[2] < 0:
            continue
        scores = [possible.get(people_tag(m, k), 0.0) for k, m in zip(GENDERS, numbers, strict=True) if m]
        if min(scores) < PLAUSIBLE:
            continue
        likely = sum(math.log(s) for s in scores) + _assignment(numbers, found)
        if best is None or likely > best[0]:
            best = likely, numbers
    return best[1] if best else None


def _assignment(numbers: tuple[int, int, int], found: Sequence[Mapping[str, float]]) -> float:
    """The log-likelihood of the best way to make so many of the persons girls, boys and others."""
    kinds = [k for k, m in zip(GENDERS, numbers, strict=True) for _ in range(m)]
    best = -math.inf
    for order in set(itertools.permutations(kinds)):
        total = sum(
            math.log(max(0.02, s.get(people_tag(1, k), 0.0))) for k, s in zip(order, found, strict=True)
        )
        best = max(best, total)
    return best


def _tags(numbers: tuple[int, int, int], possible: Mapping[str, float]) -> tuple[Tag, ...]:
    tags = []
    for kind, m in zip(GENDERS, numbers, strict=True):
        if m:
            tags.append(people_tag(m, kind))
        if m > 1:
            tags.append(multiple_tag(kind))
    if sum(numbers) == 1:
        tags.append(SOLO)
    return tuple(Tag(t, Category.GENERAL, possible.get(t), Source.PERSON) for t in tags if is_people(t))
