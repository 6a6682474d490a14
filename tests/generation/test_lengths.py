"""How many tokens a prompt has, beside what the hosts' counters were seen to show."""

from __future__ import annotations

import time

import pytest
from hypothesis import given

from lib_extend.generation.lengths import CHUNK, count
from lib_extend.vocabulary import clip_tokens as tokens
from tests.generation.casts import TAGS, WORDS


@pytest.mark.parametrize(
    ("prompt", "same"),
    [
        ("(a cat:1.2)", "a cat"),
        ("((a)) [cat]", "a cat"),
        (r"artoria \(fate\)", "artoria (fate)"),
        ("<lora:some name:0.8>, a cat, <hypernet:x:1>", "a cat"),
        ("[a cat:a very big dog:0.5]", "a very big dog"),
        ("a [b:3]", "a b"),
        ("[fe|]male", "female"),
        ("[a:(big dog:1.1):0.5]", "big dog"),
        ("a[b:[c:d:2]:1]e", "abe"),
        (":) (a", ":) a"),
        ("a AND b c d :0.5", "b c d"),
        ("", ""),
    ],
)
def test_what_is_counted(prompt: str, same: str) -> None:
    assert count(prompt) == tokens.count(same)


def test_break_fills_up() -> None:
    assert count("a BREAK b") == CHUNK + 1
    assert count("a BREAK BREAK b") == 2 * CHUNK + 1
    assert count("BREAK") == CHUNK
    long = " ".join(["cat"] * 80)
    assert count(f"{long} BREAK b") == 2 * CHUNK + 1
    assert count(long) == 80


def test_in_a_negative_prompt_and_is_a_word() -> None:
    assert count("a AND b", negative=True) == 3 and count("a AND b") == 1


@given(TAGS, WORDS)
def test_any_tag_has_a_count(tag: str, word: str) -> None:
    assert 0 <= count(tag) <= 3 * len(tag)
    assert count(f"({word}:1.3)") == count(f"[{word}]") == count(word) == tokens.count(word)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 25_000,
        "[a:" * 12_000 + ":1]" * 12_000,
        "[a|" * 15_000 + "]" * 15_000,
        ":1)" * 9000,
        " " * 50_000,
    ],
)
def test_hostile_texts_take_no_time(text: str) -> None:
    began = time.monotonic()
    assert count(text) >= 0
    assert time.monotonic() - began < 5
