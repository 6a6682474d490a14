"""What a regular expression needs: never more than it really does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.datasets.regex_literals import needed
from lib_extend.guarded_regex import ignores_case, search


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("hair", [("hair",)]),
        (r"hair, tag 00001\d", [("hair, tag 00001",)]),
        (r"\d+ (boxes|bags)", [("oxes", "ags"), (" b",)]),
        ("^1girl.*hat$", [("1girl",), ("hat",)]),
        (r"red\bhat", [("redhat",)]),
        ("(red )+hat", [("red ",), ("hat",)]),
        ("(red )*hat", [("hat",)]),
        ("colou?r", [("colo",), ("r",)]),
        ("(?:red|)hat", [("hat",)]),
        ("red|blue|", []),
        ("[rb]ed", [("ed",)]),
        ("(?=red)hat(?!x)y", [("haty",)]),
        ("RED hat", [("red hat",)]),
        ("Blue sky", [("blue ",), ("y",)]),  # s and k have other letters that they stand for
        ("(?i:red) hat", [(" hat",)]),
        ("(?x) r e d", [("red",)]),
        (r"(\w)\1", []),
        (".*", []),
    ],
)
def test_what_is_needed(pattern: str, wanted: list[tuple[str, ...]]) -> None:
    assert needed(pattern, ignore_case=ignores_case(pattern)) == wanted


LETTERS = st.sampled_from([*"abAkSſKİı 1,", r"\d", r"\w", ".", "[ab]", "[^a]", r"\b", "^", "$"])
PATTERNS = st.recursive(
    st.lists(LETTERS, min_size=1, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}|{p[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,1}"])).map(lambda p: f"({p[0]}){p[1]}"),
        inner.map(lambda p: f"(?={p})"),
        inner.map(lambda p: f"(?!{p})"),
        inner.map(lambda p: f"(?i:{p})"),
    ),
    max_leaves=6,
)
TEXTS = st.lists(st.text(list("abAKkSsſKİıi 1,"), max_size=9), min_size=1, max_size=20)


@given(PATTERNS, TEXTS)
@settings(max_examples=400, deadline=None)
def test_nothing_is_left_out(pattern: str, texts: list[str]) -> None:
    try:
        re.compile(pattern)
    except re.error:
        return
    lower = [t.lower() for t in texts]  # as both sides have them
    for found, text in zip(search(pattern, lower, "it has x"), lower, strict=True):
        if found:
            for group in needed(pattern, ignore_case=ignores_case(pattern)):
                assert any(one in text for one in group), (pattern, text, group)
