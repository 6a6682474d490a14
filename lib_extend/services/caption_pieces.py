"""A caption text as the pieces that it is made of, for an editor that shows each as one thing."""

from __future__ import annotations

from typing import Any

from lib_extend.captions.editing import Style
from lib_extend.captions.text import Kind, Line, Piece
from lib_extend.datasets.browser import Browser
from lib_extend.jobs.edit_runs import style_of
from lib_extend.vocabulary.merging import own


def pieces(text: str, browser: Browser | None = None, name: str = "") -> dict[str, Any]:
    """The lines of `text` as JSON values; gaps, pieces and endings put together are `text` again, to the letter.

    Args:
        browser, name: the image whose caption it is: what we remember of its caption says what separates its tags.
    """
    style = Style()
    if browser is not None:
        with browser.dataset.state() as state:
            style = style_of(state.record(name), style)
    return {"lines": [_line(line) for line in style.read(text).lines]}


def _line(line: Line) -> dict[str, Any]:
    return {
        "pieces": [_piece(p) for p in line.pieces],
        "gaps": list(line.gaps),
        "ending": line.ending,
        "one_a_line": line.one_a_line,
    }


def _piece(piece: Piece) -> dict[str, Any]:
    category = own().category(piece.name) if piece.kind is Kind.TAG else None
    return {
        "raw": piece.raw,
        "name": piece.name,
        "kind": piece.kind.value,
        "category": category.value if category else "",
    }
