"""Tag names there and back, and reading captions."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.captions.reading import pieces
from lib_extend.vocabulary.people_tags import classify, count_people, is_people
from lib_extend.vocabulary.tag_names import KAOMOJI, canonical, is_sentence, written

NAMES = st.one_of(
    st.sampled_from(sorted(KAOMOJI)),
    st.from_regex(r"[a-z0-9:'!+\-]{1,12}(_[a-z0-9()\-]{1,10}){0,3}", fullmatch=True),
    st.sampled_from(["artoria_pendragon_(fate)", "null", "nan", "1girl", 'don\'t_say_"lazy"', ":3", "?"]),
)


@given(NAMES, st.booleans(), st.booleans())
def test_written_names_read_back(name: str, underscores: bool, escape: bool) -> None:
    assert canonical(written(name, underscores, escape)) == name


@given(st.text(), st.booleans(), st.booleans())
def test_any_canonical_name_reads_back(text: str, underscores: bool, escape: bool) -> None:
    name = canonical(text)
    assert canonical(name) == name
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
        # many words alone are no sentence
        ("the legend of zelda: breath of the wild", "the_legend_of_zelda:_breath_of_the_wild"),
        ("yahari ore no seishun wa machigatteiru.", "yahari_ore_no_seishun_wa_machigatteiru."),
        ("| |", "|_|"),
        (":3", ":3"),
        ("\\\\(o\\\\)", "(o)"),
        ("_", "_"),
        ("(tag:1.2)", "(tag:1.2)"),
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
        ("|_|", {}, "|_|"),
        ("_", {}, "_"),
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
    ("text", "found"),
    [
        ("A girl, in a red dress, sits. She smiles.", ["A girl, in a red dress, sits. She smiles."]),
        ("1girl, A cat , on a mat, sleeps., hat", ["1girl", "A cat , on a mat, sleeps.", "hat"]),
        ("A photo of sks, 1girl, hat, She smiles.", ["A photo of sks", "1girl", "hat", "She smiles."]),
        ("A photo of sks, multiple girls, She smiles.", ["A photo of sks", "multiple girls", "She smiles."]),
        ("A photo of sks, hat, cap, bag, box, She smiles.", 6),
        ("Hatsune Miku, in the park, she sings.", 1),
        ("1girl\nblack hair\r\nsmile\n", ["1girl", "black hair", "smile"]),
        ("1girl, hat\nShe smiles.", ["1girl", "hat", "She smiles."]),
        ("one\nShe is here now.", ["one", "She is here now."]),
        ("", []),
        (" , ,\n", []),
    ],
)
def test_pieces(text: str, found: list[str] | int) -> None:
    raws = [p.raw for p in pieces(text)]
    assert raws == found if isinstance(found, list) else len(raws) == found


def test_a_long_caption_is_read_at_once() -> None:
    text = ", ".join(f"A b{i}" for i in range(20_000))
    start = time.process_time()
    assert len(pieces(text)) == 20_000
    assert time.process_time() - start < 5


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
        (["1girl", "multiple_views"], 1),
    ],
)
def test_people_counts(names: list[str], count: int) -> None:
    assert count_people(names) == count


def test_people_words() -> None:
    assert all(map(is_people, ["1girl", "6+boys", "multiple_others", "solo", "no_humans"]))
    assert not any(map(is_people, ["girl", "2girls_one_cup", "cake", "solo_focus"]))


def test_classify() -> None:
    kinds = {n: classify(n) for n in ("2girls", "year_2023", "newest", "explicit", "best_quality", "cake")}
    assert list(kinds.values()) == ["people", "year", "year", "rating", "quality", "general"]
