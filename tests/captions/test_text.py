"""Caption texts in pieces: everything is written back to the letter, and a tag is known by its meaning."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.captions.text import Kind, is_blank, parse

CASES = {c["name"]: c for c in json.loads((Path(__file__).parent / "cases.json").read_text("utf-8"))}
BITS = [
    *(
        "1girl",
        "smile",
        "red_ribbon",
        "red ribbon",
        "mychar",
        "A girl",
        "a girl stands in a park",
        "She smiles.",
    ),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "((",
        ":1.2)",
        "|",
        "|||",
        "BREAK",
        " AND ",
        "::",
        "1.5::",
        ";;;",
        "\\(",
        "\\",
    ),
    *(
        ",",
        ", ",
        " , ",
        "，",
        "、",
        "。",
        "\n",
        "\r\n",
        "\r",
        " ",
        "  ",
        "\t",
        "<lora:a:1>",
        "<",
        ":(",
        "(o)_(o)",
    ),
    *(
        "^_^",
        "__colors__",
        "_trig_",
        ".",
        ". The ",
        "the",
        "\ufeff",
        "\u2028",
        "\x0b",
        "2 boxes",
        "wearing a hat",
    ),
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(BITS), max_size=40).map("".join))
SEPARATORS = st.sampled_from([", ", ",", " ", "; ", " | ", "\n", "\r\n", "|||", " AND ", "(", "", "，"])
MARKS = st.sampled_from([(), ("|",), ("(", "|")])


def shown(text: str) -> list[list[tuple[str, str]]]:
    return [[(p.kind.value, p.name) for p in line.pieces] for line in parse(text).lines]


def one(text: str) -> list[tuple[str, str]]:
    (line,) = shown(text)
    return line


@settings(max_examples=1000)
@given(TEXTS, SEPARATORS, MARKS, st.data())
def test_what_is_read_is_written_back(
    text: str, separator: str, marks: tuple[str, ...], data: st.DataObject
) -> None:
    read = parse(text, separator, marks)
    assert read.write() == text
    pieces = [p for line in read.lines for p in line.pieces]
    assert all(p.raw and p.raw == p.raw.strip() and p.name for p in pieces)
    assert all(p.spelled(p.raw[len(p.before) : len(p.raw) - len(p.after)]) == p.raw for p in pieces)
    some = data.draw(st.lists(st.sampled_from(pieces), max_size=3)) if pieces else []
    again = parse(text, separator, marks, known={p.name.lower() for p in some}, whole=[p.raw for p in some])
    assert again.write() == text


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_captions_people_have_are_written_back(name: str) -> None:
    text = CASES[name]["text"]
    assert parse(text).write() == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("(smile:1.2)", "smile"),
        ("(smile)", "smile"),
        ("((red ribbon))", "red_ribbon"),
        ("[park]", "park"),
        ("{{smile}}", "smile"),
        ("1.5::smile::", "smile"),
        ("-1::smile ::", "smile"),
        ("1.5::smile", "smile"),
        ("( smile : 1.2 )", "smile"),
        (r"(saber \(fate\):1.1)", "saber_(fate)"),
        ("saber (fate)", "saber_(fate)"),
        ("(o)_(o)", "(o)_(o)"),
        (":(", ":("),
        (">:)", ">:)"),
        ("((", "(("),
        ("()", "()"),
    ],
)
def test_a_tag_is_known_by_its_meaning(text: str, name: str) -> None:
    assert one(text) == [("tag", name)]
    (piece,) = parse(text).lines[0].pieces
    assert piece.spelled("x").count("x") == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a, (b, c:1.3), d", ["a", "(b, c:1.3)", "d"]),
        ("a, {b, c|d, {e|f, g}}, h", ["a", "{b, c|d, {e|f, g}}", "h"]),
        ("a {red, old|blue} hat, b", ["a {red, old|blue} hat", "b"]),
        ("{red|blue}, b", ["{red|blue}", "b"]),
        ("1.2::rain, night::, b", ["1.2::rain, night::", "b"]),
        ("<lora:my, char:0.8>, b", ["<lora:my, char:0.8>", "b"]),
        ("__colors__, _trig_", ["__colors__", "trig"]),
        ("smile, :(, hat, :)", ["smile", ":(", "hat", ":)"]),
        ("(a, b, c", ["(a", "b", "c"]),
        ("a), b", ["a)", "b"]),
        ("1) hat, 2) bow", ["1)_hat", "2)_bow"]),
        ("a ||| b,|||", ["a", "|||", "b", "|||"]),
        ("a BREAK b AND c", ["a", "BREAK", "b", "AND", "c"]),
        ("brand, BRAND, BREAKING", ["brand", "BRAND", "BREAKING"]),
        ("a;;;b, c", ["a", "b", "c"]),
        ("微笑，公園、hat", ["微笑", "公園", "hat"]),
        ("一个女孩，穿着红色裙子，站在公园里。", ["一个女孩，穿着红色裙子，站在公园里。"]),
        (
            "1girl solo red_ribbon saber_(fate) smile",
            ["1girl", "solo", "red_ribbon", "saber_(fate)", "smile"],
        ),
        ("own thing_1, 1girl with a red_hat", ["own_thing_1", "1girl_with_a_red_hat"]),
        ("the legend of zelda: breath of the wild, hat", ["the_legend_of_zelda:_breath_of_the_wild", "hat"]),
        (
            "looking at viewer, hand on hip, holding umbrella",
            ["looking_at_viewer", "hand_on_hip", "holding_umbrella"],
        ),
        ("a photo of mychar, red hair, smile", ["a photo of mychar", "red_hair", "smile"]),
        (
            "a girl stands in a park, smiling, 1girl, hat",
            ["a girl stands in a park, smiling", "1girl", "hat"],
        ),
        ("two girls are sitting on a bench, laughing", ["two girls are sitting on a bench, laughing"]),
        ("mychar stands in a park, wearing a hat.", ["mychar stands in a park, wearing a hat."]),
    ],
)
def test_pieces(text: str, found: list[str]) -> None:
    assert [name for _, name in one(text)] == found


def test_a_group_tells_which_tags_it_holds() -> None:
    (piece,) = parse("(blue skirt, (smile:1.1), saber (fate):1.3)").lines[0].pieces
    assert piece.kind is Kind.GROUP and piece.names == ("blue_skirt", "smile", "saber_(fate)")
    (piece,) = parse("{smile|hat, bow}").lines[0].pieces
    assert piece.kind is Kind.GROUP and piece.names == (), "of alternatives none is certain"


def test_lines_are_captions() -> None:
    assert shown("1girl, hat\n\na girl on a bench in a park\r\n") == [
        [("tag", "1girl"), ("tag", "hat")],
        [],
        [("prose", "a girl on a bench in a park")],
    ]
    assert shown("one\nShe is here now.") == [[("tag", "one")], [("prose", "She is here now.")]]


@pytest.mark.parametrize(
    "text", ["1girl\nmychar\nred_ribbon\n", "1girl\r\nblack hair\r\nsmile", "my_char\nred_hat\nbow\n"]
)
def test_a_file_with_one_tag_a_line_is_one_caption(text: str) -> None:
    read = parse(text)
    assert len(read.lines) == 1 and read.lines[0].one_a_line and len(read.lines[0].pieces) > 1


@pytest.mark.parametrize(
    "text",
    [
        "mychar standing\nmychar sitting\n",
        "1girl in a park\n1girl in the rain",
        "1girl, hat\nsmile",
        "1girl\n",
    ],
)
def test_lines_that_may_be_captions_stay_lines(text: str) -> None:
    assert not parse(text).lines[0].one_a_line


def test_what_was_one_piece_stays_one() -> None:
    text = "a girl stands in a park, wearing a bow, old hat"
    assert len(one(text)) == 1
    line = parse(text, whole=["a girl stands in a park, wearing a bow"]).lines[0]
    assert [p.raw for p in line.pieces] == ["a girl stands in a park, wearing a bow", "old hat"]
    line = parse("a tale of two cities, hat", known={"a_tale_of_two_cities"}).lines[0]
    assert [(p.kind, p.name) for p in line.pieces] == [(Kind.TAG, "a_tale_of_two_cities"), (Kind.TAG, "hat")]


@pytest.mark.parametrize("text", ["", " ", "\r\n \n", ", , ,\n", "，、"])
def test_no_caption(text: str) -> None:
    assert is_blank(text) and parse(text).head == -1
    assert not is_blank(text + "a")


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "(",
            ")",
            "((a, ",
            "{a|",
            "1.5::",
            "1",
            "a, ",
            "A girl. ",
            "a girl in a park, b, c, ",
            "\\",
            "<a",
            " ",
            "::",
        ),
        *(
            "A b, ",
            "a., ",
            "|||",
            "1girl red_hat ",
            "\n",
            "a\n",
            ":(, ",
            "。",
            ", ",
            "_",
            "She is., ",
            "<lora:a:",
            "[",
        ),
    ],
)
def test_a_long_text_is_read_at_once(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    start = time.process_time()
    assert parse(text).write() == text
    assert time.process_time() - start < 8
