"""Turn the characters' boxes into soft masks on any grid of the UNet.

Inside the boxes of characters r the base prompt and the regions share every point in the proportions
`β : (1 − β)·w_r : …`, where β is the base weight and w_r the characters' weights; outside all boxes the base
has everything. The proportions are the same all over each of the rectangles into which the boxes' edges cut
the picture. A mask on a grid of cells is the mean over each cell's area, so that a box's edge inside a cell
makes it soft; being a sum over those rectangles, it is exact, and separable:

    mask_r = coverage(ys, height) · table_r · coverage(xs, width)ᵀ      and      Σ_r mask_r = 1 everywhere.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from lib_extend.errors import UserError
from lib_extend.generation.cast import Place

Matrix = tuple[tuple[float, ...], ...]
"""Rows of numbers."""

_TINY = 1e-9


@dataclass(frozen=True)
class Shares:
    """The shares of the base and the regions in a picture.

    Attributes:
        xs, ys: where the picture is cut, ascending, from 0 to 1.
        tables: for the base and then each region, the share 0…1 in the rectangles between the cuts, row by
            row: `tables[r][j][i]` is that of ys[j]…ys[j+1] and xs[i]…xs[i+1]. They add up to 1.
        places: the regions' boxes.
    """

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    tables: tuple[Matrix, ...]
    places: tuple[Place, ...]

    @property
    def count(self) -> int:
        """Number of regions, the base not counted."""
        return len(self.places)

    def acts(self, region: int) -> bool:
        """Whether a region (0 is the base) has a share anywhere."""
        return any(any(row) for row in self.tables[region])


def shares(places: Sequence[Place], weights: Sequence[float], base_weight: float) -> Shares:
    """The shares of the base and of regions in these boxes.

    Args:
        weights: one a box, 0 or more; `base_weight`: 0…1.
    """
    if len(places) != len(weights):
        raise ValueError(f"{len(places)} boxes, {len(weights)} weights")
    if not 0 <= base_weight <= 1 or any(w < 0 for w in weights):
        raise ValueError("weights must be 0 or more, the base weight 0 to 1")
    xs = tuple(sorted({0.0, 1.0, *(v for p in places for v in (p[0], p[2]))}))
    ys = tuple(sorted({0.0, 1.0, *(v for p in places for v in (p[1], p[3]))}))
    tables = [[[0.0] * (len(xs) - 1) for _ in ys[1:]] for _ in range(len(places) + 1)]
    for j, (y0, y1) in enumerate(itertools.pairwise(ys)):
        for i, (x0, x1) in enumerate(itertools.pairwise(xs)):
            parts = [
                (1 - base_weight) * w if p[0] <= x0 and x1 <= p[2] and p[1] <= y0 and y1 <= p[3] else 0.0
                for p, w in zip(places, weights, strict=True)
            ]
            inside = sum(parts)
            total = base_weight + inside
            for r, part in enumerate(parts):
                tables[r + 1][j][i] = part / total if inside > 0 else 0.0
            tables[0][j][i] = base_weight / total if inside > 0 else 1.0
    return Shares(xs, ys, tuple(tuple(map(tuple, t)) for t in tables), tuple(places))


def coverage(cuts: Sequence[float], cells: int) -> Matrix:
    """For each of `cells` equal parts of 0…1, which fraction of it lies in each interval between the cuts.

    The fractions of a cell add up to 1.
    """
    rows = []
    for k in range(cells):
        low, high = k / cells, (k + 1) / cells
        row = [max(0.0, min(high, end) - max(low, start)) for start, end in itertools.pairwise(cuts)]
        total = sum(row)
        rows.append(tuple(v / total for v in row))
    return tuple(rows)


def mask(of: Shares, region: int, height: int, width: int) -> Matrix:
    """The mask of a region (0 is the base) on a grid of cells: `height` rows of `width` numbers in 0…1."""
    table = of.tables[region]
    across = coverage(of.xs, width)
    down = coverage(of.ys, height)
    bands = [[sum(s * c for s, c in zip(row, cell, strict=True)) for cell in across] for row in table]
    return tuple(
        tuple(sum(c * band[x] for c, band in zip(cell, bands, strict=True)) for x in range(width))
        for cell in down
    )


def crop(place: Place, height: int, width: int) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of the cells that a box touches; bottom and right are the first beyond."""
    left, right = _span(place[0], place[2], width)
    top, bottom = _span(place[1], place[3], height)
    return top, bottom, left, right


def _span(start: float, end: float, cells: int) -> tuple[int, int]:
    # an edge on the border of two cells touches one of them, in spite of rounding
    return math.floor(start * cells + _TINY), math.ceil(end * cells - _TINY)


def halved(size: int) -> int:
    """The cells a UNet's next level has: its strided convolutions round up."""
    return (size + 1) // 2


def levels(height: int, width: int, count: int = 4) -> list[tuple[int, int]]:
    """The grids (height, width) of a UNet's levels for a latent of this size, the finest first."""
    found = [(height, width)]
    while len(found) < count:
        found.append((halved(found[-1][0]), halved(found[-1][1])))
    return found


def grid_of(tokens: int, height: int, width: int, count: int = 4) -> tuple[int, int]:
    """The grid that has so many cells for a latent of this size.

    Raises:
        UserError: none of the levels has; something changed the resolution inside the UNet.
    """
    for rows, columns in levels(height, width, count):
        if rows * columns == tokens:
            return rows, columns
    raise UserError(
        f"The regions cannot be applied: the UNet works on {tokens:,} positions, which is no level of a latent of "
        f"{width} × {height}. Turn off what merges or scales them (token merging of cross attention, Kohya HRFix)."
    )


def png(of: Shares, region: int, width: int, height: int) -> bytes:
    """A region's mask (0 is the base) as a grey PNG of the picture's size: white is all, black nothing.

    Edges are at the nearest pixel.
    """
    from PIL import Image

    image = Image.new("L", (width, height))
    for j, row in enumerate(of.tables[region]):
        for i, share in enumerate(row):
            left, right = round(of.xs[i] * width), round(of.xs[i + 1] * width)
            top, bottom = round(of.ys[j] * height), round(of.ys[j + 1] * height)
            if left < right and top < bottom:
                image.paste(round(share * 255), (left, top, right, bottom))
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return data.getvalue()
