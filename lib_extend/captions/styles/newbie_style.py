"""NewBie's captions: XML, an element for each character and one for what is the picture's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lib_extend.captions import xml_spans
from lib_extend.captions.documents import Escapes, document, in_place, list_spots, prose_spots, start_of
from lib_extend.captions.scene import Scene, ScenePerson, Word, in_order
from lib_extend.captions.style import BY_DEFAULT, NOTHING, Known, Protection, Spelling, Style
from lib_extend.captions.text import CaptionText, Kind, Piece, Spot
from lib_extend.records import Category
from lib_extend.vocabulary.caption_fields import PERSON_FIELDS, field_of
from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.tag_names import written

PERSON = ("n", "gender", *PERSON_FIELDS, "position")
GENERAL = ("count", "series", "artists", "background", "quality", "other", "caption")
_OF_FIELD = {
    "people": "count",
    "characters": "other",
    "series": "series",
    "artist": "artists",
    "general": "other",
    "meta": "other",
    "quality": "quality",
    "rating": "quality",
    "year": "quality",
    "prose": "caption",
    "extra": "extra",
    "first": "other",
    "last": "other",
}
_PERSON = re.compile(r"character_([1-9]\d?)")
_ROOT = "general_tags"
GENDER = "gender_"
"""What the name of a person's gender begins with: the count of all people has the same words."""
_ESCAPES = Escapes(xml_spans.escaped, xml_spans.unescaped)


@dataclass(frozen=True)
class Newbie(Style):
    """`<character_1>` … and `<general_tags>`; on one line, unless the caption that is there has several."""

    def spell(self, name: str, spelling: Spelling) -> str:
        """With underscores, as the model was trained."""
        return written(name.removeprefix(GENDER), True, spelling.escape_brackets)

    def extras(self, person: ScenePerson) -> Sequence[str]:
        gender = f"{GENDER}1{person.gender}" if person.gender else ""
        return [name for name in (gender, person.place) if name]

    def makes(self, name: str) -> bool:
        return name.startswith(GENDER) and is_people(name.removeprefix(GENDER))

    def head(self, person: ScenePerson, number: int) -> str:
        return person.head if person.head.startswith("character_") else f"character_{number}"

    def write(self, scene: Scene, spelling: Spelling = BY_DEFAULT) -> str:
        blocks = []
        for i, person in enumerate(scene.persons, 1):
            head = person.head or f"character_{i}"
            slots: dict[str, list[Word]] = {f"{head}/{name}": [] for name in (*PERSON, "")}
            in_place(person.words, slots, lambda w, head=head: f"{head}/{_person_field(w)}")  # type: ignore[misc]
            if any(slots.values()):
                blocks.append(self._block(head, slots, spelling))
        slots = {f"{_ROOT}/{name}": [] for name in (*GENERAL, "")}
        for name, words in scene.lists():
            for word in words:
                place = _OF_FIELD[name]
                if name == "general" and field_of(word.name) == "environment":
                    place = "background"
                in_place([word], slots, lambda _, place=place: f"{_ROOT}/{place}")  # type: ignore[misc]
        extra = [w.raw or self._escaped(w, spelling) for w in slots.pop(f"{_ROOT}/extra", ())]
        if any(slots.values()):
            blocks.append(self._block(_ROOT, slots, spelling))
        return ("\n" if spelling.indent else "").join([*blocks, *extra])

    def _block(self, head: str, slots: dict[str, list[Word]], spelling: Spelling) -> str:
        parts = []
        for place, words in slots.items():
            name = place.rpartition("/")[2]
            texts = [w.raw or self._escaped(w, spelling) for w in in_order(words)]
            if name == "":
                parts += texts  # elements of a person's own
            elif texts:
                parts.append(f"<{name}>{(' ' if name == 'caption' else ', ').join(texts)}</{name}>")
        inner = "".join(f"\n  {p}" for p in parts) + "\n" if spelling.indent else "".join(parts)
        return f"<{head}>{inner}</{head}>"

    def _escaped(self, word: Word, spelling: Spelling) -> str:
        return xml_spans.escaped(self._said(word, spelling))

    def read(self, text: str, known: Known = NOTHING) -> CaptionText | None:
        return document(text, known, lambda part: self._spots(part, known))

    def _spots(self, text: str, known: Known) -> list[Spot] | None:
        if not (text.lstrip().startswith("<") and xml_spans.is_valid(text)):
            return None
        found = xml_spans.elements(text)
        tops = [e for e in found if len(e.path) == 1]
        persons = [e for e in tops if _PERSON.fullmatch(e.path[0])]
        if not persons and not any(e.path == (_ROOT,) for e in tops):
            return None
        spots: list[Spot] = []
        covered: list[tuple[int, int]] = []
        for element in found:
            if len(element.path) != 2:
                continue
            head, name = element.path
            person = _PERSON.fullmatch(head)
            if not person and head != _ROOT:
                continue
            lead = start_of(head, int(person[1]), len(persons), known) if person else ""
            place = f"{head}/{name}"
            if not element.leaf or name not in (PERSON if person else GENERAL):
                spots.append(_kept(text, element, lead, f"{head}/"))
            elif name == "caption":
                spots += prose_spots(text, *element.inner, known, _ESCAPES, place)
            else:
                begin = lead + GENDER if name == "gender" else lead
                spots += list_spots(text, *element.inner, known, _ESCAPES, begin, place)
            covered.append(element.outer)
        for element in tops:
            if not _PERSON.fullmatch(element.path[0]) and element.path[0] != _ROOT:
                spots.append(_kept(text, element, "", f"{_ROOT}/extra"))
                covered.append(element.outer)
            else:
                # words between the elements
                spots += _stray(text, *element.inner, covered, f"{element.path[0]}/")
                covered.append(element.outer)
        spots += _stray(text, 0, len(text), covered, f"{_ROOT}/extra")
        return sorted(spots, key=lambda s: s[0])


