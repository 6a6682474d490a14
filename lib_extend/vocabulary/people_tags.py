"""People counts and the other groups a tag belongs to in a caption."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from lib_extend.records import Category, Source, Tag

GENDERS = ("girl", "boy", "other")
"""The kinds of people that Danbooru counts, in the order in which captions name them."""
SOLO, NO_HUMANS = "solo", "no_humans"

_COUNT = re.compile(rf"(\d+)(\+?)({'|'.join(GENDERS)})s?")
_MULTIPLE = re.compile(rf"multiple_({'|'.join(GENDERS)})s")
_DIGITS = 9
_YEAR = re.compile(r"year_\d{4}")
_AGES = frozenset({"oldest", "old", "modern", "recent", "newest"})
_RATINGS = frozenset({"general", "sensitive", "questionable", "explicit", "safe", "nsfw"})
_QUALITY = frozenset(
    "masterpiece best_quality amazing_quality great_quality high_quality good_quality normal_quality "
    "low_quality bad_quality worst_quality very_aesthetic aesthetic displeasing very_displeasing absurdres "
    "highres lowres".split()
)
_MULTIPLE_LEAST = 2
"""People that `multiple_girls` stands for at the least."""

_TAGGER, _PERSON, _GENERAL = Source.TAGGER, Source.PERSON, Category.GENERAL
_GROUPS = {
    Category.CHARACTER: "characters",
    Category.COPYRIGHT: "copyright",
    Category.ARTIST: "artist",
    Category.META: "meta",
    Category.QUALITY: "meta",
    Category.RATING: "rating",
    Category.YEAR: "year",
}


class PeopleCount(NamedTuple):
    """What `2girls` or `6+boys` says; `least`: there may be more."""

    number: int
    gender: str
    least: bool = False


@lru_cache(maxsize=1 << 16)
def people_count(name: str) -> PeopleCount | None:
    """What a canonical name says of a number of people; None for `multiple_girls`, `solo` and what is no count."""
    match = _COUNT.fullmatch(name)
    return PeopleCount(int(match[1][:_DIGITS]), match[3], bool(match[2])) if match else None


@lru_cache(maxsize=1 << 16)
def multiple_gender(name: str) -> str:
    """`girl` for `multiple_girls`; "" for other names."""
    match = _MULTIPLE.fullmatch(name)
    return match[1] if match else ""


def people_tag(number: int, gender: str) -> str:
    """`1girl`, `2girls`."""
    return f"{number}{gender}{'s' if number > 1 else ''}"


def multiple_tag(gender: str) -> str:
    """`multiple_girls`."""
    return f"multiple_{gender}s"


def least_number(name: str) -> int:
    """The least number of people that one people tag speaks of; 0 for `solo`, which counts nobody besides."""
    count = people_count(name)
    return count.number if count else _MULTIPLE_LEAST if multiple_gender(name) else 0


@lru_cache(maxsize=1 << 16)
def is_people(name: str) -> bool:
    """Whether a canonical name says how many people there are (`2girls`, `solo`, `no_humans`)."""
    return bool(_COUNT.fullmatch(name) or _MULTIPLE.fullmatch(name)) or name in (SOLO, NO_HUMANS)


def classify(name: str) -> str:
    """What kind of word a canonical name is: people, year, rating, quality, or general.

    By the name alone: `old` and `general` are what the words of training captions mean by them. A
    person's caption does not say which it means, so there only `group` decides where a tag goes.
    """
    if is_people(name):
        return "people"
    if _is_year(name) or name in _AGES:
        return "year"
    if name in _RATINGS:
        return "rating"
    return "quality" if name in _QUALITY else "general"


def count_people(names: Iterable[str]) -> int:
    """The least number of people that the tags speak of; 0 when they say nothing.

    `2girls, 1boy` are three; `multiple_girls` are two unless a number says more.
    """
    most: dict[str, int] = {}
    for name in names:
        if is_people(name):
            count = people_count(name)
            kind = count.gender if count else multiple_gender(name)
            if kind:
                most[kind] = max(most.get(kind, 0), least_number(name))
    return sum(most.values())


def group(tag: Tag) -> str:
    """The field of a caption template that a tag belongs to."""
    source = tag.source
    if source is _TAGGER and tag.category is _GENERAL:
        return _by_name(tag.name)
    found = _GROUPS.get(tag.category)
    if found is not None and source is not _PERSON:
        return found
    if is_people(tag.name):
        return "people"
    if source is _PERSON:
        return "persons"
    if source is Source.QUESTION:
        return "new"
    if _is_year(tag.name) or (source is Source.HUMAN and tag.name in _AGES):
        return "year"
    return "general"


@lru_cache(maxsize=1 << 16)
def _by_name(name: str) -> str:
    """The field of a tagger's general tag."""
    return "people" if is_people(name) else "year" if _is_year(name) else "general"


@lru_cache(maxsize=1 << 16)
def _is_year(name: str) -> bool:
    return _YEAR.fullmatch(name) is not None


def people_order(name: str) -> tuple[int, str]:
    """Sort key of people tags: girls, boys, others, then `multiple_…`, then `solo`."""
    for place, word in enumerate(GENDERS):
        if name[:1].isdigit() and word in name:
            return place, name
    return (3 if name.startswith("multiple") else 4), name
