"""What an expander is asked for a cast, and where what it added stands in the prompts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from lib_extend.generation import syntax, tipo_infotext
from lib_extend.generation.cast import Cast, Character
from lib_extend.generation.compile import compile_cast
from lib_extend.generation.expansion import Added, Expansion
from lib_extend.generation.expansion_requests import as_written, requests_of, with_added
from lib_extend.generation.panel import OFF, Panel
from lib_extend.host import pasting
from lib_extend.prompt_expansion import About
from tests.generation import webui_infotext
from tests.generation.casts import TAGS

TWO = Cast(
    (
        Character("Ann", "1girl, (black hair:1.2), __hat__, <lora:ann:0.7>"),
        Character("Ben", "1boy, white hair BREAK [red:blue:0.5] jacket, {cap|hood}"),
    ),
    common="masterpiece",
    scene="beach",
    expansion=Expansion(length="long"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat", "a cat, x, y"),
        ("a cat,", "a cat, x, y"),
        ("a cat BREAK", "a cat BREAK x, y"),
        ("", "x, y"),
        ("a cat <lora:x:1>", "a cat <lora:x:1>, x, y"),
        ("a cat AND a dog", "a cat, x, y AND a dog"),
        ("a cat :0.5 AND a dog :0.8", "a cat, x, y :0.5 AND a dog :0.8"),
        ("(a AND b:1.2), [c:d:0.5]", "(a AND b:1.2), [c:d:0.5], x, y"),
        ("1girl, :3", "1girl, :3, x, y"),
    ],
)
def test_more_stands_behind_the_users_words(text: str, expected: str) -> None:
    assert syntax.appended(text, ["x", "y"]) == expected


@given(TAGS, TAGS)
def test_the_users_words_stay_to_the_letter(first: str, second: str) -> None:
    text = f"{first}, {second}"
    assert syntax.appended(text, ["smile"]) == f"{text}, smile"
    assert syntax.appended(text, []) == text


def test_each_character_is_asked_for_alone() -> None:
    main, ann, ben, scene = requests_of(TWO, "night, <lora:x:1>", 7, ["prompt", "0", "1", "scene"])
    assert (ann.text, ann.about) == ("1girl, solo, black hair", About.PERSON)
    # what is not settled yet says nothing
    assert (ben.text, ben.about) == ("1boy, solo, white hair", About.PERSON)
    assert ann.others == ben.others == ("masterpiece", "beach", "night")
    assert main.text == "1girl, 1boy, masterpiece, night" and main.others == ("beach",)
    assert scene.text == "1girl, 1boy, masterpiece, beach"
    assert main.about is scene.about is About.SCENE
    assert [one.expansion.length for one in (main, ann, ben)] == ["long", "short", "short"]
    assert main.seed == 7 and len({one.seed for one in (main, ann, ben, scene)}) == 4


def test_faces_are_no_weights_and_weights_no_tags() -> None:
    texts = [requests_of(Cast(), main, 7, ["prompt"])[0].text for main in ("smile, :3", "cat AND a dog :0.5")]
    assert texts == ["smile, :3", "cat, a dog"]


def test_people_that_are_written_are_told_everywhere() -> None:
    cast = replace(TWO, common="", scene="beach")
    asked = requests_of(cast, "2girls, night", 7, ["prompt", "0", "scene"])
    assert [one.text for one in asked] == [
        "2girls, 2girls, night",
        "1girl, solo, black hair",
        "2girls, beach",
    ]


def test_a_single_character_is_the_picture() -> None:
    one = replace(TWO, characters=TWO.characters[:1])
    (main,) = requests_of(one, "night", 7, ["prompt"])
    assert (main.text, main.about) == ("1girl, masterpiece, black hair, night", About.PICTURE)


def test_what_was_added_is_its_characters() -> None:
    made = with_added(
        TWO,
        {
            "0": Added(("smile",), "She waves (slowly)."),
            "1": Added(("open mouth",)),
            "prompt": Added(("moon",)),
            "scene": Added(("palm tree",)),
        },
    )
    compiled = compile_cast(made, "night, <lora:x:1>")
    assert "α smile" in compiled.prompt and "β open mouth" in compiled.prompt
    assert "palm tree, night, <lora:x:1>, moon" in compiled.prompt
    ann, ben = (r.prompt for r in compiled.regions)
    assert "smile" in ann and r"She waves \(slowly\)." in ann and "open mouth" not in ann
    assert "open mouth" in ben and "smile" not in ben and "moon" not in ben
    assert (
        compiled.main == "night, <lora:x:1>"
        and compiled.cast.characters[0].prompt == TWO.characters[0].prompt
    )


def test_locked_tags_stay_when_pictures_draw_their_own() -> None:
    added = Added(("smile", "hat"), "She waves.", ("hat",))
    cast = with_added(replace(TWO, expansion=Expansion("generation")), {"0": added, "scene": added})
    written = as_written(cast)
    assert written.characters[0].added == Added(("hat",), "", ("hat",))
    assert written.scene_added == added  # pictures do not expand the scene
    assert requests_of(cast, "", 1, ["0"])[0].text == "1girl, solo, black hair, hat"


def test_settings_of_another_extension_are_read() -> None:
    params = {
        "seed": -1,
        "timing": "After applying other prompt processings",
        "tag_length": "very long",
        "nl_length": "long",
        "ban_tags": "hat, .*background",
        "format_selected": "Both, tag first (recommend)",
        "temperature": 0.75,
        "top_p": 0.9,
        "top_k": 60,
        "model": "KBlueLeaf/TIPO-500M-ft | TIPO-500M-ft-F16.gguf",
    }
    swapped = str.maketrans("'\"", "\"'")
    entries = webui_infotext.parse(
        webui_infotext.write("1girl, smile", "", {"TIPO Parameters": json.dumps(params).translate(swapped)})
    )
    assert tipo_infotext.expansion_of(entries) == Expansion(
        "generation", expander="tipo-500m-ft", length="very_long", to="both", ban="hat, .*background",
        temperature=0.75, top_p=0.9, top_k=60,
    )  # fmt: skip
    # the panel stays off: the prompt of such a picture has the tags already
    value = pasting.value(entries)
    assert Panel.parse(value) is OFF and json.loads(value)["expansion"]["length"] == "very_long"
    assert tipo_infotext.expansion_of({"TIPO Parameters": "{'ban_tags': 'girl's'"}) == Expansion()
    assert pasting.value({"Prompt": "x"}) == ""
