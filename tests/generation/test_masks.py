"""Masks: they add up to one, they are exact means, and they fit every level of a UNet."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extend.errors import UserError
from lib_extend.generation import masks
from lib_extend.generation.cast import WHOLE, Place
from lib_extend.generation.masks import coverage, crop, grid_of, levels, mask, png, shares
from lib_extend.generation.places import columns
from tests.generation.casts import places

BOXES = st.lists(places(), max_size=5)
WEIGHTS = st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.0]), min_size=5, max_size=5)


@given(BOXES, WEIGHTS, st.sampled_from([0.0, 0.3, 1.0]), st.integers(1, 40), st.integers(1, 40))
def test_they_add_up_to_one_everywhere(
    boxes: list[Place], weights: list[float], base: float, height: int, width: int
) -> None:
    of = shares(boxes, weights[: len(boxes)], base)
    found = [mask(of, r, height, width) for r in range(of.count + 1)]
    for y in range(height):
        for x in range(width):
            cell = [m[y][x] for m in found]
            assert sum(cell) == pytest.approx(1, abs=1e-9)
            assert all(-1e-12 <= v <= 1 + 1e-9 for v in cell)
    for r, box in enumerate(boxes, 1):
        top, bottom, left, right = crop(box, height, width)
        assert 0 <= top < bottom <= height and 0 <= left < right <= width
        for y in range(height):
            for x in range(width):
                if not (top <= y < bottom and left <= x < right):
                    assert found[r][y][x] < 1e-9


def point(boxes: list[Place], weights: list[float], base: float, x: float, y: float) -> list[float]:
    """The shares at one point, by their definition."""
    parts = [
        (1 - base) * w if b[0] <= x < b[2] and b[1] <= y < b[3] else 0.0
        for b, w in zip(boxes, weights, strict=True)
    ]
    if sum(parts) <= 0:
        return [1.0, *(0.0 for _ in parts)]
    return [v / (base + sum(parts)) for v in (base, *parts)]


@given(
    st.lists(
        # edges on the lines of a fine grid, so that its points' mean is exact
        st.tuples(*[st.integers(0, 19)] * 4).map(
            lambda v: (
                min(v[0], v[2]) / 20,
                min(v[1], v[3]) / 20,
                (max(v[0], v[2]) + 1) / 20,
                (max(v[1], v[3]) + 1) / 20,
            )
        ),
        min_size=1,
        max_size=4,
    ),
    WEIGHTS,
    st.sampled_from([0.0, 0.3, 1.0]),
)
@settings(max_examples=40)
def test_a_cell_is_the_mean_of_its_points(boxes: list[Place], weights: list[float], base: float) -> None:
    weights = weights[: len(boxes)]
    of = shares(boxes, weights, base)
    for cells in (4, 5, 2):
        fine = 20 // cells
        for y in range(cells):
            for x in range(cells):
                points = [
                    point(boxes, weights, base, (x * fine + i + 0.5) / 20, (y * fine + j + 0.5) / 20)
                    for i in range(fine)
                    for j in range(fine)
                ]
                for r in range(len(boxes) + 1):
                    mean = sum(p[r] for p in points) / len(points)
                    assert mask(of, r, cells, cells)[y][x] == pytest.approx(mean, abs=1e-9)


def test_by_hand() -> None:
    of = shares(columns(2), [1, 1], 0.3)
    left = mask(of, 1, 1, 4)[0]
    assert left == pytest.approx((0.7, 0.7, 0, 0))
    # the edge goes through the middle of three cells
    assert mask(of, 1, 1, 3)[0] == pytest.approx((0.7, 0.35, 0))
    assert mask(of, 0, 1, 3)[0] == pytest.approx((0.3, 0.3, 0.3))
    # overlaps are shared by weight, and the base keeps its proportion
    both = shares([WHOLE, WHOLE], [2, 1], 0.5)
    assert [mask(both, r, 1, 1)[0][0] for r in range(3)] == pytest.approx([0.25, 0.5, 0.25])
    assert mask(shares([WHOLE], [0], 0.3), 0, 1, 1) == ((1.0,),)
    assert mask(shares([WHOLE], [1], 1.0), 0, 1, 1) == ((1.0,),)
    assert mask(shares([], [], 0.0), 0, 2, 1) == ((1.0,), (1.0,))
    with pytest.raises(ValueError, match="weights"):
        shares([WHOLE], [], 0.3)
    with pytest.raises(ValueError, match="0 or more"):
        shares([WHOLE], [-1], 0.3)


@given(st.integers(8, 256), st.integers(8, 256))
def test_every_level_has_its_grid(height: int, width: int) -> None:
    found = levels(height, width)
    for (h, w), (next_h, next_w) in itertools.pairwise(found):
        # a convolution of stride 2, kernel 3, padding 1
        assert (next_h, next_w) == ((h + 2 - 3) // 2 + 1, (w + 2 - 3) // 2 + 1)
    for h, w in found:
        assert grid_of(h * w, height, width) == (h, w)


def test_a_grid_that_is_none_is_said() -> None:
    assert levels(17, 9) == [(17, 9), (9, 5), (5, 3), (3, 2)]
    with pytest.raises(UserError, match="100 positions.*9 × 17"):
        grid_of(100, 17, 9)


@given(st.lists(st.floats(0, 1), max_size=6), st.integers(1, 300))
def test_coverage_of_a_cell_is_whole(cuts: list[float], cells: int) -> None:
    found = coverage(sorted({0.0, 1.0, *cuts}), cells)
    assert len(found) == cells
    assert all(sum(row) == pytest.approx(1) for row in found)


def test_png() -> None:
    of = shares(columns(2), [1, 1], 0.2)
    image = Image.open(io.BytesIO(png(of, 1, 30, 20)))
    assert image.mode == "L" and image.size == (30, 20)
    assert image.getpixel((14, 19)) == 204 and image.getpixel((15, 0)) == 0
    assert Image.open(io.BytesIO(png(of, 0, 3, 3))).getcolors() == [(9, 51)]


def test_an_edge_between_two_cells_touches_one() -> None:
    assert 0.29 * 100 < 29 and 0.57 * 100 < 57
    assert crop((0.29, 0.0, 0.57, 1.0), 1, 100) == (0, 1, 29, 57)
    assert 0.07 * 100 > 7
    assert crop((0.0, 0.0, 0.07, 0.5), 3, 100) == (0, 2, 0, 7)


def test_a_huge_picture_has_small_tables() -> None:
    of = shares(columns(5), [1] * 5, 0.3)
    assert len(of.xs) == 6 and len(of.ys) == 2
    assert masks.levels(2048 // 8, 2048 // 8)[1] == (128, 128)
