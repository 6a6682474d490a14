"""Tag names there and back, and reading captions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.captions.names import KAOMOJI, canonical, is_sentence, written
from lib_extend.captions.people import count_people, is_people
from lib_extend.captions.reading import pieces

NAMES = st.one_of(
    st.sampled_from(sorted(KAOMOJI)),
    st.from_regex(r"[a-z0-9:'!+\-]{1,12}(_[a-z0-9()\-]{1,10}){0,3}", fullmatch=True),
    st.sampled_from(["artoria_pendragon_(fate)", "null", "nan", "1girl", 'don\'t_say_"lazy"', ":3", "?"]),
)


@given(NAMES, st.booleans(), st.booleans())
def test_written_names_read_back(name: str, underscores: bool, escape: bool) -> None:
    assert canonical(written(name, underscores, escape)) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("black hair", "black_hair"),
        ("  black   hair ", "black_hair"),
        ("black_hair", "black_hair"),
        (r"saber \(fate\)", "saber_(fate)"),
        ("^_^", "^_^"),
        ("^ ^", "^_^"),
        ("My Trigger", "My_Trigger"),
        ("A girl sits at a wooden table in the sun", "A girl sits at a wooden table in the sun"),
        ("She smiles happily.", "She smiles happily."),
    ],
)
def test_canonical(text: str, name: str) -> None:
    assert canonical(text) == name


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("black_hair", {}, "black hair"),
        ("black_hair", {"underscores": True}, "black_hair"),
        (">_<", {}, ">_<"),
        ("o_o", {"escape_brackets": True}, "o_o"),
        ("saber_(fate)", {"escape_brackets": True}, r"saber \(fate\)"),
        ("(o)_(o)", {}, "(o)_(o)"),
    ],
)
def test_written(name: str, options: dict[str, bool], text: str) -> None:
    assert written(name, **options) == text


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    found = pieces(text)
    assert all(p.raw and p.name for p in found)
    assert len({p.name.lower() for p in found}) == len(found)
    assert all(p.raw in text for p in found)


def test_sentences_stay_letter_by_letter() -> None:
    text = "A girl with black hair sits at a Table_3 with (two) cakes"
    assert is_sentence(text) and pieces(text)[0].raw == text == pieces(text)[0].name


def test_other_separators() -> None:
    assert [p.name for p in pieces("a b | c d", " | ")] == ["a_b", "c_d"]
    assert [p.name for p in pieces("a,b,,c , a", ",")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (["1girl", "solo"], 1),
        (["2girls", "1boy"], 3),
        (["multiple_girls"], 2),
        (["multiple_girls", "3girls"], 3),
        (["6+girls"], 6),
        (["cake"], 0),
        (["no_humans"], 0),
    ],
)
def test_people_counts(names: list[str], count: int) -> None:
    assert count_people(names) == count


def test_people_words() -> None:
    assert all(map(is_people, ["1girl", "6+boys", "multiple_others", "solo", "no_humans"]))
    assert not any(map(is_people, ["girl", "2girls_one_cup", "cake", "solo_focus"]))
