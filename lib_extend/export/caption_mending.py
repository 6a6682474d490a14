"""Changes that the lint proposes to single pieces and their spelling. All other text stays unchanged."""

from __future__ import annotations

from collections.abc import Callable

from lib_extend.captions.editing import Style
from lib_extend.captions.placed_pieces import joined, standing
from lib_extend.captions.text import Kind, Line, Piece
from lib_extend.vocabulary.tag_names import key


def respelled(text: str, style: Style, spell: Callable[[Piece], str]) -> str:
    """The caption with each piece written as `spell` says; its own `raw` lets it be."""
    read = style.read(text)

    def change(line: Line) -> str:
        raws = [spell(p) for p in line.pieces]
        return line.gaps[0] + "".join(r + g for r, g in zip(raws, line.gaps[1:], strict=True)) + line.ending

    return "".join(change(line) for line in read.lines)


def without_repeats(text: str, style: Style) -> str:
    """The caption with every tag once in a line: the first stays."""
    read = style.read(text)

    def change(line: Line) -> str:
        seen: set[str] = set()

        def kept(i: int, piece: Piece) -> tuple[str, None] | None:
            if piece.kind is Kind.TAG:
                if key(piece.name) in seen:
                    return None
                seen.add(key(piece.name))
            return piece.raw, None

        if not repeated(line):
            return line.write()
        separator = style.separator or ("\n" if line.one_a_line else ", ")
        return joined(standing(line, kept, separator, marks=style.marks), line, separator) + line.ending

    return "".join(change(line) for line in read.lines)


def repeated(line: Line) -> list[str]:
    """How the tags are written that a line has again."""
    seen: set[str] = set()
    again = []
    for piece in line.pieces:
        if piece.kind is Kind.TAG:
            if key(piece.name) in seen:
                again.append(piece.raw)
            seen.add(key(piece.name))
    return again
