"""What a person wrote survives any settings, to the letter, and composing again changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lib_extend.captions.composing import compose
from lib_extend.captions.person_edits import Written, reconcile, remember_file
from lib_extend.captions.text import Kind, parse
from lib_extend.config import TagConfig
from lib_extend.records import Analysis, Answer, Box, Caption, Person, Tag

MACHINE = (
    Tag("1girl", score=0.95),
    Tag("2girls", score=0.5),
    Tag("box", score=0.8),
    Tag("black_hair", score=0.9),
    Tag("smile", score=0.7),
    Tag("saber_(fate)", score=0.6),
    Tag("a_tale_of_two_cities", score=0.5),
    Tag(":(", score=0.5),
    Tag("^_^", score=0.6),
    Tag("hat", score=0.4),
)
ANSWERS = (
    Answer("count", "box", "2", "2", 0.9, "2_boxes"),
    Answer("color", "box", "red", "red", 0.8, "red_box"),
)
PIECES = st.sampled_from(
    [
        *(
            "mychar",
            "my_char_v2",
            "Red Ribbon",
            "red_ribbon",
            "smile",
            "smile",
            "(smile:1.2)",
            "{{hat}}",
            "1.5::bow::",
        ),
        *(
            "(blue skirt, smile:1.3)",
            "{red ribbon, bow|white dress, {a|b, c}}",
            "<lora:x:0.8>",
            "__colors__",
            "_trig_",
        ),
        *(
            "A girl sits on a bench, in the rain, and smiles.",
            "a girl stands in a park, wearing a hat, both smiling",
        ),
        *(
            "She smiles happily.",
            "2girls",
            "saber \\(fate\\)",
            ":)",
            "(",
            "box)",
            "微笑",
            "the legend of zelda: x of the y",
        ),
    ]
)
GAPS = st.sampled_from([", ", ", ", ",", " , ", " ||| ", " BREAK ", ";;;", "，", "、", ",  ,"])
LINES = st.builds(
    lambda first, rest, tail: first + "".join(g + p for g, p in rest) + tail,
    PIECES,
    st.lists(st.tuples(GAPS, PIECES), max_size=6),
    st.sampled_from(["", ",", " ", ", "]),
)
TEXTS = st.one_of(
    LINES,
    st.builds(
        lambda lines, breaks, end: breaks.join(lines) + end,
        st.lists(LINES, min_size=2, max_size=3),
        st.sampled_from(["\n", "\r\n", "\n\n"]),
        st.sampled_from(["", "\n"]),
    ),
)
CONFIGS = st.builds(
    TagConfig,
    existing=st.sampled_from(["merge", "append", "prepend"]),
    format=st.sampled_from(
        ["plain", "background", "{people}, {new}", "{people} | {general}", "sks, {general}", "anima"]
    ),
    sort=st.sampled_from(["score", "original", "shuffle", "alphabetical"]),
    separator=st.sampled_from([", ", ",", " | ", "; "]),
    underscores=st.booleans(),
    max_tags=st.sampled_from([None, 1, 5]),
    exclude=st.sampled_from([(), ("*hair*", "/.*girl.*in.*/", "/.*,.*/", "wearing*")]),
    prefix_tags=st.sampled_from([(), ("my_prefix", "|||")]),
    suffix_tags=st.sampled_from([(), ("score_9",)]),
    lines=st.sampled_from(["first", "every"]),
)


def write(
    text: str | None, memory: Written | None, config: TagConfig, tags: tuple[Tag, ...] = MACHINE
) -> tuple[str, Written, Caption]:
    existing = reconcile(memory, text)
    caption = compose(Analysis(1, 1, tags, ANSWERS), config, existing=existing, image_key="k")
    return caption.text, remember_file(caption, config, existing, memory), caption


def own(text: str) -> list[list[str]]:
    return [
        [p.raw for p in line.pieces if p.kind is not Kind.SEPARATOR]
        for line in parse(text).lines
        if line.pieces
    ]


@settings(max_examples=150)
@given(TEXTS, st.lists(CONFIGS, min_size=1, max_size=3), st.sets(st.integers(0, len(MACHINE) - 1)))
def test_no_piece_of_a_persons_is_lost_or_changed(
    text: str, configs: list[TagConfig], gone: set[int]
) -> None:
    assume(not parse(text).lines[0].one_a_line)
    lines = own(text)
    tags = tuple(t for i, t in enumerate(MACHINE) if i not in gone)
    memory: Written | None = None
    now = text
    for config in configs:
        now, memory, _ = write(now, memory, config)
        now, memory, _ = write(now, memory, config, tags)
        again, memory, _ = write(now, memory, config, tags)
        assert again == now
        written = [line.write() for line in memory.read(now).lines if line.pieces]
        assert len(written) == len(lines)
        for line, pieces in zip(written, lines, strict=True):
            left = line
            for raw in sorted(pieces, key=len, reverse=True):
                assert raw in left, f"{raw!r} of {text!r} is not in {now!r}"
                left = left.replace(raw, "\0", 1)
        if all(c.lines == "first" for c in configs):
            head = parse(text).head
            before, after = text.splitlines(keepends=True), now.splitlines(keepends=True)
            assert after[:head] == before[:head] and after[head + 1 :] == before[head + 1 :]


@pytest.mark.parametrize(
    ("scores", "persons", "human", "stay"),
    [
        ({"1girl": 0.9, "2girls": 0.6, "1boy": 0.4, "2boys": 0.6}, 0, (), {"1girl", "2boys"}),
        ({"2girls": 0.9, "3girls": 0.6}, 3, (), {"3girls"}),
        ({"2girls": 0.9, "3girls": 0.6}, 5, (), {"2girls"}),
        ({"1girl": 0.9, "2girls": 0.5, "1boy": 0.6, "2boys": 0.8}, 2, (), {"1girl", "1boy"}),
        ({"1girl": 0.9, "multiple_girls": 0.5}, 0, (), {"1girl"}),
        ({"3girls": 0.9, "multiple_girls": 0.5}, 0, (), {"3girls", "multiple_girls"}),
        ({"1girl": 0.9, "1boy": 0.8}, 0, (), {"1girl", "1boy"}),
        ({"1girl": 0.9, "1boy": 0.5, "solo": 0.8}, 0, (), {"1girl", "solo"}),
        ({"1girl": 0.9, "1boy": 0.9, "solo": 0.5}, 0, (), {"1girl", "1boy"}),
        ({"1girl": 0.9, "2girls": 0.95}, 0, ("1girl",), set()),
        ({"1girl": 0.4, "no_humans": 0.9}, 0, (), {"no_humans"}),
        ({"1girl": 0.9, "no_humans": 0.4}, 0, (), {"1girl"}),
    ],
)
def test_people_counts_are_settled(
    scores: dict[str, float], persons: int, human: tuple[str, ...], stay: set[str]
) -> None:
    tags = tuple(Tag(n, score=s) for n, s in scores.items())
    found = tuple(Person("", Box(i, 0, i + 1, 1), 0.9) for i in range(persons))
    existing = reconcile(None, ", ".join(human)) if human else None
    caption = compose(Analysis(9, 9, tags, (), found), TagConfig(threshold=0.3), existing=existing)
    assert {t.name for t in caption.tags} - set(human) == stay
    assert {d.name for d in caption.dropped} >= set(scores) - stay - set(human)
    kept = compose(Analysis(9, 9, tags, (), found), TagConfig(threshold=0.3, keep=tuple(scores)))
    assert {t.name for t in kept.tags} == set(scores), "what is to be kept is kept"
