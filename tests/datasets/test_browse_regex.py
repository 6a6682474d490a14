"""Regular expressions in a process of their own: right, and ended when they never end."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from lib_extend.datasets import regex_process
from lib_extend.datasets.regex import Regexes
from lib_extend.errors import UserError

TEXTS = ["1girl, Red hair", "2girls, blue hair, naïve", "日本語, hat", "", "a\nb", "RED boxes"]


@pytest.fixture
def regexes() -> Iterator[Regexes]:
    them = Regexes(seconds=0.5)
    yield them
    them.close()


def bits(pattern: str) -> int:
    return sum(1 << i for i, t in enumerate(TEXTS) if re.search(pattern, t, re.IGNORECASE))


@pytest.mark.parametrize(
    "pattern",
    [
        "red",
        "Red",
        r"\d+girls?",
        "hair$",
        "^$",
        r"\Bair",
        "[^a-z, ]",
        "日本",
        "a.b",
        "(?s)a.b",
        "[A-F]ed",
        "ï",
        "x",
    ],
)
def test_finds_what_re_finds(regexes: Regexes, pattern: str) -> None:
    assert regexes.search(pattern, TEXTS, 0b111111) == bits(pattern)
    assert regexes.search(pattern, TEXTS, 0b010010) == bits(pattern) & 0b010010


def test_texts_change_between_searches(regexes: Regexes) -> None:
    texts = list(TEXTS)
    assert regexes.search("red", texts, 0b111111) == 0b100001
    texts[0], texts[2] = "nothing", "a red one"
    texts.append("red too")
    assert regexes.search("red", texts, 0b1111111) == 0b1100100
    assert regexes.search("red", texts[:3], 0b111) == 0b100


def test_an_endless_expression_is_ended(regexes: Regexes) -> None:
    texts = ["a" * 60, "red"]
    began = time.monotonic()
    with pytest.raises(UserError, match=r"/\(a\+\)\+b/ takes too long"):
        regexes.search("(a+)+b", texts, 0b11)
    with pytest.raises(UserError, match="takes too long"):
        regexes.replace("(a|a)+b", "", texts)
    assert time.monotonic() - began < 20
    assert regexes.search("red", texts, 0b11) == 0b10, "the next one runs"


def test_replacing(regexes: Regexes) -> None:
    assert regexes.replace(r"(\w+) hair", r"\1 fur", TEXTS[:2]) == [
        "1girl, Red fur",
        "2girls, blue fur, naïve",
    ]
    assert regexes.replace("red|red hair", "x", ["RED hair", "red"], whole=True) == ["x", "x"]
    assert regexes.replace("red", "x", ["red hair", "Red"], whole=True) == ["red hair", "x"]
    many = [f"tag {i}" for i in range(5000)]
    assert regexes.replace(r"tag (\d+)", r"\1", many) == [str(i) for i in range(5000)]


@pytest.mark.parametrize(
    ("pattern", "by", "words"),
    [
        ("a(", "x", "is no regular expression"),
        ("a", r"\1", "invalid group reference"),
        ("a", r"\g<name>", "unknown group name"),
        ("a", "x" * 1001, "at most 1000 characters"),
    ],
)
def test_wrong_expressions(regexes: Regexes, pattern: str, by: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        regexes.replace(pattern, by, ["b"], whole=True)
    assert regexes.replace("b", "c", ["b"]) == ["c"]


def test_it_ends_when_idle() -> None:
    regexes = Regexes(idle_seconds=0.2)
    regexes.search("a", ["a"], 1)
    process = regexes._process
    assert process is not None and process.poll() is None
    process.wait(5)
    assert regexes.search("a", ["a"], 1) == 1, "and starts again"
    regexes.close()


def test_it_does_not_outlive_its_parent() -> None:
    """A search that never ends ends by itself when nobody is there any more to end it."""
    lines = b'{"texts": [[0, "%s"]]}\n{"search": "(a+)+b", "among": "1", "seconds": 0.5}\n' % (b"a" * 60)
    began = time.monotonic()
    command = [sys.executable, "-I", "-S", regex_process.__file__]
    ended = subprocess.run(command, input=lines, capture_output=True, timeout=30)
    assert ended.returncode and not ended.stdout
    assert time.monotonic() - began < 20
