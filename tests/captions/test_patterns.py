"""Names, wildcards and regular expressions in the user's lists."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from lib_extend.captions import patterns
from lib_extend.captions.patterns import Patterns, Replacements
from lib_extend.errors import UserError


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("black hair", ["black_hair", "Black_Hair"], ["black_hairband"]),
        ("black_hair", ["black_hair"], ["long_black_hair"]),
        ("*_background", ["white_background"], ["background", "white_background_2"]),
        ("black *", ["black_hair"], ["blackhair"]),
        ("h?t", ["hat", "hot"], ["hat_", "heat"]),
        (r"saber \(*\)", ["saber_(fate)"], ["saber"]),
        ("[a]*", ["[a]b"], ["ab"]),
        ("/.*(hair|eyes)/", ["red_eyes", "hair"], ["hairband"]),
        ("/black hair/", ["black_hair"], []),
        ("*_*", ["*_*"], ["black_hair"]),
        ("?_?", ["?_?"], ["a_b"]),
        ("!?", ["!?"], ["!!"]),
        ("?", ["?"], ["a"]),
        ("*", ["anything", "^_^"], []),
        ("^ ^", ["^_^"], ["^"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    them = Patterns([pattern], "exclude")
    for _ in range(2):  # the second time from memory
        assert [them.match(n) for n in yes] == [pattern] * len(yes)
        assert [them.match(n) for n in no] == [None] * len(no)


@pytest.mark.parametrize(
    ("rule", "name", "new"),
    [
        ("box=crate", "box", "crate"),
        ("box = wooden crate", "box", "wooden_crate"),
        ("box=", "box", ""),
        ("box=crate", "boxes", "boxes"),
        (r"/(\w+)_hair/=\1_locks", "black_hair", "black_locks"),
        (r"/(.*) hair/=\1 locks", "black_hair", "black_locks"),
        ("saber*=saber \\(fate\\)", "saber_alter", "saber_(fate)"),
        ("c*=a\\1", "cake", "a\\1"),
        ("=_==sleepy", "=_=", "sleepy"),
        ("sleepy==_=", "sleepy", "=_="),
        ("a=b", "A", "b"),
        ("a=b=c", "a", "b=c"),
    ],
)
def test_replacements(rule: str, name: str, new: str) -> None:
    rules = Replacements([rule])
    assert [rules.apply(name), rules.apply(name)] == [new, new]


def test_the_first_rule_that_matches_applies_once() -> None:
    rules = Replacements(["a=b", "b=c", "a=d"])
    assert rules.apply("a") == "b"
    # in a caption that was written before, "a" may be either of two runs
    assert rules.settled("a") == "a" and rules.settled("b") == "c"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("box", "must be written old=new"),
        ("=crate", "must be written old=new"),
        ("/(/=a", "no regular expression"),
        (r"/a/=\2", "new text is wrong"),
        ("box=a, b", "has a comma"),
    ],
)
def test_bad_replacements_say_what_to_mend(rule: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        Replacements([rule])


@pytest.mark.parametrize(
    ("setting", "ask"),
    [
        ("exclude", lambda name: Patterns(["/(a|aa)+$/"], "exclude").match(name)),
        ("keep", lambda name: Patterns(["hat", "/(a|aa)+$/"], "keep").match(name)),
        ("replace", lambda name: Replacements(["/(a|aa)+$/=b"]).apply(name)),
    ],
)
def test_an_expression_that_takes_too_long_is_named(
    setting: str, ask: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "_SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(UserError, match=rf"^{setting} has '/\(a\|aa\)\+\$/', which takes too long"):
        ask("a" * 80 + "!")
    assert time.monotonic() - began < 10
