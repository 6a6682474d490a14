"""Names of characters with their form: `hoshi|school uniform|glasses+red ribbon`.

Parts are separated by `|` (name, appearance, outfit, accessories, objects, extra), several in one part by `+`; `none`
stands for an empty part. An appearance that begins with `_` is glued to the name (`hoshi|_adult` is hoshi_adult); another
part that does is an embedding of its own. Names may be in canonical form (`school_uniform`) or with spaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lib_extend.vocabulary.tag_names import canonical

OUTER, INNER, GLUE = "|", "+", "_"
_PARTS = 6
_NONE = "none"


class CharacterParts(NamedTuple):
    """A name with spaces, what is glued to it, and the words of each further part, in order."""

    name: str
    glued: str
    parts: tuple[tuple[str, ...], ...]


def parts_of(character: str) -> CharacterParts:
    """The parts of a character's name."""
    name, *rest = (p.strip() for p in character.split(OUTER)[:_PARTS])
    parts = [tuple(w for w in map(_word, part.split(INNER)) if w and w.lower() != _NONE) for part in rest]
    glued = ""
    if parts and parts[0] and parts[0][0].startswith(GLUE):
        glued, parts[0] = parts[0][0], parts[0][1:]
    return CharacterParts(_word(name), glued, tuple(parts))


def is_composed(character: str) -> bool:
    """Whether a name says a form too."""
    return OUTER in character.strip(OUTER)


def without_plain(characters: Iterable[str]) -> list[str]:
    """The characters, each once; a name alone goes where the same one stands with its form."""
    found = list(dict.fromkeys(characters))
    composed = {canonical(c.partition(OUTER)[0]) for c in found if is_composed(c)}
    return [c for c in found if is_composed(c) or c not in composed] if composed else found


def embedding_name(character: str) -> str:
    """The word that an embedding of the character is called: the same for all of its outfits."""
    found = parts_of(character)
    return (found.name.split() or [""])[0] + found.glued


def caption_name(character: str, inner: str = " ", outer: str = ", ") -> str:
    """The character as a caption says it: name and appearance, then the other parts.

    Args:
        inner: between the name and its appearance, and the words of a part. outer: between the parts.
    """
    name, glued, parts = parts_of(character)
    first = inner.join([name + glued, *(parts[0] if parts else ())])
    return outer.join([first, *(inner.join(words) for words in parts[1:] if words)])


def _word(text: str) -> str:
    """A word with spaces; an underscore in front stays."""
    text = text.strip()
    lead = GLUE if text.startswith(GLUE) else ""
    return lead + text.removeprefix(GLUE).replace("_", " ").strip()
