"""People counts and the other groups a tag belongs to in a caption."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lib_extend.records import Category, Source, Tag

_COUNT = re.compile(r"(\d+)(\+?)(girl|boy|other)s?")
_PEOPLE = re.compile(r"\d+\+?(?:girl|boy|other)s?|multiple_(?:girls|boys|others)|solo|no_humans")
_YEAR = re.compile(r"year_\d{4}")
_AGES = frozenset({"oldest", "old", "modern", "recent", "newest"})
_MULTIPLES = {"multiple_girls": "girl", "multiple_boys": "boy", "multiple_others": "other"}
_RATINGS = frozenset({"general", "sensitive", "questionable", "explicit", "safe", "nsfw"})
_QUALITY = frozenset(
    "masterpiece best_quality amazing_quality great_quality high_quality good_quality normal_quality "
    "low_quality bad_quality worst_quality very_aesthetic aesthetic displeasing very_displeasing absurdres "
    "highres lowres".split()
)
_MULTIPLE = 2
"""People that `multiple_girls` stands for at the least."""

_GROUPS = {
    Category.CHARACTER: "characters",
    Category.COPYRIGHT: "copyright",
    Category.ARTIST: "artist",
    Category.META: "meta",
    Category.QUALITY: "meta",
    Category.RATING: "rating",
    Category.YEAR: "year",
}


def is_people(name: str) -> bool:
    """Whether a canonical name says how many people there are (`2girls`, `solo`, `no_humans`)."""
    return _PEOPLE.fullmatch(name) is not None


def classify(name: str) -> str:
    """What kind of word a canonical name is: people, year, rating, quality, or general.

    By the name alone: `old` and `general` are what the words of training captions mean by them. A
    person's caption does not say which it means, so there only `group` decides where a tag goes.
    """
    if is_people(name):
        return "people"
    if _YEAR.fullmatch(name) or name in _AGES:
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
        match = _COUNT.fullmatch(name)
        if match:
            most[match[3]] = max(most.get(match[3], 0), int(match[1]))
        elif name in _MULTIPLES:
            kind = _MULTIPLES[name]
            most[kind] = max(most.get(kind, 0), _MULTIPLE)
    return sum(most.values())


def group(tag: Tag) -> str:
    """The field of a caption template that a tag belongs to."""
    if tag.category in _GROUPS and tag.source is not Source.PERSON:
        return _GROUPS[tag.category]
    if _PEOPLE.fullmatch(tag.name):
        return "people"
    if tag.source is Source.PERSON:
        return "persons"
    if tag.source is Source.QUESTION:
        return "new"
    if _YEAR.fullmatch(tag.name) or (tag.source is Source.HUMAN and tag.name in _AGES):
        return "year"
    return "general"


def people_order(name: str) -> tuple[int, str]:
    """Sort key of people tags: girls, boys, others, then `multiple_…`, then `solo`."""
    for place, word in enumerate(("girl", "boy", "other")):
        if name[:1].isdigit() and word in name:
            return place, name
    return (3 if name.startswith("multiple") else 4), name
