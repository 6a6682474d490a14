"""Brackets that a person forgot, told from those of a face."""

from __future__ import annotations

import pytest

from lib_extend.generation import slips
from lib_extend.generation.cast import Cast
from lib_extend.generation.compile import compile_cast


@pytest.mark.parametrize(
    ("prompt", "sign"),
    [
        ("(1girl, black hair", "("),
        ("black hair), hat", ")"),
        ("hat, [red:blue:0.5", "["),
        ("{red|blue hair", "{"),
        ("((hat:1.2)", "("),
    ],
)
def test_a_forgotten_bracket_is_named(prompt: str, sign: str) -> None:
    for field in ("prompt", "negative"):
        (found,) = slips.find(Cast.from_json({"characters": [{"prompt": "hat"}, {field: prompt}]}))
        assert found.field == f"characters[1].{field}" and f"has a {sign} without its" in str(found)
    (found,) = slips.find(Cast.from_json({"scene": prompt}))
    assert found.field == "scene"


@pytest.mark.parametrize(
    "prompt",
    [
        ":(, hat",
        ":), >:(, (:, ;)",
        "(hat:1.2), [red:blue:0.5] bow, {a|b}, __(x)__",
        r"fate \(series\), \(bow",
        "((hat)), (a, (b:1.1))",
        "(o) (o",
    ],
)
def test_faces_and_whole_brackets_are_no_slips(prompt: str) -> None:
    assert slips.find(Cast.from_json({"characters": [{"prompt": prompt}]})) == []


@pytest.mark.parametrize("prompt", ["(1girl, black hair", "((1girl:1.2), black hair", "1girl), black hair"])
def test_a_forgotten_bracket_invents_nobody(prompt: str) -> None:
    one = compile_cast(Cast.from_json({"characters": [{"prompt": prompt}]}))
    assert one.prompt.count("girl") == 1 and "black hair" in one.prompt
    in_main = compile_cast(Cast.from_json({"characters": [{"prompt": "hat"}]}), prompt)
    assert in_main.prompt.count("girl") == 1
