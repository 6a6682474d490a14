"""The rows of a UNet call, in every arrangement that the hosts have been seen to make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.generation.batch_rows import Cursor, Layout, RegionsError


def short(layout: Layout) -> str:
    """`0+ 1+ 0- 1-`: picture and sign of each row."""
    return " ".join(f"{r.image}{'-' if r.negative else '+'}" for r in layout)


@pytest.mark.parametrize(
    ("chunks", "rows", "conds", "unconds", "expected"),
    [
        ([1, 0], 2, [1], [0], "0- 0+"),
        ([1, 0], 4, [2, 3], [0, 1], "0- 1- 0+ 1+"),
        # A AND B
        ([1, 0, 0], 3, [1, 2], [0], "0- 0+ 0+"),
        ([1, 0, 0], 6, [2, 3, 4, 5], [0, 1], "0- 1- 0+ 1+ 0+ 1+"),
        # CFG 1, or the API's hires at its default
        ([0], 1, [0], [], "0+"),
        ([0], 3, [0, 1, 2], [], "0+ 1+ 2+"),
        # split on low memory, or because the lengths are too different
        ([1], 2, [], [0, 1], "0- 1-"),
        ([0, 0], 4, None, None, "0+ 1+ 0+ 1+"),
        ([0, 1], 2, None, None, "0+ 0-"),
    ],
)
def test_forge(
    chunks: list[int], rows: int, conds: list[int] | None, unconds: list[int] | None, expected: str
) -> None:
    layout = Layout.forge(chunks, rows, conds, unconds)
    assert short(layout) == expected
    assert len(layout) == rows


@pytest.mark.parametrize(
    ("chunks", "rows", "conds", "unconds"),
    [
        ([], 2, None, None),
        ([1, 0], 3, None, None),
        ([1, 0], 0, None, None),
        ([2, 0], 2, None, None),
        ([1, 0], 2, [0], [1]),
        ([1, 0], 2, None, [0, 1]),
    ],
)
def test_forge_contradicting_itself_is_refused(
    chunks: list[int], rows: int, conds: list[int] | None, unconds: list[int] | None
) -> None:
    with pytest.raises(RegionsError, match="cannot be applied"):
        Layout.forge(chunks, rows, conds, unconds)


@pytest.mark.parametrize(
    ("conds", "unconds", "expected"),
    [
        ([1], 1, "0+ 0-"),
        ([1, 1], 1, "0+ 1+ 0- 1-"),
        ([2], 1, "0+ 0+ 0-"),
        ([2, 1], 1, "0+ 0+ 1+ 0- 1-"),
        ([1, 1], 2, "0+ 1+ 0- 1- 0- 1-"),
        ([1, 1], 0, "0+ 1+"),
    ],
)
def test_a1111(conds: list[int], unconds: int, expected: str) -> None:
    layout = Layout.a1111(conds, unconds)
    assert short(layout) == expected
    assert layout.images == len(conds)


def test_a1111_from_the_callback() -> None:
    assert short(Layout.a1111_rows(4, 2)) == "0+ 1+ 0- 1-"
    assert short(Layout.a1111_rows(6, 2)) == "0+ 0+ 1+ 1+ 0- 1-"
    assert short(Layout.a1111_rows(5, 2, [2, 1])) == "0+ 0+ 1+ 0- 1-"
    for rows, batch, conds in ((5, 2, None), (1, 1, None), (4, 2, [2, 1]), (4, 0, None), (4, 2, [2, 0])):
        with pytest.raises(RegionsError):
            Layout.a1111_rows(rows, batch, conds)


@pytest.mark.parametrize(
    ("conds", "calls", "expected"),
    [
        # one call for all
        ([1, 1], [4], ["0+ 1+ 0- 1-"]),
        # prompts of unequal length: the conds, then the unconds
        ([1, 1], [2, 2], ["0+ 1+", "0- 1-"]),
        ([2, 1], [3, 2], ["0+ 0+ 1+", "0- 1-"]),
        # `AND` with unequal lengths: twice the batch at a time
        ([2, 2, 1], [5, 3], ["0+ 0+ 1+ 1+ 2+", "0- 1- 2-"]),
        # batch_cond_uncond off: as many rows as pictures at a time, across the border
        ([2, 1], [2, 2, 1], ["0+ 0+", "1+ 0-", "1-"]),
        ([1], [1, 1], ["0+", "0-"]),
        # NGMS or Skip Early CFG: the unconds never come
        ([1, 1], [2], ["0+ 1+"]),
        ([2], [1, 1], ["0+", "0+"]),
    ],
)
def test_a1111_split_into_calls(conds: list[int], calls: list[int], expected: list[str]) -> None:
    cursor = Cursor(Layout.a1111(conds))
    assert [short(cursor.take(n)) for n in calls] == expected


def test_more_rows_than_announced_are_refused() -> None:
    cursor = Cursor(Layout.a1111([1]))
    cursor.take(2)
    with pytest.raises(RegionsError, match="1 rows where 0"):
        cursor.take(1)
    with pytest.raises(RegionsError):
        Cursor(Layout.a1111([1])).take(0)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.data())
def test_any_split_gives_the_same_rows(conds: list[int], data: st.DataObject) -> None:
    whole = Layout.a1111(conds)
    cursor = Cursor(whole)
    seen: list[object] = []
    while len(seen) < len(whole):
        seen += cursor.take(data.draw(st.integers(1, len(whole) - len(seen))))
    assert tuple(seen) == whole.rows
    for i, n in enumerate(conds):
        signs = [r.negative for r in whole if r.image == i]
        assert signs == [False] * n + [True]
