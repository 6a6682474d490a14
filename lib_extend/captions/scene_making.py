"""From the tags of one caption to a scene: who has which, where each stands, what a person put where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lib_extend.captions.scene import Scene, ScenePerson, Word
from lib_extend.config import TagConfig
from lib_extend.people.geometry import position_words
from lib_extend.people.place_words import place_words
from lib_extend.people.separating import Separation
from lib_extend.records import Analysis, Category, Source
from lib_extend.vocabulary.caption_fields import PERSON_FIELDS, field_of
from lib_extend.vocabulary.people_tags import (
    GENDERS,
    count_people,
    group,
    people_count,
    people_order,
    people_tag,
)

PICTURES = "general_tags/"
"""What the places of words begin with that are the whole picture's."""
SCENE_FIELDS = {"copyright": "series", "new": "general", "persons": "general"}
"""A scene's field of a template's, where they differ."""


@dataclass(frozen=True)
class Said:
    """A word with the whole name of its tag: a person's begins with the person's letter (`α_black_hair`)."""

    name: str
    word: Word


def starts_of(config: TagConfig) -> tuple[str, ...]:
    """What the names of each person's tags begin with, left to right."""
    return _starts(config.letters, config.letter_separator)


@lru_cache(maxsize=64)
def _starts(letters: tuple[str, ...], separator: str) -> tuple[str, ...]:
    return tuple(f"{letter}{separator}".replace(" ", "_") for letter in letters)


def persons_of(separation: Separation, analysis: Analysis, config: TagConfig) -> list[ScenePerson]:
    """The persons that are told apart, without their words."""
    places = place_words([p.box for p in separation.persons])
    persons = []
    for person, index, place in zip(separation.persons, separation.indexes, places, strict=True):
        start = f"{person.letter}{config.letter_separator}".replace(" ", "_")
        box = person.box
        center = (
            (box.x0 + box.x1) / 2 / max(analysis.width, 1),
            (box.y0 + box.y1) / 2 / max(analysis.height, 1),
        )
        scores = {t.name: t.score or 0.0 for t in analysis.persons[index].tags}
        gender = max(GENDERS, key=lambda g: scores.get(people_tag(1, g), 0.0))
        known = bool(scores.get(people_tag(1, gender)))
        persons.append(ScenePerson(start, (), gender if known else "", place, center))
    return persons


def gendered(persons: Sequence[ScenePerson], names: Iterable[str]) -> list[ScenePerson]:
    """The persons, those of whom it is not known with the gender that the people counts (`names`) leave."""
    kinds = {c.gender for c in map(people_count, names) if c}
    only = next(iter(kinds)) if len(kinds) == 1 else ""
    return [replace(p, gender=only or p.gender) for p in persons]


def scene_of(
    said: Sequence[Said],
    persons: Sequence[ScenePerson],
    heads: Sequence[tuple[str, str]],
    config: TagConfig,
    alone: bool = False,
) -> Scene:
    """The scene of these words.

    Args:
        persons: those told apart in the picture. heads: how the caption that is there calls the persons in it.
        alone: whether the only person of a picture has a place of its own.
    """
    fields: dict[str, list[Word]] = {}
    own: dict[str, list[Word]] = {}
    starts = sorted({*starts_of(config), *(s for s, _ in heads if s)}, key=len, reverse=True)
    by_head = {head: start for start, head in heads if start}
    any_start = tuple(starts)
    for item in said:
        start = None
        if item.name.startswith(any_start):
            start = next(s for s in starts if item.name.startswith(s))
        head = item.word.place.partition("/")[0]
        if start is None and "/" in item.word.place and head in by_head:
            start = by_head[head]
        if start is not None:
            own.setdefault(start, []).append(item.word)
        else:
            fields.setdefault(field_in_scene(item.word), []).append(item.word)
    fields.get("people", []).sort(key=lambda w: people_order(w.name))
    known = {p.start: p for p in persons}
    called = dict(heads)
    found = sorted({*own, *(known if len(known) > 1 else ())}, key=lambda s: _place(s, config))
    result = [
        replace(known.get(s, ScenePerson(s, head=called.get(s, ""))), words=tuple(own[s]))
        for s in found
        if own.get(s)
    ]
    if alone and not found and is_alone(w.name for w in fields.get("people", ())):
        result = [_only(fields, persons)]
    elif len(result) > 1 and not all(p.place or p.head for p in result):
        words = position_words(len(result))
        result = [replace(p, place=w) for p, w in zip(result, words, strict=True)]
    return Scene(persons=tuple(result), **{name: tuple(words) for name, words in fields.items()})


def is_alone(names: Iterable[str]) -> bool:
    """Whether people counts say that there is one person."""
    return count_people(names) == 1


def _only(fields: dict[str, list[Word]], persons: Sequence[ScenePerson]) -> ScenePerson:
    """The only person: what describes one is that person's. Takes it out of the `fields`."""
    general = fields.get("general", [])
    mine = [w for w in general if _is_persons(w)]
    fields["general"] = [w for w in general if not _is_persons(w)]
    names = [w for w in fields.get("characters", ()) if _is_persons(w, True)]
    fields["characters"] = [w for w in fields.get("characters", ()) if not _is_persons(w, True)]
    person = replace(persons[0], start="", place="") if len(persons) == 1 else ScenePerson()
    return replace(person, words=(*names, *mine))


def _is_persons(word: Word, otherwise: bool = False) -> bool:
    """Whether a word is the only person's: where a person put it there, or (`otherwise`) by what it says."""
    if "/" in word.place:
        return not word.place.startswith(PICTURES)
    added = word.tag is not None and word.tag.source is Source.PERSON
    return otherwise or added or field_of(word.name) in PERSON_FIELDS


def field_in_scene(word: Word) -> str:
    """The field of a scene that a word of no person belongs to."""
    if word.place.endswith("/extra") or word.place == "extra":
        return "extra"
    if word.tag is None:
        return "general"
    if word.tag.category is Category.QUALITY:
        return "quality"
    if word.tag.category is Category.PROSE:
        return "prose"
    name = group(word.tag)
    return SCENE_FIELDS.get(name, name)


def _place(start: str, config: TagConfig) -> int:
    starts = starts_of(config)
    return starts.index(start) if start in starts else len(starts)
