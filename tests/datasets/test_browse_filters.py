"""The filter language: what it means (against a plain evaluator), and what it says when it cannot be read."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.datasets import filters as f
from lib_extend.datasets.filter_parsing import FilterError, parse
from lib_extend.datasets.filters import And, Exact, Not, Or, Words, evaluate, matcher


@dataclass
class Picture:
    tags: dict[str, str] = field(default_factory=dict)
    """Source of each tag by key."""
    tokens: int = 0
    unsure: bool = False
    runs: tuple[int, ...] = ()

    @property
    def caption(self) -> str:
        return ", ".join(t.replace("_", " ") for t in self.tags)


def means(node: f.Node, p: Picture) -> bool:
    """What a filter says of one picture, spelled out."""
    match node:
        case f.All():
            return True
        case f.Not(item):
            return not means(item, p)
        case f.And(items):
            return all(means(i, p) for i in items)
        case f.Or(items):
            return any(means(i, p) for i in items)
        case f.Words(text):
            edge = r"(?<![^\W_])%s" if text[0].isalnum() else "%s"
            edge += r"(?![^\W_])" if text[-1].isalnum() else ""
            return any(re.search(edge % re.escape(text), t) for t in p.tags)
        case f.Wild(pattern):
            return any(fnmatchcase(t, pattern.replace("[", "[[]")) for t in p.tags)
        case f.Exact(name):
            return name in p.tags
        case f.Text(text):
            return text in p.caption.lower()
        case f.Regex(pattern):
            return re.search(pattern, p.caption, re.IGNORECASE) is not None
        case f.From(source):
            return source in p.tags.values()
        case f.Has(thing):
            return bool(p.tags) if thing == "caption" else p.tokens > 0
        case f.Changed(run):
            return (run or 3) in p.runs
        case f.Compare(number, operator, value):
            n = p.tokens if number == "tokens" else len(p.tags)
            return {"<": n < value, ">": n > value, "=": n == value, "<=": n <= value, ">=": n >= value}[
                operator
            ]
        case f.Unsure():
            return p.unsure
    raise AssertionError(node)


class Plain:
    """Rows that judge every picture by itself."""

    def __init__(self, pictures: list[Picture]) -> None:
        self.pictures = pictures
        self.everything = (1 << len(pictures)) - 1

    def select(self, leaf: f.Leaf, among: int) -> int:
        return sum(1 << i for i, p in enumerate(self.pictures) if means(leaf, p))


NAMES = [
    "1girl",
    "black_hair",
    "hair_ribbon",
    "hat",
    "hatsune_miku",
    "saber_(fate)",
    "^_^",
    ":d",
    "chat",
    "-_-",
]
pictures = st.lists(
    st.builds(
        Picture,
        tags=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(f.SOURCES), max_size=4),
        tokens=st.integers(0, 9),
        unsure=st.booleans(),
        runs=st.lists(st.integers(1, 3), max_size=2).map(tuple),
    ),
    max_size=8,
)
leaves = st.sampled_from(
    [
        ("hair", Words("hair")),
        ("hat", Words("hat")),
        ('"black hair"', Words("black_hair")),
        ("saber_(fate)", Words("saber_(fate)")),
        (r"saber_\(fate\)", Words("saber_(fate)")),
        ('"(fate)"', Words("(fate)")),
        ("-_-", Words("-_-")),
        (":d", Words(":d")),
        ("hat*", f.Wild("hat*")),
        ("*_hair", f.Wild("*_hair")),
        ("?girl", f.Wild("?girl")),
        ("tag:HAT", Exact("hat")),
        ('tag:"black hair"', Exact("black_hair")),
        ("missing:1girl", Not(Exact("1girl"))),
        ('text:"ck ha"', f.Text("ck ha")),
        ("text:Hair", f.Text("hair")),
        ("/^1GIRL/", f.Regex("^1GIRL")),
        (r"/(black|red) hair\b/", f.Regex(r"(black|red) hair\b")),
        ("source:human", f.From("human")),
        ("source:Question", f.From("question")),
        ("has:caption", f.Has("caption")),
        ("has:analysis", f.Has("analysis")),
        ("changed:last", f.Changed(None)),
        ("changed:2", f.Changed(2)),
        ("tokens>4", f.Compare("tokens", ">", 4)),
        ("tags <= 2", f.Compare("tags", "<=", 2)),
        ("tags=0", f.Compare("tags", "=", 0)),
        ("unsure", f.Unsure()),
    ]
)


def joined(parts: list[tuple[str, f.Node]], word: str, make: type[And] | type[Or]) -> tuple[str, f.Node]:
    return f" {word} ".join(f"({t})" for t, _ in parts), make(tuple(n for _, n in parts))


trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda x: (f"not ({x[0]})", Not(x[1]))),
        inner.map(lambda x: (f"-({x[0]})", Not(x[1]))),
        st.tuples(st.lists(inner, min_size=2, max_size=3), st.sampled_from(["and", "AND", ""])).map(
            lambda x: joined(x[0], x[1], And)
        ),
        st.lists(inner, min_size=2, max_size=3).map(lambda x: joined(x, "or", Or)),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(trees, pictures)
def test_a_filter_means_what_it_says(tree: tuple[str, f.Node], rows: list[Picture]) -> None:
    text, node = tree
    assert parse(text) == node
    plain = Plain(rows)
    found = evaluate(node, plain, plain.everything)
    assert [bool(found >> i & 1) for i in range(len(rows))] == [means(node, p) for p in rows]
    some = plain.everything & 0b1010
    assert evaluate(node, plain, some) == found & some


def test_precedence() -> None:
    assert parse("a or b -c and not d") == Or(
        (Words("a"), And((Words("b"), Not(Words("c")), Not(Words("d")))))
    )
    assert parse("not not a b") == And((Not(Not(Words("a"))), Words("b")))
    assert parse("  ") == f.All()
    assert parse("(hat)(tokens>75)") == And((Words("hat"), f.Compare("tokens", ">", 75)))
    assert parse("re:zero nier:automata") == And((Words("re:zero"), Words("nier:automata")))
    assert parse(r"/a\/b/") == f.Regex(r"a\/b")
    assert parse("tag:(o)_(o)") == Exact("(o)_(o)")


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("a (b", "This bracket is never closed", 2),
        ("a b) c", "This bracket was never opened", 3),
        (")", "This bracket was never opened", 0),
        ("a or", "Nothing follows or", 2),
        ("a or ) b", "Nothing follows or", 2),
        ("and a", "Nothing stands before and", 0),
        ("a and or b", "Nothing follows and", 2),
        ("a not", "Nothing follows not", 2),
        ("()", "There is nothing in the brackets", 0),
        ('a "b', "The quotation mark is never closed", 2),
        ('""', "There is nothing between the quotation marks", 0),
        ("- a", "Nothing follows the minus", 0),
        ("a -", "Nothing follows the minus", 2),
        ("tag:", "Nothing follows tag:", 0),
        ("a source:me", "There is no source me: the sources are tagger, question, person, human", 2),
        ("has:hair", "has: takes caption or analysis", 0),
        ("changed:yesterday", "changed: takes the word last or the number of a run", 0),
        ("tokens>many", "tokens> needs a whole number", 0),
        ("x tags<", "tags< needs a whole number", 2),
        ("tags<3x", "tags< needs a whole number", 0),
        ("/a", "The slash of a regular expression is never closed", 0),
        ("//", "There is nothing between the slashes", 0),
        ("b /a(/", "is no regular expression", 2),
        (f"/{'a' * 301}/", "at most 300 characters", 0),
        ("(" * 60 + "a" + ")" * 60, "50 deep at the most", 50),
        ("a" * 2001, "2000 are the most", 2000),
    ],
)
def test_errors_name_the_place(text: str, words: str, place: int) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text)
    assert words in str(raised.value) and str(raised.value).endswith(".")
    assert raised.value.place == place
    if len(text) <= 2000:
        assert f"character {place + 1} of the filter" in str(raised.value)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet='ab ()"/-:<>=*tagsnotr_\\', max_size=30))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    try:
        node = parse(text)
    except FilterError as e:
        assert 0 <= e.place <= len(text)
    else:
        evaluate(node, Plain([Picture({"a": "human"})]), 1)


@given(st.text(alphabet="ab*?", max_size=12), st.text(alphabet="abc", max_size=12))
def test_wildcards(pattern: str, name: str) -> None:
    assert matcher(f.Wild(pattern))(name) == fnmatchcase(name, pattern)


def test_no_wildcard_is_slow() -> None:
    began = time.perf_counter()
    assert not matcher(f.Wild("*a" * 40 + "b"))("a" * 2000)
    assert time.perf_counter() - began < 1


def test_the_filters_of_the_docs() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "captions.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```filter\n(.*?)```", page, re.S)
    kinds = set()

    def visit(node: f.Node) -> None:
        kinds.add(type(node))
        for inner in getattr(node, "items", ()) or [getattr(node, "item", None)]:
            if inner is not None:
                visit(inner)

    for line in block.splitlines():
        visit(parse(line))
    every = {
        f.Words,
        f.Wild,
        f.Exact,
        f.Text,
        f.Regex,
        f.From,
        f.Has,
        f.Changed,
        f.Compare,
        f.Unsure,
        f.LeftOut,
    }
    assert kinds == {*every, f.And, f.Or, f.Not}
