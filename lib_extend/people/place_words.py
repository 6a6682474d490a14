"""Where persons are in a picture, in words: by side, and by row where they stand above each other."""

from __future__ import annotations

from collections.abc import Sequence

from lib_extend.people.geometry import position_words
from lib_extend.records import Box

SAME_ROW = 0.25
"""Share of the lower of two boxes' heights that they have in common where both are in one row."""

_ROWS: dict[int, tuple[str, ...]] = {
    2: ("at_the_top", "at_the_bottom"),
    3: ("at_the_top", "in_the_middle", "at_the_bottom"),
}
_SIDES: dict[int, tuple[str, ...]] = {
    1: ("",),
    2: ("_left", "_right"),
    3: ("_left", "_center", "_right"),
    4: ("_far_left", "_left", "_right", "_far_right"),
}


def place_words(boxes: Sequence[Box]) -> tuple[str, ...]:
    """The word for the place of each box, as canonical tag names, all different; "" if there is only one box.

    `boxes` are in any unit; words are in their order.
    """
    rows = _rows(boxes)
    if len(rows) not in _ROWS:
        order = sorted(range(len(boxes)), key=lambda i: (boxes[i].x0 + boxes[i].x1, boxes[i].y0, i))
        words = position_words(len(boxes))
        return tuple(words[order.index(i)] for i in range(len(boxes)))
    result = [""] * len(boxes)
    for row, word in zip(rows, _ROWS[len(rows)], strict=True):
        row.sort(key=lambda i: (boxes[i].x0 + boxes[i].x1, i))
        for i, side in zip(row, _SIDES[len(row)], strict=True):
            result[i] = word + side
    return tuple(result)


def _rows(boxes: Sequence[Box]) -> list[list[int]]:
    """The rows of boxes that are side by side, from the top, as indexes into `boxes`."""
    rows: list[list[int]] = []
    for i in sorted(range(len(boxes)), key=lambda i: (boxes[i].y0 + boxes[i].y1, i)):
        if rows and any(_beside(boxes[i], boxes[j]) for j in rows[-1]):
            rows[-1].append(i)
        else:
            rows.append([i])
    return rows


def _beside(a: Box, b: Box) -> bool:
    shared = min(a.y1, b.y1) - max(a.y0, b.y0)
    return shared > SAME_ROW * min(a.height, b.height)
