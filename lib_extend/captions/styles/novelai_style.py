"""NovelAI's captions from V4 on: a base caption, and one for each character with the middle of its place."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lib_extend.captions import json_spans
from lib_extend.captions.documents import Escapes, document, list_spots, start_of
from lib_extend.captions.scene import Scene, ScenePerson, Word, in_order
from lib_extend.captions.style import BY_DEFAULT, NOTHING, Known, Protection, Spelling, Style
from lib_extend.captions.text import CaptionText, Kind, Piece, Spot
from lib_extend.vocabulary.people_tags import GENDERS
from lib_extend.vocabulary.tag_names import written

CENTER = "center_"
GENDER = "gender_"
_GENDERS = tuple(GENDER + g for g in GENDERS)
GRID = (0.1, 0.3, 0.5, 0.7, 0.9)
"""The places of a character that NovelAI knows, across and down."""
BASE, CHARACTERS, CHARACTER, CENTERS = "base_caption", "char_captions", "char_caption", "centers"
ORDER = (
    "first", "people", "characters", "series", "artist", "general", "meta", "year", "quality", "rating", "prose", "last",
)  # fmt: skip
_ESCAPES = Escapes(json_spans.escaped, json_spans.unescaped)
_NUMBERS = re.compile(r"center_(-?[\d.]+)_(-?[\d.]+)")


@dataclass(frozen=True)
class NovelAI(Style):
    """One JSON object, as NovelAI's own metadata have it."""

    def spell(self, name: str, spelling: Spelling) -> str:
        return written(name.removeprefix(GENDER), False, spelling.escape_brackets)

    def head(self, person: ScenePerson, number: int) -> str:
        return person.head if person.head.startswith("character_") else f"character_{number}"

    def extras(self, person: ScenePerson) -> Sequence[str]:
        gender = [f"{GENDER}{person.gender}"] if person.gender else []
        x, y = (min(GRID, key=lambda g, v=v: abs(g - v)) for v in person.center or (0.5, 0.5))  # type: ignore[misc]
        return [*gender, f"{CENTER}{x:g}_{y:g}"]

    def makes(self, name: str) -> bool:
        return name in _GENDERS or name.startswith(CENTER)

    def write(self, scene: Scene, spelling: Spelling = BY_DEFAULT) -> str:
        def said(word: Word) -> str:
            return word.raw or json_spans.escaped(self._said(word, spelling))

        fields = dict(scene.lists())
        persons = scene.persons
        words = in_order([w for name in ORDER for w in fields[name]])
        told = []
        for person in persons:
            own = sorted(in_order(person.words), key=lambda w: not w.name.startswith(GENDER))
            centers = [w for w in own if _NUMBERS.fullmatch(w.name)]
            # a person's own place rules
            centers.sort(key=lambda w: w.after is None)
            match = _NUMBERS.fullmatch(centers[0].name) if centers else None
            x, y = (match[1], match[2]) if match else ("0.5", "0.5")
            texts = ", ".join(said(w) for w in own if w not in centers)
            told.append(f'{{"{CHARACTER}": "{texts}", "{CENTERS}": [{{"x": {x}, "y": {y}}}]}}')
        base = ", ".join(map(said, words))
        extra = [w.raw for w in scene.extra if w.raw]
        members = [f'"{BASE}": "{base}"', f'"{CHARACTERS}": [{", ".join(told)}]', *extra]
        between = ",\n  " if spelling.indent else ", "
        return f"{{\n  {between.join(members)}\n}}" if spelling.indent else f"{{{between.join(members)}}}"

    def read(self, text: str, known: Known = NOTHING) -> CaptionText | None:
        return document(text, known, lambda part: self._spots(part, known))

    def _spots(self, text: str, known: Known) -> list[Spot] | None:
        data = json_spans.loaded(text)
        if (
            data is None
            or not isinstance(data.get(BASE), str)
            or not _are_characters(data.get(CHARACTERS, []))
        ):
            return None
        values, members = json_spans.spans(text)
        persons = len(data.get(CHARACTERS, []))
        spots: list[Spot] = []
        for i, value in enumerate(values):
            if value.path == (BASE,):
                spots += list_spots(text, value.start, value.end, known, _ESCAPES)
            elif value.path[0] == CHARACTERS and isinstance(value.path[1], int):
                number = value.path[1] + 1
                head = f"character_{number}"
                lead = start_of(head, number, persons + 1, known)
                if value.path[2:] == (CHARACTER,):
                    spots += _character(text, value, known, lead, head)
                elif value.path[2:] == (CENTERS, 0, "x") and i + 1 < len(values):
                    below = values[i + 1]
                    if below.path[2:] == (CENTERS, 0, "y"):
                        numbers = [text[v.start : v.end] for v in (value, below)]
                        raw = text[value.start : below.end]
                        name = f"{lead}{CENTER}{numbers[0]}_{numbers[1]}"
                        piece = Piece(name, raw, place=f"{head}/center", said=f"center {' '.join(numbers)}")
                        spots.append((value.start, below.end, piece))
        for member in members:
            if member.key not in (BASE, CHARACTERS):
                raw = text[member.start : member.end]
                said = str(json.loads(f"{{{raw}}}")[member.key])
                spots.append(
                    (member.start, member.end, Piece(raw, raw, Kind.LITERAL, place="extra", said=said))
                )
        return sorted(spots, key=lambda s: s[0])


def _character(text: str, value: json_spans.Value, known: Known, lead: str, head: str) -> list[Spot]:
    """The tags of one character; `girl` at the front says what it is."""
    spots = list_spots(text, value.start, value.end, known, _ESCAPES, lead, head + "/")
    return [
        (a, b, Piece(lead + GENDER + p.raw, p.raw, place=p.place))
        if p.raw in ("girl", "boy", "other")
        else (a, b, p)
        for a, b, p in spots
    ]


def _are_characters(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(c, dict) and isinstance(c.get(CHARACTER), str) and not {*c} - {CHARACTER, CENTERS}
        for c in value
    )


STYLE = NovelAI(
    "novelai",
    "NovelAI",
    '{"base_caption": "2girls, indoors", "char_captions": [{"char_caption": "girl, black hair", "centers": […]}]}',
    lettered=True,
    structured=True,
    evident=True,
    base="novelai",
    needs=("persons",),
    fallback="Without --people all tags stand in the base caption.",
    protection=Protection(shuffle="never", reason="Shuffling at commas would tear the JSON apart."),
)
