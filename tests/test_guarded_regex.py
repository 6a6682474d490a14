"""A user's regular expressions: they mean what `re` says, end in time, and let other threads run."""

from __future__ import annotations

import re
import threading
import time
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib_extend import guarded_regex
from lib_extend.errors import UserError
from lib_extend.guarded_regex import Budget, GuardedRegex, search, wild_match

ENDLESS = [
    ("(a|a)+b", "b" + "a" * 60),
    ("(a|aa)+$", "a" * 80 + "!"),
    ("((a|b|ab)+)+c", "ab" * 40 + "d c"[:1]),
]

ATOMS = st.sampled_from(
    [
        *"abAk_ 1,^$|()*+?{}",
        *("é", "ſ", ".", "[ab]", "[^a]", "[[:a]", "[]a]", "[a-c_]", r"[\w-]", "[a&&b]"),
        *(r"\w", r"\d", r"\s", r"\b", r"\(", r"\[", r"\1", r"\Z", r"\A"),
        *("(?:", "(?=", "(?!", "(?P<n>", "(?P=n)", "(?i:", "(?<=a)", "(?<!b)", "(?#c{)"),
        *("{e}", "{,", "{1", "{2}", "{,2}", "{1,}", "{,}", "??", "*?", "{}"),
    ]
)


@given(
    st.lists(ATOMS, min_size=1, max_size=7).map("".join),
    st.lists(st.text(list("abcABCkKéEſ_ 1{}e,&-|[:(]\n"), max_size=9), min_size=1, max_size=5),
)
@settings(max_examples=1500, deadline=None)
@example("a{e}", ["ab", "a{e}"])
@example("[[:alpha:]]", ["a]", "[]", ":]"])
@example("a{,}b", ["aab", "b", "a{,}b"])
def test_it_finds_what_re_finds(pattern: str, texts: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            plain = re.compile(pattern, re.IGNORECASE)
        except (re.error, OverflowError):
            with pytest.raises(UserError, match="no regular expression"):
                GuardedRegex(pattern, "it has x")
            return
        regex = GuardedRegex(pattern, "it has x")
    for text in texts:
        budget = Budget(4)
        wanted, found = plain.fullmatch(text), regex.fullmatch(text, budget)
        assert (wanted and wanted.expand("<>")) == (found and found.expand("<>"))
        assert regex.find([text], budget) == [plain.search(text) is not None]
        assert regex.replaced(text, r"<\\>", budget) == plain.sub(r"<\\>", text)


@pytest.mark.parametrize(("pattern", "text"), ENDLESS)
def test_what_never_ends_is_ended_and_others_run_meanwhile(pattern: str, text: str) -> None:
    regex = GuardedRegex(pattern, f"exclude has '/{pattern}/'")
    pauses = [0.0]
    over = threading.Event()

    def others() -> None:
        last = time.monotonic()
        while not over.is_set():
            time.sleep(0.002)
            now = time.monotonic()
            pauses.append(now - last)
            last = now

    other = threading.Thread(target=others)
    other.start()
    began = time.monotonic()
    try:
        for match in (
            regex.fullmatch,
            lambda t, b: regex.find([t], b),
            lambda t, b: regex.replaced(t, "", b),
        ):
            budget = Budget(0.4)
            try:
                match(text, budget)
            except UserError as e:
                assert str(e).startswith(f"exclude has '/{pattern}/', which takes too long")
    finally:
        over.set()
        other.join()
    assert time.monotonic() - began < 15
    assert max(pauses) < 1, "another thread waited for the expression"


def test_one_of_them_really_takes_too_long() -> None:
    pattern, text = ENDLESS[1]
    with pytest.raises(UserError, match="too long"):
        GuardedRegex(pattern, "it has x").fullmatch(text, Budget(0.1))
    with pytest.raises(UserError, match="too long"):
        search(pattern, [text], "it has x", Budget(0.1))


def test_the_time_of_many_texts_adds_up() -> None:
    regex = GuardedRegex("(a|aa)+$", "it has x")
    text = "a" * 19 + "!"  # some thousandths of a second each
    with pytest.raises(UserError, match="too long"):
        regex.find([text] * 100_000, Budget(0.2))
    assert regex.find(["a"] * 1000, Budget(0.2, 0.001)) == [True] * 1000


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(?:a{1000}){1000}", "repeats too much"),
        ("(?:(?:(?:a{1000}){1000}){1000}){1000}", "repeats too much"),
        ("(?:[ab]{900}|c){900}", "repeats too much"),
        ("a{99999999999999999999}", "no regular expression"),
        ("(" * 2000, "no regular expression|too deep"),
        ("(" * 900 + "a" + ")" * 900, "too deep|no regular expression|$"),
        ("a" * 2001, "at most 2000 characters"),
        ("(?x) a b", "flag x"),
        ("(?ix:a b)", "flag x"),
        (r"\p{L}", "no regular expression"),
    ],
)
def test_what_cannot_be_compiled_in_time_is_refused(pattern: str, words: str) -> None:
    began = time.monotonic()
    try:
        GuardedRegex(pattern, "keep has x")
    except UserError as e:
        assert re.search(words, str(e)) and str(e).startswith("keep has x, ")
    else:
        assert words.endswith("$")
    assert time.monotonic() - began < 5


def test_replacing_is_bounded_in_size() -> None:
    made = GuardedRegex(".", "it has x").replaced("a" * 100_000, "b" * 1000, Budget(4))
    assert guarded_regex.LONGEST_RESULT < len(made) < guarded_regex.LONGEST_RESULT + 200_000


@pytest.mark.parametrize("by", [r"\2", r"\g<name>", "\\"])
def test_new_texts_that_are_wrong(by: str) -> None:
    with pytest.raises(UserError, match="it has x, whose new text is wrong"):
        GuardedRegex("(a)", "it has x").check_template(by)
    GuardedRegex("(a)", "it has x").check_template(r"\1 \g<0>")


def test_without_the_package_expressions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_regex, "_module", lambda: None)
    with pytest.raises(UserError, match="need the package regex"):
        GuardedRegex("a", "keep has '/a/'")


def test_searching_texts() -> None:
    texts = ["1girl, Red hair", "2girls, blue hair, naïve", "日本語, hat", "", "a\nb", "RED boxes"]
    for pattern in [
        "red",
        "Red",
        r"\d+girls?",
        "hair$",
        "^$",
        "[^a-z, ]",
        "日本",
        "a.b",
        "(?s)a.b",
        "[A-F]ed",
    ]:
        wanted = [re.search(pattern, t, re.IGNORECASE) is not None for t in texts]
        assert search(pattern, texts, "it has x") == wanted


@given(st.text(list("ab*?"), max_size=6), st.text(list("ab"), max_size=8))
def test_wildcards(pattern: str, name: str) -> None:
    plain = "".join({"*": ".*", "?": "."}.get(c, c) for c in pattern)
    assert wild_match(pattern, name) == (re.fullmatch(plain, name) is not None)


def test_wildcards_cannot_take_long() -> None:
    began = time.monotonic()
    assert not wild_match("*a" * 100 + "*b", "a" * 5000)
    assert time.monotonic() - began < 5
