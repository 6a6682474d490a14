"""Changing single tags: what is meant changes, everything else stays letter by letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.captions.editing import Style, fronted, ordered, renamed, with_tags
from lib_extend.captions.reading import pieces
from lib_extend.vocabulary.tag_names import canonical, key

PLAIN = Style()
FIELDS = Style(", ", ("|",))


def without(text: str, *names: str, style: Style = PLAIN) -> str:
    return renamed(text, lambda n: "" if n in names else n, style)


@pytest.mark.parametrize(
    ("text", "names", "result"),
    [
        ("1girl, hat", ["red hair"], "1girl, hat, red hair"),
        ("1girl, hat", ["my_char_v2", "_trig_"], "1girl, hat, my_char_v2, _trig_"),
        ("1girl, hat\n", ["red hair", "HAT"], "1girl, hat, red hair\n"),
        ("1girl,hat,", ["red hair"], "1girl,hat,red hair"),
        ("long_hair, hat", ["red_hair"], "long_hair, hat, red_hair"),
        (r"saber \(fate\), hat", [r"rin \(fate\)"], r"saber \(fate\), hat, rin \(fate\)"),
        ("saber (fate), hat", ["rin (fate)", "saber_(fate)"], "saber (fate), hat, rin (fate)"),
        ("1girl\nhat\n", ["red hair"], "1girl\nhat\nred hair\n"),
        ("", ["red hair", "hat"], "red hair, hat"),
        ("\n", ["hat"], "hat\n"),
        ("A girl, standing in the rain.", ["hat"], "A girl, standing in the rain., hat"),
        ("hat", ["Hat", "hat"], "hat"),
        ("(hat:1.2), {{bow}}", ["hat", "bow", "cap"], "(hat:1.2), {{bow}}, cap"),
        ("(hat, bow:1.2)", ["hat"], "(hat, bow:1.2)"),
        ("1girl ||| hat ||| best quality", ["cap"], "1girl ||| hat, cap ||| best quality"),
        ("1girl, hat\nhat, a girl on a bench\n", ["cap"], "1girl, hat, cap\nhat, a girl on a bench\n"),
        ("1girl\nhat, bow\n", ["hat"], "1girl, hat\nhat, bow\n"),
        ("1girl red_hat blue_bow", ["cap"], "1girl red_hat blue_bow cap"),
        ("微笑，公園", ["hat"], "微笑，公園，hat"),
    ],
)
def test_adding(text: str, names: list[str], result: str) -> None:
    assert with_tags(text, names) == result


def test_adding_in_front_and_by_the_folders_style() -> None:
    assert with_tags("1girl, hat", ["red hair"], first=True) == "red hair, 1girl, hat"
    assert with_tags(" 1girl", ["a_b"], Style(underscores=True), first=True) == " a_b, 1girl"
    assert with_tags("1girl; hat", ["x"], Style("; ")) == "1girl; hat; x"
    two = "1girl, hat\r\n\r\nbow\r\n"
    assert with_tags(two, ["hat"], Style(lines="every")) == "1girl, hat\r\n\r\nbow, hat\r\n"


@pytest.mark.parametrize(
    ("text", "names", "result"),
    [
        ("1girl, hat, red hair", ["hat"], "1girl, red hair"),
        ("1girl,  hat , red hair,\n", ["red_hair"], "1girl,  hat,\n"),
        ("hat, 1girl, hat", ["hat"], "1girl"),
        ("(hat:1.2), {{hat}}, 1.5::hat::, (hat, bow:1.3), {hat|bow}", ["hat"], "(hat, bow:1.3), {hat|bow}"),
        ("1girl ||| hat ||| bow", ["hat"], "1girl ||| ||| bow"),
        ("hat ||| bow", ["hat"], "||| bow"),
        ("bow, hat BREAK hat", ["hat"], "bow BREAK"),
        ("bow;;;hat, cap", ["hat"], "bow, cap"),
        (
            "hat\n\nhat, bow\r\nA girl in a hat, in the rain.\n",
            ["hat"],
            "\n\nbow\r\nA girl in a hat, in the rain.\n",
        ),
        ("1girl red_hat hat smile_x", ["hat"], "1girl red_hat smile_x"),
        ("bow, hat, bow", ["hat"], "bow, bow"),
        ("hat", ["hat"], ""),
        ("hat\n", ["hat"], "\n"),
        ("1girl\nhat\nbow", ["hat"], "1girl\nbow"),
        ("1girl, bow", ["hat"], "1girl, bow"),
        ("Her hat is red, and so is she., hat", ["hat"], "Her hat is red, and so is she."),
    ],
)
def test_removing(text: str, names: list[str], result: str) -> None:
    assert without(text, *names) == result


def test_a_templates_marks_stay() -> None:
    assert without("a | b, c", "b", style=FIELDS) == "a | c"
    assert without("a, b | c", "b", style=FIELDS) == "a | c"
    assert fronted("a | b, c", ["c"], FIELDS) == "c, a | b"
    assert ordered("b, a | d, c", (), FIELDS) == "a, b | c, d"


def test_renaming() -> None:
    names = {"hat": "red_hat", "bow": "1girl", "cap": "red_hat"}
    new_name = lambda n: names.get(n, n)  # noqa: E731
    assert renamed("hat, 1girl,  bow, dog, cap", new_name) == "red_hat, 1girl,  dog"
    assert renamed("hat, long hair", new_name, as_written=False) == "red hat, long hair"
    assert renamed("((hat:1.2)), a\ncap, {hat|cap}", new_name) == "((red_hat:1.2)), a\nred_hat, {hat|cap}"


def test_fronting_and_ordering() -> None:
    assert fronted("a, b,  c, d\n", ["d", "x", "b"]) == "d, b, a, c\n"
    assert fronted("a, b", ["a"]) == "a, b"
    assert fronted("a", ["a"]) == "a"
    assert ordered("c, B,  a, trigger") == "a, B,  c, trigger"
    assert ordered("c, A small cat sleeps here., a, trigger\n", ["trigger"]) == (
        "trigger, A small cat sleeps here., a, c\n"
    )
    assert ordered("c, b, (z, a:1.2), a ||| b, a\nd, c") == "a, b, (z, a:1.2), c ||| a, b\nc, d"
    assert ordered("c;;;a, b, a") == "c;;;a, a, b"
    assert fronted("a, b\nb, a, b\n", ["b"]) == "b, a\nb, a, b\n"


tags = st.sampled_from(
    ["1girl", "red hair", "red_hat", r"saber \(fate\)", "^_^", "Bow", "α blue eyes", "2 boxes"]
)
texts = st.builds(
    lambda lead, items, tail: lead + "".join(g + t for g, t in items).lstrip(", ") + tail,
    st.sampled_from(["", " "]),
    st.lists(st.tuples(st.sampled_from([", ", ",", " ,  "]), tags), max_size=7),
    st.sampled_from(["", "\n", ",", ", \n"]),
)


@given(texts, st.lists(tags, max_size=3))
def test_what_is_not_meant_stays(text: str, chosen: list[str]) -> None:
    names = [canonical(t) for t in chosen]
    keys = [key(n) for n in names]
    before = [p.raw for p in pieces(text)]
    kept = [p.raw for p in pieces(text) if key(p.name) not in keys]
    assert [p.raw for p in pieces(renamed(text, lambda n: "" if key(n) in keys else n))] == kept
    after = pieces(with_tags(text, names))
    assert [p.raw for p in after[: len(before)]] == before
    assert set(keys) <= {key(p.name) for p in after}
    moved = [p.raw for p in pieces(fronted(text, names))]
    assert sorted(moved) == sorted(before) and [r for r in moved if r in kept] == kept
    assert sorted(p.raw for p in pieces(ordered(text, names))) == sorted(before)
    # a second time changes nothing
    for change in (
        lambda t: with_tags(t, names),
        lambda t: fronted(t, names),
        lambda t: ordered(t, names),
        lambda t: renamed(t, lambda n: "" if key(n) in keys else n),
    ):
        assert change(change(text)) == change(text)
