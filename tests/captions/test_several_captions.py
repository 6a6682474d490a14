"""Several captions of a picture in one file: each in its style, with a person's edits in each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.captions.composing import compose
from lib_extend.captions.further_lines import Further, config_of, in_lines
from lib_extend.captions.person_edits import Written, reconcile, remember_file
from lib_extend.config import TagConfig
from lib_extend.config.further_captions import further_captions
from lib_extend.errors import UserError
from tests.captions.scenes import scene

CONFIG = TagConfig(people=True, threshold=0.5)
STYLES = ("plain", "greek", "anima", "newbie", "json", "novelai", "stage5", "prose")


def write(text: str | None, memory: Written | None, config: TagConfig) -> tuple[str, Written]:
    existing = reconcile(memory, text, format=config.format)
    further = [Further(f.name, config_of(CONFIG, f)) for f in in_lines(config)]
    caption = compose(scene(2), config, existing=existing, image_key="k", further=further)
    return caption.text, remember_file(caption, config, existing, memory)


@settings(max_examples=60, deadline=None)
@given(st.permutations(STYLES), st.integers(1, 3), st.booleans())
def test_each_line_is_its_styles_caption_and_an_edit_in_one_stays(
    order: list[str], others: int, lines_end: bool
) -> None:
    config = CONFIG.with_(format=order[0], also=order[1 : 1 + others])
    text, memory = write(None, None, config)
    alone = [
        compose(scene(2), config.with_(format=f, also=()), image_key="k").text for f in order[: 1 + others]
    ]
    assert text.split("\n") == alone
    assert write(text, memory, config) == (text, memory)
    if lines_end:
        text += "\n"
    for i in range(1 + others):
        lines = text.split("\n")
        old = next(w for w in ("black hair", "black_hair", "black hair and") if w in lines[i])
        lines[i] = lines[i].replace(old, f"mine {i}", 1)
        text = "\n".join(lines)
        others_now = lines[:i] + lines[i + 1 :]
        text, memory = write(text, memory, config)
        now = text.split("\n")
        assert now[:i] + now[i + 1 :] == others_now and f"mine {i}" in now[i]
        assert write(text, memory, config)[0] == text
    # another style for one line, another line in front: what a person wrote stays with its caption
    again, memory = write(text, memory, config.with_(also=[*config.also, "json-description"]))
    assert again.split("\n")[: 1 + others] == text.split("\n")[: 1 + others]


def test_lines_that_nobody_asks_for_go_unless_a_person_wrote_in_them() -> None:
    config = CONFIG.with_(also=("prose", "anima"))
    text, memory = write(None, None, config)
    first, prose, anima = text.split("\n")
    assert write(text, memory, CONFIG)[0] == first
    mine = "\n".join([first, "A line of my own.", prose, anima.replace("chair", "my chair")])
    kept, memory = write(mine, memory, config)
    assert kept == mine
    less, memory = write(mine, memory, CONFIG)
    assert less == "\n".join([first, "A line of my own.", anima.replace("chair", "my chair")])
    back, memory = write(less, memory, config)
    assert back == less + "\n" + prose


def test_variants_say_more_or_less() -> None:
    short, long, pruned, full = further_captions(("plain:short", "plain:long", "plain:pruned", "plain:full"))
    base = CONFIG.with_(max_tags=15, trigger="mychar")
    assert (config_of(base, short).max_tags, config_of(base, long).max_tags) == (12, None)
    assert config_of(CONFIG, pruned).pruning == "character" and config_of(CONFIG, full).pruning == "none"
    # a trigger alone prunes, and stays where nothing is pruned
    assert base.pruning != "none" and config_of(base, full).pruning == "none"
    assert config_of(base, full).prefix_tags == ("mychar",)
    assert [f.suffix for f in (short, pruned)] == [".plain-short.txt", ".plain-pruned.txt"]


@pytest.mark.parametrize("also", [("fancy",), ("prose:tall",), ("prose", "prose"), ("plain",)])
def test_wrong_further_captions_are_named(also: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as error:
        TagConfig(also=also)
    assert error.value.field == "also"
