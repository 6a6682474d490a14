"""The prompts of DanTagGen and TIPO, letter by letter."""

from __future__ import annotations

import pytest

from lib_extend.expanding.expansion_rules import rules_of
from lib_extend.expanding.prompt_fields import given_of, with_more
from lib_extend.models.expanders import dtg_format, tipo_format
from lib_extend.prompt_expansion import Given, Length, Wanted, heard, spoken
from lib_extend.records import Category


def test_dantaggen_with_every_field_empty() -> None:
    given = Given(people=("1girl", "solo"), general=("dragon_girl",), aspect=1.0)
    assert dtg_format.prompt(given, Length.LONG, quality=True) == (
        "quality: masterpiece\n"
        "rating: <|empty|>\n"
        "artist: <|empty|>\n"
        "characters: <|empty|>\n"
        "copyrights: <|empty|>\n"
        "aspect ratio: 1.0\n"
        "target: <|long|>\n"
        "general: 1girl, solo, dragon girl<|input_end|>"
    )


def test_dantaggen_without_people_keeps_the_comma_of_its_training() -> None:
    text = dtg_format.prompt(Given(general=("a", "b")), Length.SHORT, quality=False)
    assert text.endswith("target: <|short|>\ngeneral: , a, b<|input_end|>")
    assert text.startswith("rating: ")


def test_dantaggen_with_all_fields() -> None:
    given = Given(
        people=("1girl",), general=("hat",), characters=("saber_(fate)",), copyrights=("fate_(series)",),
        artist=("some_one",), quality=("best_quality",), rating=("safe",), aspect=832 / 1216,
    )  # fmt: skip
    assert dtg_format.prompt(given, Length.VERY_SHORT, quality=True) == (
        "quality: best quality\nrating: safe\nartist: some one\ncharacters: saber (fate)\n"
        "copyrights: fate (series)\naspect ratio: 0.7\ntarget: <|very_short|>\ngeneral: 1girl, hat<|input_end|>"
    )


TAGS = Given(general=("1girl", "long_hair"), rating=("safe",), quality=("masterpiece",))


@pytest.mark.parametrize(
    ("given", "wanted", "length", "text", "parts"),
    [
        (TAGS, Wanted.TAGS, Length.LONG,
         "rating: safe\nquality: masterpiece\ntarget: <|long|>\ntag: 1girl, long hair", ("tag",)),
        (TAGS, Wanted.BOTH, Length.LONG,
         "rating: safe\nquality: masterpiece\ntarget: <|long|> <|tag_to_long|>\ntag: 1girl, long hair",
         ("tag", "long")),
        (TAGS, Wanted.PROSE, Length.LONG,
         "rating: safe\nquality: masterpiece\ntarget: <|long|> <|tag_to_long|>\ntag: 1girl, long hair\nlong:",
         ("long",)),
        (Given(people=("1girl",), prose="A girl stands."), Wanted.TAGS, Length.SHORT,
         "target: <|short|> <|short_to_tag|>\nshort: A girl stands.\ntag: 1girl", ("tag",)),
        (Given(prose="A girl stands."), Wanted.PROSE, Length.SHORT,
         "target: <|short_to_long|>\nshort: A girl stands.\nlong:", ("long",)),
        (Given(prose="A girl.\nShe sits. It rains."), Wanted.TAGS, Length.LONG,
         "target: <|long|> <|long_to_tag|>\nlong: A girl. She sits. It rains.\ntag:", ("tag",)),
        (Given(people=("1girl",), prose="A girl stands."), Wanted.BOTH, Length.LONG,
         "target: <|long|> <|short_to_tag_to_long|>\nshort: A girl stands.\ntag: 1girl", ("tag", "long")),
        (Given(people=("1girl",), aspect=1.5), Wanted.TAGS, Length.VERY_LONG,
         "aspect ratio: 1.5\ntarget: <|very_long|>\ntag: 1girl", ("tag",)),
    ],
)  # fmt: skip
def test_tipo(given: Given, wanted: Wanted, length: Length, text: str, parts: tuple[str, ...]) -> None:
    asked = tipo_format.prompt(given, length, wanted)
    assert (asked.text, asked.parts) == (text, parts)


