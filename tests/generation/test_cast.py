"""The cast: there and back as JSON, and what is refused, with the field's name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.generation.cast import MAX_TEXTS, VERSION, Cast, Character, Lora, Thing, place
from lib_extend.generation.places import arranged, columns, from_pixels, grid, rows
from lib_extend.generation.value_checks import FieldError
from lib_extend.records import Box
from tests.generation.casts import TWO, casts


@given(casts(), st.booleans())
def test_json_there_and_back(cast: Cast, brief: bool) -> None:
    data = json.loads(json.dumps(cast.to_json(brief=brief)))
    assert Cast.from_json(data) == cast
    assert data["version"] == VERSION


def test_brief_json_leaves_out_what_is_usual() -> None:
    assert Cast((Character(prompt="a"),)).to_json(brief=True) == {
        "version": 1,
        "characters": [{"prompt": "a"}],
    }
    assert set(Cast().to_json()) > {"characters", "base_weight", "separation_lora"}


WRONG: list[tuple[Any, str, str]] = [
    ([], "", "must be an object"),
    ("off", "", "must be an object"),
    (None, "", "must be an object"),
    ({"version": 2}, "version", "update it"),
    ({"version": 10**400}, "version", "update it"),
    ({"version": "1"}, "version", "whole number"),
    ({"version": True}, "version", "whole number"),
    ({"castt": 1}, "castt", "not known"),
    ({"x" * 9999: 1}, "x" * 40, "not known"),
    ({"characters": {}}, "characters", "must be a list"),
    ({"characters": "abc"}, "characters", "must be a list"),
    ({"characters": [{}] * 6}, "characters", "may have 5"),
    ({"characters": [{}, 7]}, "characters[1]", "must be an object"),
    ({"characters": [{}, {"colour": "red"}]}, "characters[1].colour", "not known"),
    ({"characters": [{}, {"box": [0, 0, 1]}]}, "characters[1].box", "four numbers"),
    ({"characters": [{}, {"box": [0, 0, 0.5, "1"]}]}, "characters[1].box", "must be a number"),
    ({"characters": [{"box": [0.5, 0, 0.5, 1]}]}, "characters[0].box", "x0 and x1"),
    ({"characters": [{"box": [0, 0.9, 1, 0.1]}]}, "characters[0].box", "y0 and y1"),
    ({"characters": [{"box": [0, 0, 1, 1.2]}]}, "characters[0].box", "0 to 1"),
    ({"characters": [{"box": [0, 0, 1, float("nan")]}]}, "characters[0].box", "0 to 1"),
    ({"characters": [{"weight": -1}]}, "characters[0].weight", "0 to 2"),
    ({"characters": [{"weight": 10**400}]}, "characters[0].weight", "enormous"),
    ({"characters": [{"weight": True}]}, "characters[0].weight", "must be a number"),
    ({"characters": [{"prompt": 5}]}, "characters[0].prompt", "must be a text"),
    ({"characters": [{"prompt": "x" * 4001}]}, "characters[0].prompt", "4,000"),
    ({"characters": [{"prompt": "a\0b"}]}, "characters[0].prompt", "U+0000"),
    ({"characters": [{"prompt": "\ud800"}]}, "characters[0].prompt", "U+D800"),
    ({"characters": [{"name": "a\nb"}]}, "characters[0].name", "one line"),
    ({"characters": [{"prompt": "x" * 4000}] * 4 + [{"prompt": "y"}]}, "characters", f"{MAX_TEXTS:,}"),
    ({"things": [{"number": 2}]}, "things[0].object", "needs a name"),
    ({"things": [{"object": "cake", "number": 2.5}]}, "things[0].number", "whole"),
    ({"things": [{"object": "cake", "number": 21}]}, "things[0].number", "1 to 20"),
    ({"things": [{"object": "cake, pie"}]}, "things[0].object", "comma"),
    ({"separation_lora": "x"}, "separation_lora", "must be an object"),
    ({"separation_lora": {}}, "separation_lora.name", "file name"),
    ({"separation_lora": {"name": "a:b"}}, "separation_lora.name", "file name"),
    ({"separation_lora": {"name": "x> <lora:y:1"}}, "separation_lora.name", "file name"),
    ({"background_lora": {"name": "a", "weight": 99}}, "background_lora.weight", "-5 to 5"),
    ({"mode": "latent"}, "mode", "regions, prompt"),
    ({"mode": ["regions"]}, "mode", "one of"),
    ({"count_style": "x"}, "count_style", "english"),
    ({"base_weight": 1.5}, "base_weight", "0 to 1"),
    ({"end_step": None}, "end_step", "must be a number"),
    ({"floor": "a\nb"}, "floor", "one line"),
]


@pytest.mark.parametrize(("data", "field", "reason"), WRONG, ids=lambda v: str(v)[:40])
def test_refused_with_the_fields_name(data: Any, field: str, reason: str) -> None:
    with pytest.raises(FieldError) as caught:
        Cast.from_json(data)
    assert caught.value.field == field
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 400 and str(caught.value).endswith(".")


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=6),
            st.dictionaries(
                st.sampled_from(["characters", "things", "version", "box", "prompt", "mode", "name", "x"]),
                inner,
            ),
        ),
    )
)
def test_whatever_json_comes_it_is_a_cast_or_a_sentence(data: Any) -> None:
    try:
        cast = Cast.from_json(data)
    except FieldError as e:
        assert len(str(e)) < 400
    else:
        assert Cast.from_json(cast.to_json()) == cast


def test_made_by_hand_it_is_checked_too() -> None:
    with pytest.raises(FieldError, match=r"characters\[0\] is no Character"):
        Cast(({"prompt": "a"},))  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="background_lora"):
        Cast(background_lora="x")  # type: ignore[arg-type]
    assert Character(prompt=" a\r\nb\u2063 ", weight=1, box=[0, 0, 1, 0.33333]) == Character(  # type: ignore[arg-type]
        prompt="a\nb", weight=1.0, box=(0, 0, 1, 0.333)
    )
    assert Lora("my style", 0.70000001).tag == "<lora:my style:0.7>"
    assert Thing(" cake ").object == "cake"


def test_off_in_boxes() -> None:
    assert TWO.regional
    assert not Cast(TWO.characters, mode="prompt").regional
    assert not Cast(TWO.characters, end_step=0).regional
    assert not Cast().regional


@given(st.integers(1, 9), st.integers(1, 20))
def test_grids_cover_the_picture_without_overlap(down: int, across: int) -> None:
    boxes = grid(down, across)
    assert len(boxes) == down * across
    assert sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes) == pytest.approx(1)
    for a in boxes:
        place(a)
        for b in boxes:
            shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
            assert a == b or shared == 0


def test_columns_and_rows() -> None:
    assert columns(3) == ((0, 0, 0.333, 1), (0.333, 0, 0.667, 1), (0.667, 0, 1, 1))
    assert rows(2) == ((0, 0, 1, 0.5), (0, 0.5, 1, 1))
    assert arranged(2, 512, 1024) == rows(2) and arranged(2, 832, 1216) == columns(2)
    assert TWO.with_boxes(rows(2)).characters[1].box == (0, 0.5, 1, 1)
    with pytest.raises(FieldError, match="box"):
        TWO.with_boxes(rows(3))
    with pytest.raises(FieldError, match="across"):
        columns(0)


@given(*[st.floats(-500, 2500)] * 4, st.integers(1, 2000), st.integers(1, 2000))
def test_boxes_of_persons_are_places(
    x0: float, y0: float, x1: float, y1: float, width: int, height: int
) -> None:
    found = from_pixels(Box(x0, y0, x1, y1), width, height)
    assert place(found) == found


def test_a_persons_box_keeps_its_proportions() -> None:
    assert from_pixels(Box(100, 50, 300, 400), 400, 400) == (0.25, 0.125, 0.75, 1.0)
