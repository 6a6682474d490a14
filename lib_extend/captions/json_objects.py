"""Captions that are one JSON object: which words stand under which key."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lib_extend.captions import json_spans
from lib_extend.captions.clauses import clauses, head_of, with_clauses
from lib_extend.captions.documents import Escapes, clause_spots, document, in_place, item_spot, list_spots
from lib_extend.captions.scene import Scene, ScenePerson, Word, in_order
from lib_extend.captions.style import BY_DEFAULT, NOTHING, Known, Spelling, Style, spaced
from lib_extend.captions.text import CaptionText, Kind, Piece, Spot
from lib_extend.vocabulary.caption_fields import field_of

LIST, JOINED, TEXT, FIXED = "list", "joined", "text", "fixed"
_ESCAPES = Escapes(json_spans.escaped, json_spans.unescaped)
_FIELD = re.compile(r"\{(\w+)\}")
_APPEARANCE = ("appearance", "clothing")
EXTRA = "extra"


@dataclass(frozen=True)
class Slot:
    """One key of the object.

    Attributes:
        key: as it is written.
        kind: "list" (an array of tags), "joined" (tags in one text), "text" (clauses and prose), "fixed" (a value of the
            user's own).
        fields: the scene's fields that stand there, in their order; "appearance" and "environment" are parts of
            "general". value: of a fixed one, its JSON text.
    """

    key: str
    kind: str
    fields: tuple[str, ...] = ()
    value: str = ""


@dataclass(frozen=True)
class JsonStyle(Style):
    """An object with these slots, in their order; what has no slot goes to the one with "general"."""

    slots: tuple[Slot, ...] = ()
    mark: str = ""
    """What stands before an artist's name."""
    mine: bool = False
    """The object is a user's own: what it does not name is left out."""

    def spell(self, name: str, spelling: Spelling) -> str:
        return spaced(name, spelling.escape_brackets)

    def has(self, field: str, spelling: Spelling = BY_DEFAULT) -> bool:
        """In an object of a user's own only what it names; people and names otherwise stand among the general tags."""
        there = {f for s in self.slots for f in s.fields}
        if not self.mine or field in there:
            return True
        return field in ("general", "people", "characters", "series") and "general" in there

    def head(self, person: ScenePerson, number: int) -> str:
        return head_of(person, number)

    def write(self, scene: Scene, spelling: Spelling = BY_DEFAULT) -> str:
        places: dict[str, list[Word]] = {s.key: [] for s in self.slots if s.kind != FIXED}
        places[EXTRA] = []
        persons = scene.persons
        text = next((s.key for s in self.slots if s.kind == TEXT), "")
        fields = dict(scene.lists())
        order = [name for s in self.slots for name in s.fields]
        # what has no slot of its own stands in front of the general tags
        others = order.index("general") - 0.5 if "general" in order else -1
        fields = dict(sorted(fields.items(), key=lambda f: order.index(f[0]) if f[0] in order else others))
        if persons and (len(persons) == 1 or not text):
            # without a text, nobody can say whose a tag is
            own = [w for p in persons for w in in_order(p.words)]
            fields["general"] = (*own, *fields["general"])
            persons = ()
        for name, words in fields.items():
            for word in words:
                in_place([word], places, lambda w, name=name: self._key(name, w))  # type: ignore[misc]
        extra = [w.raw or f'"{_said(w.text)}": ""' for w in places.pop(EXTRA)]
        taken = {
            json.loads(raw.partition(":")[0]) if raw.startswith('"') else "" for raw in map(_key_of, extra)
        }
        members = []
        for slot in self.slots:
            if slot.key in taken:
                continue
            value = self._value(slot, places.get(slot.key, []), persons if slot.key == text else (), spelling)
            members.append(f"{json.dumps(slot.key, ensure_ascii=False)}: {value}")
        between = ",\n  " if spelling.indent else ", "
        inner = between.join([*members, *extra])
        return f"{{\n  {inner}\n}}" if spelling.indent else f"{{{inner}}}"

    def _value(
        self, slot: Slot, words: Sequence[Word], persons: Sequence[ScenePerson], spelling: Spelling
    ) -> str:
        if slot.kind == FIXED:
            return slot.value

        def said(word: Word) -> str:
            mark = self.mark if word.tag is not None and word.tag.category.value == "artist" else ""
            return word.raw or _said((mark if not word.text else "") + self._said(word, spelling))

        texts = [said(w) for w in in_order(words)]
        if slot.kind == LIST:
            return "[" + ", ".join(f'"{t}"' for t in texts) + "]"
        if slot.kind == JOINED:
            return '"' + ", ".join(texts) + '"'
        return '"' + with_clauses("", clauses(persons, said), texts) + '"'

    def _key(self, field: str, word: Word) -> str:
        """The slot of a word of one of the scene's fields."""
        if field == "extra":
            return EXTRA
        names = [field]
        if field == "general":
            part = field_of(word.name)
            names = ["appearance" if part in _APPEARANCE else part, "general"]
        for name in (*names, "general"):
            for slot in self.slots:
                if name in slot.fields:
                    return slot.key
        return next((s.key for s in self.slots if s.kind in (LIST, JOINED)), EXTRA)

    def read(self, text: str, known: Known = NOTHING) -> CaptionText | None:
        return document(text, known, lambda part: self._spots(part, known))

    def _spots(self, text: str, known: Known) -> list[Spot] | None:
        data = json_spans.loaded(text)
        if data is None or not any(s.key in data for s in self.slots):
            return None
        values, members = json_spans.spans(text)
        slots = {s.key: s for s in self.slots}
        spots: list[Spot] = []
        for member in members:
            slot = slots.get(member.key)
            value = data[member.key]
            if slot is None or not _fits(slot, value):
                raw = text[member.start : member.end]
                said = ", ".join(_texts(value)) or member.key
                spots.append(
                    (member.start, member.end, Piece(raw, raw, Kind.LITERAL, place=EXTRA, said=said))
                )
                continue
            for span in values:
                if span.path[0] == member.key and member.start <= span.start < member.end:
                    spots += self._of_value(text, slot, span.start, span.end, known)
        return spots

    def _of_value(self, text: str, slot: Slot, start: int, end: int, known: Known) -> list[Spot]:
        if slot.kind == FIXED:
            return []
        if slot.kind == TEXT:
            return clause_spots(text, start, end, known, _ESCAPES, slot.key)
        if slot.kind == LIST:
            spots = item_spot(text, start, end, _ESCAPES, place=slot.key)
        else:
            spots = list_spots(text, start, end, known, _ESCAPES, place=slot.key)
        return [_unmarked(s, self.mark) for s in spots] if self.mark else spots


def template_style(format: str) -> JsonStyle:
    """The style of a JSON object of one's own, in which texts have fields (`{"tags": ["{general}"]}`)."""
    slots = []
    for key, value in json.loads(format).items():
        items = value if isinstance(value, list) else [value]
        fields = [f for item in items if isinstance(item, str) for f in _FIELD.findall(item)]
        fields = ["series" if f == "copyright" else "general" if f == "new" else f for f in fields]
        if not fields:
            slots.append(Slot(key, FIXED, value=json.dumps(value, ensure_ascii=False)))
        elif "prose" in fields or "persons" in fields:
            slots.append(Slot(key, TEXT, tuple(fields)))
        else:
            slots.append(Slot(key, LIST if isinstance(value, list) else JOINED, tuple(fields)))
    return JsonStyle(
        format,
        "My own",
        format,
        lettered=any("persons" in s.fields for s in slots),
        structured=True,
        evident=True,
        slots=tuple(slots),
        needs=("prose",) if any("prose" in s.fields for s in slots) else (),
        leaves_out=True,
        mine=True,
    )


def _fits(slot: Slot, value: object) -> bool:
    """Whether a value has the form that the style gives it."""
    if slot.kind == FIXED:
        return bool(json.loads(slot.value) == value)
    if slot.kind == LIST:
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    return isinstance(value, str)


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [t for v in value.values() for t in _texts(v)]
    if isinstance(value, list):
        return [t for v in value for t in _texts(v)]
    return [] if value is None else [str(value)]


def _unmarked(spot: Spot, mark: str) -> Spot:
    start, end, piece = spot
    if not piece.name.startswith(mark) or len(piece.name) == len(mark):
        return spot
    return (
        start,
        end,
        Piece(piece.name[len(mark) :], piece.raw, piece.kind, place=piece.place, said=piece.said),
    )


def _key_of(raw: str) -> str:
    """The key at the beginning of a member's text."""
    match = re.match(r'"(?:[^"\\]|\\.)*"', raw)
    return f"{match[0]}:" if match else ""


def _said(text: str) -> str:
    return json_spans.escaped(text)
