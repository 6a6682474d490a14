"""The anime pipeline's captions: fields in any order, each on a share of the pictures, `from` a series, `by` an artist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lib_extend.captions.markup import HARD
from lib_extend.captions.scene import Scene, Word, in_order
from lib_extend.captions.style import (
    BY_DEFAULT,
    NOTHING,
    Known,
    Protection,
    Spelling,
    Style,
    kept_apart,
    lines_read,
    placed,
)
from lib_extend.captions.text import CaptionText, Kind, Spot, parse
from lib_extend.config import TagConfig
from lib_extend.records import Category, Source, Tag
from lib_extend.vocabulary.people_tags import count_people
from lib_extend.vocabulary.tag_names import canonical, written

PEOPLE, TAGS, FIRST, LAST, KEPT = "people", "tags", "first", "last", "kept"
_OWN = {
    "characters": "characters",
    "series": "copyright",
    "meta": "image_type",
    "artist": "artist",
    "rating": "rating",
}
"""The field of a scene's field that stands in no other."""
_MAY_HAVE = ("year", "quality", "prose")
"""Scene's fields that stand in `tags` where they have no field."""
_IN_TAGS = ("people", "general", "quality", "year", "prose", "extra")
"""What `tags` has, in its order; persons follow the people."""
_LEADS = {"copyright": "from", "artist": "by"}
_LED = re.compile(r"(from|by)[ _]+(?=\S)", re.IGNORECASE)
_COUNT = re.compile(r"\d+(person|people)")
_NOBODY = frozenset({"anonymous", "unknown", "unknown_artist", "anonymous_artist"})