@pytest.mark.parametrize(
    ("task", "prose", "wanted", "text", "parts"),
    [
        ("tag_to_short_to_long", "", Wanted.BOTH,
         "target: <|long|> <|tag_to_short_to_long|>\ntag: 1girl", ("tag", "short", "long")),
        ("tag_to_short_to_long", "", Wanted.PROSE,
         "target: <|long|> <|tag_to_short_to_long|>\ntag: 1girl\nshort:", ("short", "long")),
        ("short_to_long_to_tag", "A girl.", Wanted.BOTH,
         "target: <|long|> <|short_to_long_to_tag|>\nshort: A girl.\nlong:", ("long", "tag")),
        ("long_to_tag", "A girl.", Wanted.TAGS,
         "target: <|long|> <|long_to_tag|>\nlong: A girl.\ntag: 1girl", ("tag",)),
        ("short_to_long", "A girl.", Wanted.BOTH, "target: <|short_to_long|>\nshort: A girl.\nlong:", ("long",)),
    ],
)  # fmt: skip
def test_tasks_of_tipo(task: str, prose: str, wanted: Wanted, text: str, parts: tuple[str, ...]) -> None:
    asked = tipo_format.prompt(Given(people=("1girl",), prose=prose), Length.LONG, wanted, task)
    assert (asked.text, asked.parts) == (text, parts)
    assert asked.leads.get("tag", "tag: 1girl") == "tag: 1girl"


def test_fields_by_the_lists_categories() -> None:
    lists = {"hatsune_miku": Category.CHARACTER, "vocaloid": Category.COPYRIGHT, "wlop": Category.ARTIST}
    given = given_of("1girl, Hatsune Miku, vocaloid, (wlop:0.8), highres, twintails", category=lists.get)
    assert (given.characters, given.copyrights, given.artist) == (("hatsune_miku",), ("vocaloid",), ("wlop",))
    assert given.meta == ("highres",) and given.tags == ("1girl", "twintails")


def test_faces_keep_their_underscores() -> None:
    assert [spoken(n) for n in ("^_^", "o_o", "long_hair")] == ["^_^", "o_o", "long hair"]
    assert heard(" Blue Eyes ") == "blue_eyes"


def test_a_prompt_in_fields() -> None:
    given = given_of(
        "1girl, (red hat:1.2), <lora:cake_v2:0.8>, BREAK, masterpiece, safe, [[cake]], A girl sits on a big chair.",
        aspect=1.5,
    )
    assert given.people == ("1girl",)
    assert given.general == ("red_hat", "cake")
    assert given.quality == ("masterpiece",) and given.rating == ("safe",)
    assert given.prose == "A girl sits on a big chair."


def test_what_must_not_come() -> None:
    rules = rules_of(given_of("1girl, cake"), ["hat", "/.* eyes/", "*_background"])
    assert [n for n in ("hat", "white_hat", "red_eyes", "simple_background", "2girls", "1girl", "best_quality", "tree")
            if rules.banned(n) or rules.contradicts(n, ())] == ["hat", "red_eyes", "simple_background", "2girls", "best_quality"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("1girl,  (cake:1.2) ,", "1girl,  (cake:1.2) , red hat, saber \\(fate\\)"),
        ("1girl <lora:x:1>", "1girl <lora:x:1>, red hat, saber \\(fate\\)"),
        ("a BREAK\n", "a BREAK red hat, saber \\(fate\\)"),
        ("", "red hat, saber \\(fate\\)"),
    ],
)
def test_the_users_words_stay_to_the_letter(text: str, whole: str) -> None:
    assert with_more(text, ["red_hat", "saber_(fate)"], "") == whole
