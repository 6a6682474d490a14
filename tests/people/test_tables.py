"""The tables of the separation: what describes a person, what contradicts what, and places."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from lib_extend.people.contradictions import colored, contradicted
from lib_extend.people.counting import count
from lib_extend.people.geometry import crop_box, iou, left_to_right, position_words
from lib_extend.records import Box, Person, Tag
from lib_extend.sketch import vocabulary as words
from lib_extend.vocabulary.person_aspects import aspect_of, describes_a_person


@pytest.mark.parametrize(
    ("name", "aspect"),
    [
        ("black_hair", "hair"),
        ("very_long_hair", "hair"),
        ("twintails", "hair"),
        ("hair_over_one_eye", "hair"),
        ("blue_eyes", "eyes"),
        ("heterochromia", "eyes"),
        ("smile", "face"),
        ("closed_mouth", "face"),
        ("cat_ears", "body"),
        ("large_breasts", "body"),
        ("pleated_skirt", "clothes"),
        ("white_thighhighs", "clothes"),
        ("sailor_collar", "clothes"),
        ("polka_dot_legwear", "clothes"),
        ("sitting", "pose"),
        ("holding_cup", "pose"),
        ("looking_at_viewer", "pose"),
        ("hand_on_own_hip", "pose"),
        ("arms_behind_back", "pose"),
        ("indoors", ""),
        ("white_background", ""),
        ("holding_hands", ""),
        ("table", ""),
        ("red_cake", ""),
        ("window", ""),
        ("cat", ""),
        ("no_humans", ""),
        ("2girls", ""),
        ("outdoors", ""),
        ("from_above", ""),
        ("unworn_hat", ""),
    ],
)
def test_aspects(name: str, aspect: str) -> None:
    assert aspect_of(name) == aspect


def test_all_that_the_drawn_persons_have_describes_a_person() -> None:
    assert [t for t in words.PERSON_TAGS if not describes_a_person(t)] == []
    assert [t for t in (*words.OBJECTS, *words.PLACE_TAGS) if describes_a_person(t)] == []


def test_colors() -> None:
    assert colored("blue_skirt") == ("blue", "skirt")
    assert colored("light_brown_hair") == ("light_brown", "hair")
    assert colored("red_cake") == ("", "")
    assert colored("blue_sky") == ("", "")
    assert colored("skirt") == ("", "")


def test_contradictions() -> None:
    assert contradicted({"black_hair": 0.9, "white_hair": 0.6, "smile": 0.9}) == {"white_hair": "black_hair"}
    assert contradicted({"black_hair": 0.9, "white_hair": 0.6, "streaked_hair": 0.4}) == {}
    assert contradicted({"blue_eyes": 0.9, "red_eyes": 0.8, "heterochromia": 0.9}) == {}
    assert contradicted({"long_hair": 0.9, "short_hair": 0.8}) == {"short_hair": "long_hair"}
    assert contradicted({"long_hair": 0.9, "very_long_hair": 0.8}) == {}
    assert contradicted({"blue_skirt": 0.6, "red_skirt": 0.7, "red_shirt": 0.5}) == {
        "blue_skirt": "red_skirt"
    }


@given(st.dictionaries(st.sampled_from(words.PERSON_TAGS), st.floats(0, 1), max_size=12))
def test_the_best_of_each_group_survives(scores: dict[str, float]) -> None:
    losers = contradicted(scores)
    assert set(losers) <= set(scores)
    for name, better in losers.items():
        assert scores[better] >= scores[name]
    hair = [n for n in scores if n.endswith("_hair") and n not in ("short_hair", "long_hair")]
    if hair:
        assert len(set(hair) - set(losers)) == 1


def test_counts_of_people() -> None:
    def said(*names: str, **possible: float) -> tuple[list[str], str]:
        found = [{"1girl": 0.9, "1boy": 0.1}, {"1girl": 0.1, "1boy": 0.9}]
        result = count([Tag(n, score=0.9) for n in names], possible, found)
        return [t.name for t in result.tags], "" if result.why_not is None else result.why_not.text

    assert said("1girl", "1boy") == (["1girl", "1boy"], "")
    assert said() == ([], "")
    assert said("multiple_girls") == (["multiple_girls"], "")
    assert said("3girls")[1] == "the tags say 3girls, but 2 persons were found"
    half = {"2girls": 0.3, "1girl": 0.3, "1boy": 0.3}
    assert said("3girls", **half) == (["1girl", "1boy"], "")
    assert said("no_humans")[1] == "the tags say no humans, but 2 persons were found"


def test_order_is_by_the_middle_and_ties_from_the_top() -> None:
    boxes = [Box(50, 0, 100, 10), Box(0, 50, 60, 60), Box(0, 0, 60, 10)]
    persons = [Person("", b) for b in boxes]
    assert [p.box for p in left_to_right(persons)] == [boxes[2], boxes[1], boxes[0]]


def test_overlap() -> None:
    assert iou(Box(0, 0, 10, 10), Box(0, 0, 10, 10)) == 1
    assert iou(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert iou(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0
    assert iou(Box(0, 0, 0, 0), Box(0, 0, 0, 0)) == 0


@given(
    st.floats(-50, 500), st.floats(-50, 500), st.floats(0, 500), st.floats(0, 500),
    st.integers(1, 300), st.integers(1, 300),
)  # fmt: skip
def test_crops_stay_inside(x: float, y: float, w: float, h: float, width: int, height: int) -> None:
    left, top, right, bottom = crop_box(Box(x, y, x + w, y + h), width, height)
    assert 0 <= left <= right and 0 <= top <= bottom
    if x < width and y < height and x + w > 0 and y + h > 0:
        assert right <= width and bottom <= height


def test_positions() -> None:
    for n in range(2, 6):
        assert len(set(position_words(n))) == n
    assert position_words(1) == ("",)
