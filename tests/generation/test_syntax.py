"""Where tags of a prompt begin and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.generation import syntax
from lib_extend.generation.syntax import AND, BREAK, Emphasised, Piece
from tests.generation.casts import TAGS


def tags_of(text: str) -> list[str]:
    return [piece.text for piece in syntax.pieces(text) if piece.text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("black hair, blue skirt", ["black hair", "blue skirt"]),
        (" ,, a ,\n b,", ["a", "b"]),
        ("(black hair, blue eyes:1.2), hat", ["(black hair, blue eyes:1.2)", "hat"]),
        ("((a, b), c), d", ["((a, b), c)", "d"]),
        ("[a, b:c:0.5], d", ["[a, b:c:0.5]", "d"]),
        ("{a, b|c}, __wild/card__", ["{a, b|c}", "__wild/card__"]),
        ("{2$$, $$a|b}, c", ["{2$$, $$a|b}", "c"]),
        (r"saber \(fate, a\), b", [r"saber \(fate", r"a\)", "b"]),
        (r"(saber \(fate\), a:1.1), b", [r"(saber \(fate\), a:1.1)", "b"]),
        # a bracket without its fellow is a letter
        ("(a, b", ["(a", "b"]),
        (":), smile, :(, a", [":)", "smile", ":(", "a"]),
        ("a], [b, c", ["a]", "[b", "c"]),
        ("([a, b), c]", ["([a, b), c]"]),
        ("<lora:a, b:0.5>, c", ["<lora:a, b:0.5>", "c"]),
        (">_<, <o>_<o>, <3, a", [">_<", "<o>_<o>", "<3", "a"]),
        ("a\\", ["a\\"]),
        ("BREAKING, ANDROID, broken AND, x", ["BREAKING", "ANDROID", "broken", "x"]),
        ("", []),
    ],
)
def test_tags(text: str, expected: list[str]) -> None:
    assert tags_of(text) == expected


def test_keywords_end_a_tag_and_are_kept() -> None:
    found = syntax.pieces("a, b BREAK c, BREAK, d AND e")
    assert found == [Piece("a"), Piece("b"), Piece("c", BREAK), Piece("d", BREAK), Piece("e", AND)]
    assert syntax.join(found) == "a, b BREAK c BREAK d AND e"
    assert syntax.pieces("a BREAK") == [Piece("a"), Piece("", BREAK)]
    assert syntax.join([Piece("a"), Piece("", BREAK), Piece("b")]) == "a BREAK b"
    assert syntax.join(syntax.pieces("BREAK a")) == "BREAK a"
    assert tags_of("(a BREAK b)") == ["(a BREAK b)"]


@given(st.lists(TAGS, max_size=8))
def test_joined_pieces_lose_nothing(given: list[str]) -> None:
    text = ", ".join(given)
    assert syntax.join(syntax.pieces(text)) == text
    assert syntax.join(syntax.pieces(" ,,\n".join(given))) == text


@given(st.text("ab ,()[]{}<>:|\\_BREAKND$1", max_size=40))
def test_any_text_is_read(text: str) -> None:
    once = syntax.join(syntax.pieces(text))
    assert syntax.join(syntax.pieces(once)) == once
    for tag in tags_of(text):
        assert tag in text


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("(1girl:1.2)", "1girl"),
        ("((1girl))", "1girl"),
        ("[1girl]", "1girl"),
        ("[(1girl:1.3)]", "1girl"),
        ("[1girl:1boy:0.5]", "[1girl:1boy:0.5]"),
        ("[a|b]", "[a|b]"),
        ("(a)(b)", "(a)(b)"),
        (r"saber \(fate\)", r"saber \(fate\)"),
        ("()", "()"),
        ("(:1.2)", "(:1.2)"),
        (":3", ":3"),
    ],
)
def test_emphasis_is_taken_off(tag: str, name: str) -> None:
    assert syntax.bare(tag) == name


def test_emphasis_around_several_tags() -> None:
    assert Piece("(a, b: 1.2)").emphasised == Emphasised("(", (Piece("a"), Piece("b")), ": 1.2)")
    assert Piece("[a, b]").emphasised == Emphasised("[", (Piece("a"), Piece("b")), "]")
    assert Piece("(a [c:d:3], b)").emphasised == Emphasised("(", (Piece("a [c:d:3]"), Piece("b")), ")")
    for none in ("(a:1.2)", "[a, b:c:0.5]", "[a, b|c]", "{a, b}", "(a, b) (c, d)", "a, b"):
        assert Piece(none).emphasised is None


def test_a_single_conditioning_composes_nothing() -> None:
    assert syntax.join(syntax.as_list(syntax.pieces("a, b :0.5 AND c BREAK d: 2"))) == "a, b, c BREAK d"
    assert syntax.join(syntax.as_list(syntax.pieces("a, :3"))) == "a, :3"
    assert syntax.join(syntax.as_list(syntax.pieces("a AND :3"))) == "a"


def test_an_end_that_the_host_would_take_for_a_weight() -> None:
    assert syntax.closed("1girl, :3") == "1girl, :3,"
    assert syntax.closed("1girl, (hat:1.2)") == "1girl, (hat:1.2)"


def test_networks() -> None:
    assert syntax.networks("a, <lora:x y:0.5:0.3>, b <hypernet:z:1>") == (
        "a, b",
        ["<lora:x y:0.5:0.3>", "<hypernet:z:1>"],
    )
    assert syntax.networks("a ,b") == ("a ,b", [])
    assert syntax.network_name("<lora:X y:0.5>") == ("lora", "x y")
    with pytest.raises(ValueError, match="no extra network"):
        syntax.network_name("<o>_<o>")
