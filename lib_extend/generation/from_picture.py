"""A cast from an analysed picture: who is where with which tags, and the rest as the scene."""

from __future__ import annotations

from collections.abc import Iterable

from lib_extend.errors import UserError
from lib_extend.generation.cast import MAX_CHARACTERS, Cast, Character
from lib_extend.generation.letters import counts, genders
from lib_extend.generation.places import from_pixels
from lib_extend.generation.syntax import Piece
from lib_extend.records import Caption, Category, Tag
from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.tag_names import key, written

_STYLE = frozenset({Category.ARTIST, Category.META, Category.QUALITY, Category.RATING, Category.YEAR})
"""What belongs to every part of the picture, and so to every region."""


def cast_of(caption: Caption, width: int, height: int) -> Cast:
    """The cast of a picture of this size in pixels, from its caption with persons.

    The caption may be composed with or without letters.

    Raises:
        UserError: no persons could be told apart; it says why.
    """
    persons = caption.persons[:MAX_CHARACTERS]
    if not persons:
        reason = caption.reason or "no persons were looked for"
        raise UserError(f"The picture's characters cannot be told apart: {reason}. Draw their boxes by hand.")
    letters = tuple(f"{p.letter}_" for p in caption.persons if p.letter)
    owned = {key(t.name) for p in caption.persons for t in p.tags}
    people = [t.name for t in caption.tags if is_people(t.name)]
    others = [
        t
        for t in caption.tags
        if not is_people(t.name) and key(t.name) not in owned and not (letters and t.name.startswith(letters))
    ]
    own = [[Piece(t.name) for t in p.tags] for p in persons]
    kinds = genders(counts(people), own) or [""] * len(persons)
    characters = tuple(
        Character(
            prompt=_text([*([Tag(f"1{kind}")] if kind else []), *person.tags]),
            box=from_pixels(person.box, width, height),
        )
        for person, kind in zip(persons, kinds, strict=True)
    )
    return Cast(
        characters,
        common=_text(t for t in others if t.category in _STYLE),
        scene=_text(t for t in others if t.category not in _STYLE),
    )


def _text(tags: Iterable[Tag]) -> str:
    return ", ".join(written(t.name, escape_brackets=True) for t in tags)
