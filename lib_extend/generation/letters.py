"""Greek letters before tags, and the tags that say how many people there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from lib_extend.generation import syntax
from lib_extend.generation.cast import LETTERS
from lib_extend.generation.syntax import Piece
from lib_extend.vocabulary.people_tags import GENDERS, PeopleCount, is_people, people_count, people_tag
from lib_extend.vocabulary.tag_names import canonical

_LETTERED = re.compile(rf"([{''.join(LETTERS)}])(?:\s+|_(?!_))(\S.*)", re.DOTALL)
_SPACED = re.compile(r"(\d+\+?)_(?=girl|boy|other)")
_WORDS = {
    "girl": frozenset("girl woman female lady".split()),
    "boy": frozenset("boy man male guy male_focus".split()),
    "other": frozenset("other androgynous ambiguous_gender".split()),
}


def lettered(parts: Iterable[Piece], letter: str) -> list[Piece]:
    """Each tag with the letter before it: `black hair` → `α black hair`; it replaces another letter there.

    In an emphasis that holds several tags it stands before each: `(α black hair, α blue skirt:1.2)`.
    """
    return [replace(p, text=_with(p, letter)) if p.text else p for p in parts]


def _with(piece: Piece, letter: str) -> str:
    group = piece.emphasised
    if group is None:
        return f"{letter} {stripped(piece).text}"
    return group.with_pieces(lettered(group.pieces, letter))


def letter_of(piece: Piece) -> str:
    """The letter a tag has, "" for none; an emphasis has one when all its tags have the same."""
    group = piece.emphasised
    if group is None:
        match = _LETTERED.fullmatch(piece.text) or _LETTERED.fullmatch(syntax.bare(piece.text))
        return match[1] if match else ""
    found = {letter_of(p) for p in group.pieces if p.text}
    return found.pop() if len(found) == 1 else ""


def stripped(piece: Piece) -> Piece:
    """A tag without the letter before it."""
    group = piece.emphasised
    if group is not None:
        plain = [stripped(p) if p.text else p for p in group.pieces]
        return piece if plain == list(group.pieces) else replace(piece, text=group.with_pieces(plain))
    match = _LETTERED.fullmatch(piece.text)
    if match:
        return replace(piece, text=match[2])
    inside = syntax.bare(piece.text)
    match = _LETTERED.fullmatch(inside)
    return replace(piece, text=piece.text.replace(inside, match[2], 1)) if match else piece


_REMEMBERED = 4096
"""Tags whose names are remembered."""
_KINDS = {
    "girl": frozenset("girl girls woman women female lady".split()),
    "boy": frozenset("boy boys man men male guy gentleman".split()),
}
_MOST_WORDS = 4
"""Words of a tag whose last one may say what somebody is: `a tall young man`."""
_SEPARATORS = re.compile(r"[\n，、;；]")
"""What separates tags for a reader, besides the commas of the WebUIs."""


@lru_cache(_REMEMBERED)
def name_of(text: str) -> str:
    """A tag's canonical name without emphasis, in lower case."""
    name = canonical(syntax.bare(text)).lower()
    paired = syntax.without_lone_brackets(name)
    return name if paired == name else canonical(syntax.bare(paired))


def gender(tags: Iterable[Piece]) -> str:
    """What a character's tags say it is: `1boy` is boy, `male focus` and `a young man` too; "" when they say nothing.

    Within a tag, line ends and `，` separate, too; braces of dynamic prompts and emphasis are seen through.
    """
    names = [name_of(part) for tag in tags for part in _parts(tag)]
    for name in names:
        count = _count(name)
        if count:
            return count.gender
        for kind, words in _WORDS.items():
            if name in words:
                return kind
    for name in names:
        said = re.split(r"[\s_]+", name)
        for kind, words in _KINDS.items():
            if len(said) <= _MOST_WORDS and said[-1] in words:
                return kind
    return ""


def _count(name: str) -> PeopleCount | None:
    """What a name says of a number of people, `1 boy` with its space, too."""
    return people_count(_SPACED.sub(r"\1", name))


def _parts(tag: Piece) -> list[str]:
    group = tag.emphasised
    if group is not None:
        return [part for piece in group.pieces for part in _parts(piece)]
    text = syntax.bare(tag.text)
    if text.startswith("{") and text.endswith("}") and "|" not in text:
        text = text[1:-1]
    parts = _SEPARATORS.split(text)
    if len(parts) == 1:
        return parts
    return [piece.text for part in parts for piece in syntax.pieces(part)]


def people_tags(genders: Sequence[str]) -> list[str]:
    """`["girl", "boy", "girl"]` → `["2girls", "1boy"]`."""
    counts = [(kind, list(genders).count(kind)) for kind in GENDERS]
    return [people_tag(n, kind) for kind, n in counts if n]


def counts(tags: Iterable[str]) -> dict[str, int]:
    """How many persons of which gender tags such as `2girls` give; empty when there is no such tag."""
    found: dict[str, int] = {}
    for tag in tags:
        count = _count(name_of(tag))
        if count:
            found[count.gender] = max(found.get(count.gender, 0), count.number)
    return found


def genders(numbers: Mapping[str, int], characters: Sequence[Sequence[Piece]]) -> list[str]:
    """Each character's gender, if the people tags give exactly this number of characters; else nothing.

    The people tags (`numbers` as from `counts`) do not say which character is which. The characters' own tags decide if
    they can; of the rest the first are girls, then boys.
    """
    left = dict(numbers)
    if sum(left.values()) != len(characters):
        return []
    kinds = [gender(tags) for tags in characters]
    for i, kind in enumerate(kinds):
        if left.get(kind, 0):
            left[kind] -= 1
        else:
            kinds[i] = ""
    rest = [kind for kind in GENDERS for _ in range(left.get(kind, 0))]
    return [kind or rest.pop(0) for kind in kinds]


def is_count(text: str) -> bool:
    """Whether a tag says a number of people: `2girls`, `(1boy:1.1)`, but not `solo`."""
    return _count(name_of(text)) is not None


def says_people(text: str) -> bool:
    """Whether a tag is about how many people there are: `2girls`, `solo`, `multiple girls`."""
    return is_people(name_of(text)) or is_count(text)
