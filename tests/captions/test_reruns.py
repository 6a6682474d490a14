"""Runs over the same caption, with edits by hand and changed settings between them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.captions.composing import compose
from lib_extend.captions.person_edits import Written, reconcile, remember
from lib_extend.captions.reading import pieces
from lib_extend.config import TagConfig
from lib_extend.records import Analysis, Answer, Caption, Category, Source, Tag
from lib_extend.vocabulary.tag_names import canonical

LONG = "the_legend_of_zelda:_breath_of_the_wild"
MACHINE = (
    Tag("2girls", score=0.99),
    Tag("box", score=0.8),
    Tag("black_hair", score=0.9),
    Tag("k-on!", Category.COPYRIGHT, 0.9),
    Tag(LONG, Category.COPYRIGHT, 0.7),
    Tag("saber_(fate)", Category.CHARACTER, 0.95),
    Tag("^_^", score=0.6),
    Tag("|_|", score=0.5),
    Tag("hat", score=0.4),
)
ANSWERS = (
    Answer("count", "box", "2", "2", 0.9, "2_boxes"),
    Answer("color", "box", "red", "red", 0.8, "red_box"),
    Answer("door", "", "yes", "yes", 0.9, "door"),
)
PROSE = "A girl,in a  red dress , stands. She smiles, and waves."
CONFIGS = st.builds(
    TagConfig,
    existing=st.sampled_from(["merge", "append", "prepend"]),
    format=st.sampled_from(["plain", "background", "{people}, {new}", "sks, {general}, {people}"]),
    sort=st.sampled_from(["score", "original", "shuffle", "alphabetical"]),
    separator=st.sampled_from([", ", ",", " | ", "; ", "\n"]),
    underscores=st.booleans(),
    escape_brackets=st.booleans(),
    count_style=st.sampled_from(["english", "naive"]),
    prefix_tags=st.sampled_from([(), ("sks style",), ("hat", "Box")]),
    suffix_tags=st.sampled_from([(), ("last",)]),
    replace=st.sampled_from([(), ("box=crate",), (r"/(.*)_hair/=long_\1_hair",), ("hat=box", "box=hat")]),
    exclude=st.sampled_from([(), ("^_^",), ("k-*",)]),
    max_tags=st.sampled_from([None, 10]),
    seed=st.integers(0, 3),
)


def run(
    there: str | None, memory: Written | None, config: TagConfig, tags: tuple[Tag, ...] = MACHINE
) -> tuple[str, Written, Caption]:
    existing = reconcile(memory, there)
    caption = compose(Analysis(1, 1, tags, ANSWERS), config, existing=existing, image_key="k")
    memory = remember(caption.text, config.separator, caption.tags, existing, config.format)
    return caption.text, memory, caption


def keys(text: str, separator: str) -> set[str]:
    return {p.name.lower() for p in pieces(text, separator)}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_settings_and_edits(data: st.DataObject) -> None:
    """What a person adds stays, what a person takes out stays out, nothing is twice, all is stable."""
    text: str | None = data.draw(st.sampled_from([None, "mine own, hat", f"{PROSE}, box", "Black_Hair"]))
    added = keys(text, ", ") if text else set()
    removed: set[str] = set()
    memory: Written | None = None
    for step in range(3):
        config = data.draw(CONFIGS)
        tags = tuple(data.draw(st.lists(st.sampled_from(MACHINE), unique=True)))
        # what the lists name is theirs to change
        listed = {"box", "hat", "black_hair"} if config.replace else set()
        text, memory, caption = run(text, memory, config, tags)
        again, memory, _ = run(text, memory, config, tags)
        assert again == text, f"{text!r} → {again!r}"
        names = [t.name.lower() for t in caption.tags]
        assert len(names) == len(set(names))
        if config.replace:
            added -= listed
        assert added <= set(names)
        back = removed & {*names, *(n.replace("boxs", "_boxes") for n in names)}
        assert not back, f"{back} in {text!r}"
        if PROSE.lower() in added:
            assert PROSE in text
        # a person's edits: one thing out, one thing in
        found = [p.raw for p in pieces(text, config.separator)]
        gone = data.draw(st.sampled_from([None, *found]))
        if gone is not None and canonical(gone) != "sks":
            found.remove(gone)
            name = canonical(gone).lower()
            added.discard(name)
            removed.add(name.replace("boxs", "_boxes"))
        found.insert(data.draw(st.integers(0, len(found))), f"own thing_{step}")
        added.add(f"own_thing_{step}")
        text = config.separator.join(found)


def test_options_are_not_doubled() -> None:
    config = TagConfig(existing="append", prefix_tags=("sks",), suffix_tags=("end",))
    text, memory, _ = run("mine", None, config, MACHINE[:2])
    assert text == "sks, mine, 2girls, 2 boxes, door, box, red box, end"
    assert run(text, memory, config, MACHINE[:2])[0] == text


def test_what_a_person_wrote_stays_when_the_same_option_goes() -> None:
    text, memory, caption = run("mine, sks", None, TagConfig(prefix_tags=("sks",)), ())
    assert text == "sks, mine, door" and caption.tags[0].source is Source.HUMAN
    assert run(text, memory, TagConfig(), ())[0] == "sks, mine, door"


def test_an_option_taken_out_by_hand_stays_out() -> None:
    config = TagConfig(prefix_tags=("sks",))
    text, memory, _ = run(None, None, config, MACHINE[:1])
    assert text == "sks, 2girls, door"
    text, memory, caption = run("2girls, door", memory, config, MACHINE[:1])
    assert text == "2girls, door" and ("sks", "removed by hand") in [
        (d.name, d.reason) for d in caption.dropped
    ]
    overwrite = config.with_(existing="overwrite")
    assert run(text, memory, overwrite, MACHINE[:1])[0] == "sks, 2girls, door"


def test_what_is_replaced_and_taken_out_stays_out() -> None:
    config = TagConfig(replace=("hat=cap",))
    text, memory, _ = run(None, None, config, MACHINE[-1:])
    assert text == "door, cap"
    assert run("door", memory, config, MACHINE[-1:])[0] == "door"


def test_replacements_do_not_grow() -> None:
    config = TagConfig(replace=(r"/(.*_hair)/=long_\1",))
    text, memory, _ = run("black hair", None, config, ())
    for _ in range(3):
        text, memory, _ = run(text, memory, config, ())
    assert text == "black hair, door"
    assert run(None, None, config, MACHINE[2:3])[0] == "long black hair, door"


def test_replaced_words_of_a_person_keep_their_place() -> None:
    text, _, _ = run("box, mine", None, TagConfig(replace=("box=crate",)), MACHINE[:1])
    assert text == "crate, mine, 2girls, door"


@pytest.mark.parametrize("style", ["english", "naive"])
def test_a_count_taken_out_stays_out_in_either_style(style: str) -> None:
    text, memory, _ = run(None, None, TagConfig(count_style=style), MACHINE[1:2])
    there = ", ".join(t for t in text.split(", ") if not t.startswith("2"))
    for other in ("english", "naive"):
        assert "2" not in run(there, memory, TagConfig(count_style=other), MACHINE[1:2])[0]


def test_long_names_are_still_ours() -> None:
    text, memory, _ = run(None, None, TagConfig(), MACHINE[4:5])
    assert text == "the legend of zelda: breath of the wild, door"
    text, memory, _ = run(text + ", mine", memory, TagConfig(underscores=True), MACHINE[4:5])
    assert text == f"{LONG}, door, mine"
    assert run(text, memory, TagConfig(), ())[0] == "door, mine"


@pytest.mark.parametrize("config", [TagConfig(), TagConfig(format="background"), TagConfig(separator=" | ")])
def test_prose_stays_letter_by_letter(config: TagConfig) -> None:
    text, memory, caption = run(PROSE, None, config)
    assert PROSE in text and PROSE in [t.name for t in caption.tags]
    assert PROSE in run(text, memory, config, MACHINE[:3])[0]


def test_exclusions_reach_what_we_wrote_before() -> None:
    config = TagConfig(existing="append")
    text, memory, _ = run("mine", None, config, MACHINE[-1:])
    assert text == "mine, door, hat"
    assert run(text, memory, config.with_(exclude=("hat",)), MACHINE[-1:])[0] == "mine, door"


@pytest.mark.parametrize("sort", ["score", "original", "shuffle", "alphabetical"])
@pytest.mark.parametrize("format", ["plain", "background", "{people}, {general}"])
def test_the_limit_cuts_what_is_least_certain(sort: str, format: str) -> None:
    tags = (Tag("a", score=0.4), Tag("zebra", score=0.99), Tag("1girl", score=0.5), Tag("b", score=0.6))
    caption = compose(Analysis(1, 1, tags), TagConfig(max_tags=3, sort=sort, format=format))
    assert {t.name for t in caption.tags} == {"1girl", "zebra", "b"}
    assert [(d.name, d.reason) for d in caption.dropped] == [("a", "more than 3 tags")]


def test_the_limit_spares_people() -> None:
    there = reconcile(None, "mine, yours")
    config = TagConfig(max_tags=4, prefix_tags=("sks",))
    tags = compose(Analysis(1, 1, MACHINE), config, existing=there).tags
    assert [t.name for t in tags] == ["sks", "mine", "yours", "2girls"]


def test_a_tag_of_ours_that_becomes_a_persons_leaves_it_to_the_person() -> None:
    config = TagConfig(existing="append", prefix_tags=("box",))
    text, memory, _ = run("crate", None, config, ())
    assert text.startswith("box, crate")
    config = TagConfig(existing="append", replace=("box=crate",))
    text, memory, caption = run(text, memory, config, ())
    assert {t.name: t.source for t in caption.tags}["crate"] is Source.HUMAN and "crate" in memory.added


def test_the_words_of_a_template_are_no_tags_to_a_limit() -> None:
    config = TagConfig(existing="append", format="sks, {people}, {general}", max_tags=2)
    tags = (Tag("1girl", score=0.9), Tag("cake", score=0.8))
    first = compose(Analysis(1, 1, tags), config, image_key="k")
    memory = remember(first.text, config.separator, first.tags, None)
    assert first.text == "sks, 1girl, cake"
    again = compose(
        Analysis(1, 1, tags), config, existing=reconcile(memory, first.text + ", mine"), image_key="k"
    )
    assert again.text == "sks, 1girl, mine" and [t.name for t in again.tags] == ["1girl", "mine"]
