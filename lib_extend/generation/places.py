"""Boxes in one click: columns, rows, grids; and boxes of persons found in a picture."""

from __future__ import annotations

from lib_extend.generation.cast import SMALLEST, Place, place
from lib_extend.generation.value_checks import FieldError
from lib_extend.records import Box


def columns(count: int) -> tuple[Place, ...]:
    """`count` boxes side by side that cover the picture, from left to right."""
    return grid(1, count)


def rows(count: int) -> tuple[Place, ...]:
    """`count` boxes one above the other that cover the picture, from the top."""
    return grid(count, 1)


def grid(down: int, across: int) -> tuple[Place, ...]:
    """`down` × `across` boxes that cover the picture without overlap, row by row."""
    for name, count in (("down", down), ("across", across)):
        if not 1 <= count <= 20:
            raise FieldError(name, f"is {count}, but must be 1 to 20")
    xs = [round(i / across, 3) for i in range(across + 1)]
    ys = [round(i / down, 3) for i in range(down + 1)]
    return tuple((xs[i], ys[j], xs[i + 1], ys[j + 1]) for j in range(down) for i in range(across))


def arranged(count: int, width: int, height: int) -> tuple[Place, ...]:
    """`count` boxes as a picture of this size suggests: columns, in a high narrow one rows."""
    return rows(count) if height > 1.5 * width else columns(count)


def from_pixels(box: Box, width: int, height: int) -> Place:
    """A person's box as fractions; cut at the picture's edges, and not too small to be one."""
    if width < 1 or height < 1:
        raise FieldError("box", "is of a picture without pixels")
    x0, x1 = _span(box.x0 / width, box.x1 / width)
    y0, y1 = _span(box.y0 / height, box.y1 / height)
    return place((x0, y0, x1, y1))


def _span(start: float, end: float) -> tuple[float, float]:
    start, end = (min(max(v, 0.0), 1.0) for v in (min(start, end), max(start, end)))
    if end - start < SMALLEST:
        middle = min(max((start + end) / 2, SMALLEST / 2), 1 - SMALLEST / 2)
        start, end = middle - SMALLEST / 2, middle + SMALLEST / 2
    # outwards, so that rounding never makes it smaller than the least
    start, end = round(start, 3), round(end, 3)
    if end - start < SMALLEST - 1e-9:
        end = min(1.0, round(start + SMALLEST, 3))
        start = min(start, round(end - SMALLEST, 3))
    return start, end