@dataclass(frozen=True)
class Stage5(Style):
    """Words in fields; a person's stand in the field of the word that they follow."""

    def has(self, field: str, spelling: Spelling = BY_DEFAULT) -> bool:
        """Whether this caption has the field; what has none of its own stands in `tags`."""
        return _slot(field, spelling) in spelling.fields

    def fitted(
        self, tags: Sequence[Tag], human: Sequence[Tag], config: TagConfig, spelling: Spelling
    ) -> list[Tag]:
        """With `2people` for the field of people, without artists nobody knows, and of ratings with `explicit` only.

        Where a base model is named, its words for every rating stay.
        """
        result = [t for t in tags if not (t.category is Category.ARTIST and t.name in _NOBODY)]
        if config.base == "any":
            result = [t for t in result if t.category is not Category.RATING or t.name == "explicit"]
        number = count_people(t.name for t in (*tags, *human)) if PEOPLE in spelling.fields else 0
        count = f"{number}{'person' if number == 1 else 'people'}"
        # an option's tag is made anew by every run: no later one takes it for something that was found
        return [Tag(count, source=Source.OPTION), *result] if number else result

    def marks(self, config: TagConfig) -> tuple[str, ...]:
        texts = (config.outer_separator, config.character_separator, config.keep_tokens_separator)
        return tuple(dict.fromkeys(t.strip() for t in texts if t.strip() not in ("", ",")))

    def write(self, scene: Scene, spelling: Spelling = BY_DEFAULT) -> str:
        text, before, last = "", "", FIRST
        kept = spelling.keep_separator
        for field, word in self._words(scene, spelling):
            if kept and word.name == word.text == kept and word.tag is None and not word.raw:
                text += f" {kept} " if text else ""
                last = KEPT if text else last
                continue
            said = word.text or self.spell(word.name, spelling)
            if not text or last == KEPT:
                between = ""
            elif said in HARD or before in HARD:
                between = " "
            elif field != last:
                between = spelling.outer
            else:
                between = spelling.between_characters if field == "characters" else _inner(spelling)
            lead = _LEADS.get(field, "") if field != last or not text else ""
            blank = " " if spelling.separator.strip(" ") else "_"
            led = lead and not said.lower().startswith((f"{lead} ", f"{lead}_"))
            text += between + (lead + blank if led else "") + said
            before, last = said, field
        return text

    def _words(self, scene: Scene, spelling: Spelling) -> Iterator[tuple[str, Word]]:
        """Every word with its field, in their order."""
        slots: dict[str, list[Word]] = {name: [] for name in (FIRST, *spelling.fields, LAST)}
        fields = dict(scene.lists())
        order = dict.fromkeys((*_IN_TAGS, *fields))
        for name in order:
            for word in fields[name]:
                slot = PEOPLE if _is_count(word) else _slot(name, spelling)
                slots.get(slot, slots[LAST]).append(word)
            if name == "people":
                told = slots.get(TAGS, slots[LAST])
                for person in scene.persons:
                    told += [self._told(person.start, w, spelling) for w in person.words]
        places = {id(word): slot for slot, words in slots.items() for word in words}
        field = FIRST
        at = [*slots].index(spelling.keep_before) if spelling.keep_before in slots else len(slots)
        fixed, free = (
            [w for words in part for w in words] for part in ([*slots.values()][:at], [*slots.values()][at:])
        )
        separator = spelling.keep_separator if spelling.keep_before in slots else ""
        for word in in_order(kept_apart(fixed, free, separator)):
            # a person's word has the field of the one that it follows; the separator begins one
            if word.after is None:
                field = places.get(id(word), spelling.keep_before)
            yield field, word

    def _told(self, start: str, word: Word, spelling: Spelling) -> Word:
        """A person's word with the letter in front of it, as it stands in a list."""
        letter = written(start, spelling.underscores) if start else ""
        text = word.raw or letter + (word.text or self.spell(word.name, spelling))
        return replace(word, name=start + word.name, text=text)

    def read(self, text: str, known: Known = NOTHING) -> CaptionText | None:
        marks = [m for m in known.marks if m not in HARD]

        def line(words: str) -> list[Spot]:
            read = parse(words, known.separator, marks, known=known.keys, whole=known.whole, one_a_line=False)
            spots: list[Spot] = []
            at = 0
            for part in read.lines:
                for gap, piece in zip(part.gaps, part.pieces, strict=False):
                    at += len(gap)
                    spots.append((at, at + len(piece.raw), piece))
                    at += len(piece.raw)
            return [_led(s, known) for s in placed(spots, known, 1)]

        return lines_read(text, known, line)


def _slot(field: str, spelling: Spelling) -> str:
    """The caption field of a scene's field."""
    if field in (FIRST, LAST):
        return field
    if field in _MAY_HAVE and field in (*spelling.fields, *spelling.left_out):
        return field
    return _OWN.get(field, TAGS)


def _is_count(word: Word) -> bool:
    return word.tag is not None and word.tag.source is Source.OPTION and bool(_COUNT.fullmatch(word.name))


def _inner(spelling: Spelling) -> str:
    """What stands between the words of a field; a file with one tag a line is a list no longer."""
    return ", " if "\n" in spelling.separator else spelling.separator


def _led(spot: Spot, known: Known) -> Spot:
    """`from vocaloid` is vocaloid where the caption is known to have that."""
    start, end, piece = spot
    match = _LED.match(piece.raw)
    if piece.kind is not Kind.TAG or match is None or known.has(piece.name):
        return spot
    name = canonical(piece.raw[match.end() :])
    return (start, end, replace(piece, name=name, before=match[0])) if known.has(name) else spot


STYLE = Stage5(
    "stage5",
    "Caption fields",
    "hatsune miku, from vocaloid, by wlop, 2girls, black hair, indoors",
    lettered=True,
    structured=True,
    fielded=True,
    leaves_out=True,
    rating=True,
    fallback="A field of which nothing is known is left out, with the separator in front of it.",
    protection=Protection(
        reason="With --keep-tokens-separator the fields in front of it stay first; the rest may be shuffled."
    ),
)
