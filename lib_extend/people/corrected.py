"""The persons of an image as a person corrected them: boxes, letters and whose tag is whose."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lib_extend.errors import UserError
from lib_extend.questions.verdicts import LOCK, Verdict
from lib_extend.records import Analysis, Box, Caption, Person, Source, Tag
from lib_extend.vocabulary.people_tags import count_people, is_people
from lib_extend.vocabulary.tag_names import canonical

PERSONS = "persons/"
"""The verdicts' question under which an image's persons are kept; no question can have this name."""


def verdict_of(persons: Sequence[Person]) -> Verdict:
    """The corrected persons of an image as a `Verdict` that can be stored."""
    return Verdict(PERSONS, "", LOCK, json.dumps([p.to_json() for p in persons], ensure_ascii=False))


def decided(analysis: Analysis, verdicts: Mapping[tuple[str, str], Verdict]) -> Analysis:
    """The analysis with the persons as a person left them."""
    said = verdicts.get((PERSONS, ""))
    if said is None:
        return analysis
    return replace(analysis, persons=tuple(Person.from_json(p) for p in json.loads(said.answer)))


def checked(
    persons: Sequence[Mapping[str, object]], width: int, height: int, letters: Sequence[str]
) -> list[Person]:
    """Persons from JSON values (`letter`, `box` [x0, y0, x1, y1] in pixels, `tags` by name), locked.

    Boxes are cut at the picture's edges.

    Raises:
        UserError: naming the person and what is wrong.
    """
    result: list[Person] = []
    for i, given in enumerate(persons):
        where = f"persons[{i}]"
        letter, box, tags = given.get("letter"), given.get("box"), given.get("tags", [])
        if letter not in letters:
            raise UserError(f"{where}.letter is {letter!r}, but must be one of: {' '.join(letters)}.")
        if any(p.letter == letter for p in result):
            raise UserError(f"{where}.letter is {letter}, which another person has already.")
        if not isinstance(box, (list, tuple)) or len(box) != 4 or not all(_is_number(v) for v in box):
            raise UserError(f"{where}.box must be four numbers: left, top, right, bottom in pixels.")
        if not isinstance(tags, (list, tuple)):
            raise UserError(f"{where}.tags must be a list of tags.")
        x0, y0, x1, y1 = (float(v) for v in box)
        cut = Box(max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1))
        if cut.width < 1 or cut.height < 1:
            raise UserError(f"{where}.box has no area inside the picture of {width}×{height} pixels.")
        names = [n for n in dict.fromkeys(canonical(_tag_name(t)) for t in tags) if n]
        own = tuple(Tag(n, source=Source.PERSON, locked=True) for n in names)
        result.append(Person(str(letter), cut, None, own, locked=True))
    return result


def doubt(analysis: Analysis, caption: Caption) -> str:
    """Why a person should check which tags belong to whom in an image; "" if no check is needed."""
    if any(p.locked for p in analysis.persons):
        return ""
    if caption.reason:
        empty = not analysis.persons and not count_people([t.name for t in caption.tags])
        return "" if empty else caption.reason
    said = [t for t in caption.tags if is_people(t.name)]
    if any(t.source is Source.PERSON for t in said):
        words = ", ".join(t.name.replace("_", " ") for t in said)
        return f"the tagger said another number of people than {words}"
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def _tag_name(tag: object) -> str:
    return str(tag.get("name", "")) if isinstance(tag, Mapping) else str(tag)
