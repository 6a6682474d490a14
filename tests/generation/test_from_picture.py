"""A cast from an analysed picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib_extend.errors import UserError
from lib_extend.generation.compile import compile_cast
from lib_extend.generation.from_picture import cast_of
from lib_extend.records import Box, Caption, Category, Person, Tag

ANN = Person("α", Box(0, 0, 400, 1000), 0.9, (Tag("black_hair"), Tag("artoria_pendragon_(fate)")))
BEN = Person("β", Box(500, 100, 900, 1000), 0.8, (Tag("male_focus"), Tag("white_hair")))
TAGS = (
    Tag("1girl"),
    Tag("1boy"),
    Tag("masterpiece", Category.QUALITY),
    Tag("α_black_hair"),
    Tag("β_white_hair"),
    Tag("indoors"),
    Tag("3_cakes"),
    Tag("^_^"),
)
CAPTION = Caption("", TAGS, persons=(ANN, BEN))


def test_who_is_where() -> None:
    cast = cast_of(CAPTION, 1000, 1000)
    ann, ben = cast.characters
    assert ann.prompt == r"1girl, black hair, artoria pendragon \(fate\)" and ann.box == (0, 0, 0.4, 1)
    assert ben.prompt == "1boy, male focus, white hair" and ben.box == (0.5, 0.1, 0.9, 1)
    assert (cast.common, cast.scene) == ("masterpiece", "indoors, 3 cakes, ^_^")
    assert compile_cast(cast).prompt == (
        r"1girl, 1boy, masterpiece, α black hair, α artoria pendragon \(fate\), β male focus, β white hair, "
        "indoors, 3 cakes, ^_^"
    )


def test_composed_without_letters_it_is_the_same() -> None:
    plain = tuple(replace(t, name=t.name.lstrip("αβ_") if t.name[0] in "αβ" else t.name) for t in TAGS)
    assert cast_of(replace(CAPTION, tags=plain), 1000, 1000) == cast_of(CAPTION, 1000, 1000)


def test_people_tags_that_do_not_fit_say_nothing() -> None:
    cast = cast_of(replace(CAPTION, tags=(Tag("5girls"),)), 1000, 1000)
    assert cast.characters[0].prompt.startswith("black hair")


def test_nobody_to_tell_apart() -> None:
    with pytest.raises(UserError, match=r"told apart: one person was found\. Draw"):
        cast_of(Caption("", TAGS, reason="one person was found"), 10, 10)
    with pytest.raises(UserError, match="no persons were looked for"):
        cast_of(Caption(""), 10, 10)
