"""Names of characters with their form: `hoshi|school uniform|glasses+red ribbon`.

Parts are separated by `|` (name, appearance, outfit, accessories, objects, extra), several in one part by `+`; `none`
stands for an empty part. An appearance that begins with `_` belongs to the name (`hoshi|_adult` is hoshi_adult).
"""

from __future__ import annotations

OUTER, INNER = "|", "+"
_PARTS = 6
_NONE = "none"


def parts_of(character: str) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The name and the words of each further part, in order."""
    name, *rest = (p.strip() for p in character.split(OUTER)[:_PARTS])
    words = [
        tuple(w for w in (x.strip() for x in part.split(INNER)) if w and w.lower() != _NONE) for part in rest
    ]
    if words and words[0] and words[0][0].startswith("_"):
        name += words[0][0]
        words[0] = words[0][1:]
    return name, tuple(words)


def embedding_name(character: str) -> str:
    """The word that an embedding of the character is called: the same for all of its outfits."""
    name = parts_of(character)[0]
    return name.split()[0] if name.split() else name


def form_of(character: str) -> str:
    """All but the name, as it is written; "" for a mere name."""
    return character.partition(OUTER)[2].strip()


def caption_name(character: str, inner: str = " ", outer: str = ", ") -> str:
    """The character as a caption says it: name and appearance, then the other parts.

    Args:
        inner: between the name and its appearance, and the words of a part. outer: between the parts.
    """
    name, parts = parts_of(character)
    first = inner.join([name, *(parts[0] if parts else ())])
    return outer.join([first, *(inner.join(words) for words in parts[1:] if words)])
