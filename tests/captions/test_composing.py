"""What a caption says: thresholds, lists, order, formats, and what a person's edits survive."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.captions.composing import Thresholds, compose
from lib_extend.captions.person_edits import Written, reconcile, remember
from lib_extend.captions.thresholds import mcut
from lib_extend.config import TagConfig
from lib_extend.errors import UserError
from lib_extend.records import Analysis, Answer, Caption, Category, Source, Tag

TAGS = (
    Tag("2girls", score=0.99),
    Tag("black_hair", score=0.9),
    Tag("box", score=0.8),
    Tag("indoors", score=0.7),
    Tag("^_^", score=0.6),
    Tag("hat", score=0.2),
    Tag("saber_(fate)", Category.CHARACTER, 0.95),
    Tag("rin_(fate)", Category.CHARACTER, 0.6),
    Tag("general", Category.RATING, 0.7),
    Tag("sensitive", Category.RATING, 0.3),
)
ANSWERS = (
    Answer("count", "box", "2", "2", 0.9, "2_boxes"),
    Answer("color", "box", "red", "red", 0.4, "red_box"),
    Answer("furniture", "sofa", "yes", "yes", 0.8, "sofa"),
    Answer("color", "sofa", "blue", "blue", 0.8, "blue_sofa"),
    Answer("door", "", "yes", "yes", 0.9, "door"),
    Answer("color", "door", "brown", "brown", 0.9, "brown_door"),
)
ANALYSIS = Analysis(10, 10, TAGS, ANSWERS)


def text(analysis: Analysis = ANALYSIS, key: str = "a.png", **settings_: object) -> str:
    return compose(analysis, TagConfig(**settings_), image_key=key).text  # type: ignore[arg-type]


def reasons(caption: Caption) -> dict[str, str]:
    return {d.name: d.reason for d in caption.dropped}


def test_plain() -> None:
    assert text() == (
        "2girls, saber (fate), black hair, 2 boxes, door, brown door, box, sofa, blue sofa, indoors, ^_^"
    )


@pytest.mark.parametrize(
    ("options", "has", "lacks"),
    [
        ({"threshold": 0.1}, ["hat"], []),
        ({"threshold": 0.75}, ["box"], ["indoors"]),
        ({"character_threshold": 0.5}, ["rin (fate)"], []),
        ({"answer_threshold": 0.3}, ["red box"], []),
        ({"answer_threshold": 0.85}, ["2 boxes"], ["sofa", "blue sofa"]),
        ({"rating": True}, ["general"], ["sensitive"]),
        ({"exclude": ("*hair", "/box/", "^_^")}, ["2 boxes"], ["black hair", "box", "^_^"]),
        ({"keep": ("h?t",)}, ["hat"], []),
        (
            {"replace": ("box=crate", "/(.*)_hair/=\\1_locks", "indoors=")},
            ["crate", "black locks"],
            ["indoors"],
        ),
        ({"count_style": "naive"}, ["2boxs"], ["2 boxes"]),
        ({"underscores": True}, ["black_hair", "^_^"], ["black hair"]),
        ({"escape_brackets": True}, [r"saber \(fate\)"], []),
        ({"mcut": True, "threshold": 0.1}, ["2girls", "^_^"], ["hat"]),
    ],
)
def test_options(options: dict[str, object], has: list[str], lacks: list[str]) -> None:
    tags = text(**options).split(", ")
    assert set(has) <= set(tags) and not set(lacks) & set(tags)


def test_prefix_suffix_and_limit() -> None:
    assert text(prefix_tags=("sks style",), suffix_tags=("masterpiece",), max_tags=4) == (
        "sks style, 2girls, saber (fate), masterpiece"
    )
    assert text(prefix_tags=("box",)).split(", ").count("box") == 1


def test_a_thing_that_is_left_out_takes_its_answers_along() -> None:
    caption = compose(ANALYSIS, TagConfig(threshold=0.85))
    assert "2 boxes" not in caption.text and "itself is left out" in reasons(caption)["2_boxes"]
    assert "unsure" in reasons(compose(ANALYSIS, TagConfig()))["red_box"]


def test_furniture_that_has_no_color_is_not_there() -> None:
    answers = (
        Answer("furniture", "sofa", "yes", "yes", 0.8, "sofa"),
        Answer("color", "sofa", "none", "none", 0.9, ""),
    )
    assert "sofa" not in text(Analysis(1, 1, TAGS, answers))


def test_sorts() -> None:
    assert text(sort="alphabetical").split(", ")[2:5] == ["2 boxes", "^_^", "black hair"]
    assert text(sort="original").split(", ")[2:4] == ["black hair", "box"]
    assert text(sort="shuffle", seed=1) == text(sort="shuffle", seed=1)
    assert len({text(sort="shuffle", seed=s) for s in range(20)}) > 10
    assert len({text(sort="shuffle", key=f"{i}.png") for i in range(20)}) > 10


def test_background_format() -> None:
    many = tuple(Tag(f"thing_{i}", score=0.9) for i in range(40))
    extra = (
        Tag("someone", Category.ARTIST, 1.0),
        Tag("year_2023", Category.YEAR, 1.0),
        Tag("newest", Category.YEAR, 1.0),
    )
    kept = []
    for seed in range(30):
        caption = compose(
            Analysis(1, 1, (*TAGS, *many, *extra), ANSWERS),
            TagConfig(format="background", seed=seed, character_threshold=0.5),
            thresholds=Thresholds(),
        )
        tags = caption.text.split(", ")
        assert tags[:3] == ["2girls", "saber (fate)", "rin (fate)"]
        assert tags[-3:] == ["someone", "year 2023", "newest"]
        middle = tags[3:-3]
        new = {"2 boxes", "sofa", "blue sofa", "door", "brown door"}
        assert new <= set(middle), "new tags are never thinned out"
        n = 4 + 40
        assert 14 <= len(middle) - len(new) <= (14 + n) // 2
        kept.append(len(middle))
    assert len(set(kept)) > 3, "the number varies"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{people}, {characters}", "2girls, saber (fate)"),
        ("{artist}, {people} | {year} | {characters}", "2girls | saber (fate)"),
        ("sks, {people}, {meta}", "sks, 2girls"),
    ],
)
def test_templates(template: str, expected: str) -> None:
    assert text(format=template) == expected


def test_bad_settings_say_what_to_mend() -> None:
    for options, words in (
        ({"format": "{peple}"}, "the fields are: people"),
        ({"format": "fancy"}, "must be plain, anima, .*, stage5 or a template"),
        ({"threshold": 1.5}, "0 to 1"),
        ({"sort": "size"}, "must be one of"),
        ({"separator": " "}, "add --underscores"),
    ):
        with pytest.raises(UserError, match=words):
            TagConfig(**options)  # type: ignore[arg-type]
    for options, words in (
        ({"replace": ("nothing",)}, "old=new"),
        ({"replace": ("/(a/=b",)}, "no regular expression"),
        ({"replace": (r"/a/=\3",)}, "new text is wrong"),
        ({"exclude": ("/[/",)}, "no regular expression"),
    ):
        with pytest.raises(UserError, match=words):
            text(**options)


def test_mcut() -> None:
    assert mcut([0.9, 0.8, 0.3, 0.2]) == pytest.approx(0.55)
    assert mcut([]) == 1.0
    tags = tuple(Tag(f"c{i}", Category.CHARACTER, s) for i, s in enumerate((0.14, 0.05, 0.04)))
    assert text(Analysis(1, 1, (Tag("1girl", score=0.9), *tags)), mcut=True) == "1girl"
    assert text(Analysis(1, 1, (*tags, Tag("c", Category.CHARACTER, 0.9))), mcut=True) == "c"


# what people's edits survive

WORDS = st.sampled_from(["alpha", "beta", "gamma_ray", "delta", "epsilon", "zeta", "^_^", "2girls", "cake"])
MACHINE = st.lists(st.builds(Tag, WORDS, score=st.floats(0.36, 1)), max_size=8, unique_by=lambda t: t.name)
FORMATS = st.sampled_from(["plain", "background", "{people}, {general}"])
SORTS = st.sampled_from(["score", "original", "shuffle", "alphabetical"])
MODES = st.sampled_from(["merge", "append", "prepend"])


def write(
    memory: Written | None, there: str | None, tags: list[Tag], config: TagConfig
) -> tuple[str, Written]:
    existing = reconcile(memory, there)
    caption = compose(Analysis(1, 1, tuple(tags)), config, existing=existing, image_key="k")
    names = [t.name for t in caption.tags]
    assert len(names) == len(set(names)), "no tag twice"
    return caption.text, remember(caption.text, config.separator, caption.tags, existing)


@settings(max_examples=300)
@given(MACHINE, st.lists(WORDS, unique=True), FORMATS, SORTS, MODES)
def test_composing_again_changes_nothing(
    tags: list[Tag], human: list[str], format: str, sort: str, mode: str
) -> None:
    config = TagConfig(format=format, sort=sort, existing=mode)
    start = ", ".join(human) or None
    once, memory = write(None, start, tags, config)
    if not once:
        return
    again, memory = write(memory, once, tags, config)
    assert again == once
    assert write(memory, again, tags, config)[0] == once


@settings(max_examples=300)
@given(MACHINE, MACHINE, st.data(), FORMATS, SORTS, MODES)
def test_edits_survive_reruns(
    first: list[Tag], second: list[Tag], data: st.DataObject, format: str, sort: str, mode: str
) -> None:
    config = TagConfig(format=format, sort=sort, existing=mode)
    text, memory = write(None, None, first, config)
    if not text:
        return
    tags = text.split(", ")
    gone = set(data.draw(st.lists(st.sampled_from(tags), unique=True, max_size=3)))
    kept = [t for t in tags if t not in gone]
    at = data.draw(st.integers(0, len(kept)))
    edited = ", ".join([*kept[:at], "My_Own tag", *kept[at:]])
    for machine in (second, first, second):
        edited, memory = write(memory, edited, machine, config)
        now = edited.split(", ")
        assert "My_Own tag" in now, "added by hand, letter by letter"
        assert not gone & set(now), "removed by hand"


def test_a_tag_put_back_by_hand_stays() -> None:
    config = TagConfig()
    text, memory = write(None, None, [Tag("cake", score=0.9), Tag("hat", score=0.8)], config)
    text, memory = write(memory, "cake", [Tag("cake", score=0.9), Tag("hat", score=0.8)], config)
    assert text == "cake" and memory.removed == ("hat",)
    text, memory = write(memory, "hat, cake", [Tag("cake", score=0.9)], config)
    assert text == "hat, cake" and memory.removed == () and "hat" in memory.added


def test_trigger_words_keep_their_place_and_form() -> None:
    text, memory = write(None, "sks_Style, 1girl", [Tag("cake", score=0.9)], TagConfig())
    assert text == "sks_Style, 1girl, cake"
    text, _ = write(memory, text + ", last one", [Tag("cake", score=0.9), Tag("hat", score=0.5)], TagConfig())
    assert text == "sks_Style, 1girl, cake, hat, last one"


def test_sources() -> None:
    caption = compose(ANALYSIS, TagConfig(prefix_tags=("p",)), existing=reconcile(None, "mine"))
    sources = {t.name: t.source for t in caption.tags}
    assert sources["p"] is Source.OPTION and sources["mine"] is Source.HUMAN
    assert sources["box"] is Source.TAGGER and sources["2_boxes"] is Source.QUESTION
