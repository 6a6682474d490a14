"""The tags of captions that are there, whatever the line they stand in."""

from __future__ import annotations

from collections.abc import Sequence

from lib_extend.captions.text import CaptionText, Piece, parse
from lib_extend.vocabulary.tag_names import key


def pieces(text: str, separator: str = ", ", marks: Sequence[str] = ()) -> list[Piece]:
    """What a caption says in order, of all its lines, without repetitions and separators.

    `separator` is what the caption was written with; commas always separate too.
    """
    return distinct(parse(text, separator, marks))


def distinct(text: CaptionText) -> list[Piece]:
    """The pieces of all lines, the first of each name."""
    found: dict[str, Piece] = {}
    for line in text.lines:
        for piece in line.tags:
            found.setdefault(key(piece.name), piece)
    return list(found.values())