def _person_field(word: Word) -> str:
    if word.tag is not None and word.tag.category is Category.CHARACTER:
        return "n"
    if word.name.startswith(GENDER) or is_people(word.name):
        return "gender"
    if word.name.startswith(("on_the_", "in_the_middle", "at_the_")):
        return "position"
    field = field_of(word.name)
    return field if field in PERSON_FIELDS else "appearance"


def _kept(text: str, element: xml_spans.Element, lead: str, place: str) -> Spot:
    start, end = element.outer
    raw = text[start:end]
    said = xml_spans.unescaped(re.sub(r"<[^<>]*>", " ", text[slice(*element.inner)])).strip()
    return start, end, Piece(lead + raw, raw, Kind.LITERAL, place=place, said=" ".join(said.split()) or raw)


def _stray(text: str, start: int, end: int, covered: Sequence[tuple[int, int]], place: str) -> list[Spot]:
    """What stands between elements: a person's."""
    spots: list[Spot] = []
    at = start
    for a, b in [*sorted(c for c in covered if c[0] >= start and c[1] <= end), (end, end)]:
        raw = text[at:a] if a > at else ""
        if raw.strip():
            first = at + len(raw) - len(raw.lstrip())
            words = raw.strip()
            spots.append((first, first + len(words), Piece(words, words, Kind.LITERAL, place=place)))
        at = max(at, b)
    return spots


STYLE = Newbie(
    "newbie",
    "NewBie (XML)",
    "<character_1><n>hatsune_miku</n><gender>1girl</gender>…</character_1><general_tags>…</general_tags>",
    lettered=True,
    structured=True,
    evident=True,
    base="newbie",
    alone=True,
    needs=("persons", "prose"),
    fallback="Without --people only a picture of one person has a character; without prose there is no <caption>.",
    protection=Protection(shuffle="never", reason="Shuffling at commas would tear the XML apart."),
)
