"""The cast through a picture's infotext and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.errors import UserError
from lib_extend.generation import infotext
from lib_extend.generation.cast import Cast, Character, Thing
from lib_extend.generation.compile import Compiled, compile_cast
from lib_extend.generation.infotext import KEY, SUMMARY
from tests.generation import webui_infotext
from tests.generation.casts import TAGS, TWO, casts, expanded

NASTY = st.text(st.sampled_from("αβ\"\\,:{}[]\n '<>=()|x12%/-_あ\u2028🎂"), max_size=30)


def through(compiled: Compiled, prompt: str = "a prompt", negative: str = "bad") -> dict[str, str]:
    """What the host parses from the picture it wrote."""
    return webui_infotext.parse(webui_infotext.write(prompt, negative, infotext.write(compiled)))


@given(expanded(casts(NASTY)), NASTY.map(str.strip), NASTY.map(str.strip))
def test_there_and_back(cast: Cast, main: str, negative: str) -> None:
    compiled = compile_cast(cast, main, negative)
    entries = through(compiled)
    restored = infotext.read(entries)
    assert restored is not None
    assert (restored.cast, restored.main, restored.main_negative) == (cast, main, negative)
    # the host's own entries are not disturbed
    assert entries["Size-1"] == "512" and entries["Seed"] == "1" and entries["Prompt"] == "a prompt"
    assert entries[SUMMARY] == infotext.summary(cast)


@given(expanded(casts(TAGS)), TAGS)
def test_generating_again_compiles_the_same(cast: Cast, main: str) -> None:
    first = compile_cast(cast, main, "bad")
    restored = infotext.read(through(first, first.prompt, first.negative))
    assert restored is not None
    again = compile_cast(restored.cast, restored.main, restored.main_negative)
    assert (again.prompt, again.negative, again.regions) == (first.prompt, first.negative, first.regions)


def test_the_text_is_compact() -> None:
    written = infotext.write(compile_cast(TWO, "smile"))
    assert all(isinstance(v, str) for v in written.values())
    data = json.loads(written[KEY])
    assert data["version"] == 1 and data["main"] == "smile" and "main_negative" not in data
    assert data["characters"][0]["box"] == [0.0, 0.0, 0.5, 1.0]
    assert len(written[KEY]) < 500 and "\n" not in written[KEY] and ": " not in written[KEY]
    # letters as they are: escapes would take six characters each
    assert "β 髪" in infotext.write(compile_cast(Cast((Character(prompt="β 髪"),))))[KEY]
    # a JPEG's comment holds 64 KB in two bytes a character
    full = Cast(tuple(Character(prompt="x" * 2000, negative="y" * 1000) for _ in range(5)))
    compiled = compile_cast(full)
    assert len(webui_infotext.write(compiled.prompt, compiled.negative, infotext.write(compiled))) < 32_000


def test_summary() -> None:
    assert infotext.summary(TWO) == "2 characters (α Ann, β Ben), base 0.3"
    assert infotext.summary(replace(TWO, end_step=0.5)).endswith("base 0.3, until 50% of the steps")
    assert infotext.summary(Cast((Character(),), mode="prompt")) == "1 character (α), prompt only"
    assert infotext.summary(Cast(things=(Thing("cake"),))) == "background"
    for key in (KEY, SUMMARY):
        assert webui_infotext.ENTRY.fullmatch(f"{key}: x")


def test_a_picture_without_us_is_off() -> None:
    entries = webui_infotext.parse(webui_infotext.write("a", "b", {}))
    assert infotext.read(entries) is None
    assert infotext.read(None) is None and infotext.read("") is None and infotext.read({KEY: ""}) is None


def test_a_raw_text_from_the_api() -> None:
    written = infotext.write(compile_cast(TWO))[KEY]
    for raw in (written, json.dumps(written)):
        restored = infotext.read(raw)
        assert restored is not None and restored.cast == TWO


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('{"version":2}', "update it"),
        ('{"characters":[]}', "version is missing"),
        ('{"version":1,"characters":[{"prompt":"a', "cut off"),
        ('{"version":1,"base_weight":NaN}', "cut off"),
        ('{"version":1,"base_weight":9}', "base_weight is 9"),
        ('{"version":1,"main":5}', "main must be a text"),
        ('{"version":1,"surprise":5}', "surprise is not known"),
        ('{"version":1,"characters":[{"box":[0,0,1]}]}', r"characters[0].box needs four"),
        ("[1]", "not an object"),
        ("on", "cut off"),
        ("7", "not an object"),
        ('"' * 3, "cut off"),
        ('{"version":1,"main":"' + "x" * 200_000 + '"}', "200,0"),
        ("[" * 90_000, "cut off"),
        (7, "no text"),
        ({"version": 1}, "no text"),
    ],
)
def test_what_is_no_cast_is_refused_with_a_sentence(value: Any, says: str) -> None:
    with pytest.raises(UserError) as caught:
        infotext.read({KEY: value})
    assert says in str(caught.value)
    assert (
        str(caught.value).startswith("The picture's infotext cannot be used") and len(str(caught.value)) < 500
    )


@given(st.text(max_size=60) | st.text('{}[]":,version1charatsbox0. \\', max_size=60))
def test_any_text_is_a_cast_or_a_sentence(value: str) -> None:
    try:
        infotext.read({KEY: value})
    except UserError as e:
        assert str(e).startswith("The picture's infotext")
