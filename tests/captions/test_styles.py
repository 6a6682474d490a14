"""Every style writes the truth of scenes, reads it back, and keeps what a person makes of it."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.captions.composing import compose
from lib_extend.captions.editing import Style, ordered, renamed, with_tags
from lib_extend.captions.person_edits import Written, reconcile, remember_file
from lib_extend.captions.scene import Scene, ScenePerson, Word
from lib_extend.captions.style_table import style_of, styles
from lib_extend.config import TagConfig, format_names
from lib_extend.errors import UserError
from lib_extend.records import Caption, Source
from tests.captions import style_page
from tests.captions.scenes import EYES, HAIR, WEARS, scene

OWN = '{"tags": ["{people}", "{general}"], "who": "{persons} {prose}", "version": 3}'
STRUCTURED = ("anima", "newbie", "json", "json-description", "novelai", "stage5", OWN)
LISTS = ("anima", "newbie", "stage5")
"""Those of the structured styles that are no JSON."""
CONFIG = TagConfig(people=True, threshold=0.5)


def write(
    text: str | None, memory: Written | None, config: TagConfig, count: int
) -> tuple[str, Written, Caption]:
    existing = reconcile(memory, text, format=config.format)
    caption = compose(scene(count), config, existing=existing, image_key="k")
    return caption.text, remember_file(caption, config, existing, memory), caption


def is_valid(format: str, text: str) -> bool:
    if format == "newbie":
        ElementTree.fromstring(f"<caption>{text}</caption>")
    elif format not in LISTS:
        assert isinstance(json.loads(text), dict)
    return True


def test_files_are_called_as_their_styles_are() -> None:
    assert tuple(styles()) == format_names()
    for style in styles().values():
        assert style.title and style.help and (style.fallback or not style.needs)


@pytest.mark.parametrize("format", [*STRUCTURED, "prose", "greek", "plain"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_what_is_written_is_read_back_and_written_again(format: str, count: int) -> None:
    config = CONFIG.with_(format=format)
    text, memory, caption = write(None, None, config, count)
    assert memory.read(text).write() == text
    existing = reconcile(memory, text)
    assert existing is not None and not existing.own and not existing.removed
    assert {*existing.ours} == {t.name for t in caption.tags}
    assert write(text, memory, config, count)[0] == text
    assert format not in STRUCTURED or is_valid(format, text)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_truth_is_in_every_style_with_its_person(count: int) -> None:
    truth = [{HAIR[i], EYES[i], WEARS[i]} for i in range(count)]
    told = json.loads(write(None, None, CONFIG.with_(format="novelai"), count)[0])["char_captions"]
    by_style = {"novelai": [{*c["char_caption"].replace(" ", "_").split(",_")} - {"girl"} for c in told]}
    root = ElementTree.fromstring(f"<c>{write(None, None, CONFIG.with_(format='newbie'), count)[0]}</c>")
    found = [e for e in root if e.tag.startswith("character_")]
    by_style["newbie"] = [
        {w for e in p if e.tag in ("appearance", "clothing") for w in (e.text or "").split(", ")}
        for p in found
    ]
    text = write(None, None, CONFIG.with_(format="anima"), count)[0]
    clauses = text.rstrip(".").split(". ")[1:]
    by_style["anima"] = [{*c.replace(" ", "_").split(",_")[1:]} for c in clauses]
    prose = json.loads(write(None, None, CONFIG.with_(format="json"), count)[0])["nl"]
    by_style["json"] = [{*c.replace(" ", "_").split(",_")[1:]} for c in prose.rstrip(".").split(". ") if c]
    if count == 1:
        assert by_style["newbie"] == truth
        by_style = {"plain": [{w for w in truth[0] if w.replace("_", " ") in text}]}
    assert all(found == truth for found in by_style.values()), by_style


def test_captions_compared_whole() -> None:
    def text(format: str, count: int = 2) -> str:
        return write(None, None, CONFIG.with_(format=format), count)[0]

    assert text("anima") == (
        "best quality, score_8, safe, year 2023, newest, 2girls, hatsune miku, vocaloid, @wlop, indoors, chair. "
        "On the left, black hair, red eyes, dress. On the right, white hair, blue eyes, skirt."
    )
    assert text("newbie", 1) == (
        "<character_1><n>hatsune_miku</n><gender>1girl</gender><appearance>black_hair, red_eyes</appearance>"
        "<clothing>dress</clothing></character_1><general_tags><count>1girl</count><series>vocaloid</series>"
        "<artists>wlop</artists><background>indoors</background><quality>year_2023, best_quality</quality>"
        "<other>chair</other></general_tags>"
    )
    assert json.loads(text("json")) == {
        "quality": "best quality, score_8, safe, year 2023, newest",
        "count": "2girls",
        "character": "hatsune miku",
        "series": "vocaloid",
        "artist": "@wlop",
        "appearance": [],
        "tags": ["chair"],
        "environment": ["indoors"],
        "nl": "On the left, black hair, red eyes, dress. On the right, white hair, blue eyes, skirt.",
    }
    assert json.loads(text("json-description")) == {
        "year": "year 2023, newest",
        "preference_level": "best quality, score_8",
        "artist": ["wlop"],
        "copyright": ["vocaloid"],
        "character": ["hatsune miku"],
        "image_description": "On the left, black hair, red eyes, dress. On the right, white hair, blue eyes, skirt.",
        "extra_tags": ["2girls", "safe", "indoors", "chair"],
    }
    assert json.loads(text(OWN)) == {
        "tags": ["2girls", "hatsune miku", "vocaloid", "indoors", "chair"],
        "who": "On the left, black hair, red eyes, dress. On the right, white hair, blue eyes, skirt.",
        "version": 3,
    }
    assert text("prose") == (
        "Two girls: hatsune miku, from vocaloid. The girl on the left has black hair and red eyes. The girl on the "
        "left wears a dress. The girl on the right has white hair and blue eyes. The girl on the right wears a skirt. "
        "The picture shows a chair. The setting is indoors. The picture is by wlop."
    )


def test_persons_in_rows_are_told_by_row() -> None:
    caption = compose(scene(4, rows=True), CONFIG.with_(format="anima"))
    heads = [h.partition(" ")[2] for h in caption.heads]
    assert heads == ["At the top left", "At the top right", "At the bottom left", "At the bottom right"]


WORDS = st.sampled_from(
    [
        "my scarf",
        "Red Ribbon",
        "a & b",
        "x < y",
        "(smile:1.2)",
        "she said hi",
        "ümlaut ✿",
        "saber \\(fate\\)",
        "AT&T;",
    ]
)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_edits_inside_of_any_style_are_kept_by_every_rerun(data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(STRUCTURED))
    count = data.draw(st.integers(1, 4))
    fields = [f"{name}={data.draw(st.sampled_from((0.5, 1)))}" for name in ("copyright", "people", "artist")]
    config = CONFIG.with_(
        format=format,
        keep_tokens_separator=data.draw(st.sampled_from(("", "|||"))),
        outer_separator=data.draw(st.sampled_from((", ", " / "))),
        caption_fields=(*fields, "characters", "tags"),
    )
    text, memory, _ = write(None, None, config, count)
    added: set[str] = set()
    removed: set[str] = set()
    for _step in range(3):
        read = memory.read(text)
        pieces = [
            p for line in read.lines for p in line.pieces if p.kind.value == "tag" and p.raw not in added
        ]
        pieces = [p for p in pieces if not ("center" in p.place or "center" in p.name)]
        piece = data.draw(st.sampled_from(pieces))
        word = data.draw(WORDS.filter(lambda w: w not in added))
        escaped = json.dumps(word, ensure_ascii=False)[1:-1] if format not in LISTS else word
        if format == "newbie":
            escaped = word.replace("&", "&amp;").replace("<", "&lt;")
        lines = []
        for line in read.lines:
            parts = [line.gaps[0]]
            for p, gap in zip(line.pieces, line.gaps[1:], strict=True):
                parts += [escaped if p is piece else p.raw, gap]
            lines.append("".join(parts) + line.ending)
        text = "".join(lines)
        added.add(escaped)
        removed.add(piece.name)
        for _again in range(2):
            text, memory, caption = write(text, memory, config, count)
            for words in added:
                assert words in text, f"{words!r} is not in {text!r}"
            ours = {t.name for t in caption.tags if t.source is not Source.HUMAN}
            assert not ours & removed, f"{ours & removed} came back in {text!r}"
            assert is_valid(format, text)
        assert write(text, memory, config, count)[0] == text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*STRUCTURED, "prose", "plain", "greek"]), min_size=2, max_size=4),
    st.booleans(),
    st.integers(1, 3),
)
def test_a_persons_words_survive_any_change_of_style(formats: list[str], people: bool, count: int) -> None:
    text: str = "my scarf, Red Ribbon"
    memory: Written | None = None
    for format in formats:
        if format == "greek" and not people:
            continue  # that needs persons
        config = CONFIG.with_(format=format, people=people)
        text, memory, _ = write(text, memory, config, count)
        assert "my scarf" in text and "Red Ribbon" in text, text
        assert "gender 1" not in text and "center 0" not in text, text  # what only one style says of a person
        assert write(text, memory, config, count)[0] == text
        assert format not in STRUCTURED or is_valid(format, text)


def test_what_a_person_adds_to_a_clause_goes_with_the_person() -> None:
    config = CONFIG.with_(format="anima")
    text, memory, _ = write(None, None, config, 2)
    edited = text.replace("black hair, red eyes", "black hair, my pin, red eyes")
    text, memory, _ = write(edited, memory, config, 2)
    assert text == edited
    assert (
        "<appearance>my pin, black_hair, red_eyes</appearance>"
        in write(text, memory, CONFIG.with_(format="newbie"), 2)[0]
    )
    mine, kept, _ = write(text, memory, CONFIG.with_(format="prose"), 2)
    assert (
        mine.startswith("my pin. Two girls") and write(mine, kept, CONFIG.with_(format="prose"), 2)[0] == mine
    )
    assert "my pin" in write(mine, kept, CONFIG.with_(format="greek"), 2)[0]
    assert "α my pin" in write(text, memory, CONFIG.with_(format="greek"), 2)[0]


@pytest.mark.parametrize(
    ("format", "old", "new"),
    [
        ("newbie", "</general_tags>", "<mood>calm &amp; warm</mood></general_tags>"),
        ("newbie", "<general_tags>", "<note>mine</note><general_tags>"),
        ("json", '"nl": ', '"trigger": "sks, girl", "nl": '),
        ("novelai", '"char_captions"', '"use_coords": true, "char_captions"'),
        ("anima", ". On the right", ". She looks happy, and waves. On the right"),
    ],
)
def test_what_only_a_person_knows_stays_to_the_letter(format: str, old: str, new: str) -> None:
    config = CONFIG.with_(format=format)
    text, memory, _ = write(None, None, config, 2)
    mine = new.replace(old, "").strip(" ,")
    text, memory, _ = write(text.replace(old, new), memory, config, 2)
    assert mine.strip(". ") in text
    assert write(text, memory, config, 2)[0] == text and is_valid(format, text)


def test_a_broken_document_is_told() -> None:
    config = CONFIG.with_(format="newbie")
    text, memory, _ = write(None, None, config, 2)
    existing = reconcile(memory, text.replace("</general_tags>", ""))
    assert existing is not None and existing.unreadable


def test_prose_that_a_person_changed_is_the_persons() -> None:
    config = CONFIG.with_(format="prose")
    text, memory, _ = write(None, None, config, 2)
    edited = text.replace("a dress", "the dress of her mother")
    assert write(edited, memory, config, 2)[0] == edited


def test_a_layout_over_several_lines_stays() -> None:
    config = CONFIG.with_(format="json")
    text, memory, _ = write(None, None, config, 2)
    pretty = json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    now, memory, _ = write(pretty, memory, config, 2)
    assert json.loads(now) == json.loads(text) and now.count("\n") > 5
    assert write(now, memory, config, 2)[0] == now


def test_a_scene_made_by_hand_is_written_alike() -> None:
    persons = tuple(
        ScenePerson(s, (Word(h),), "girl", p)
        for s, h, p in (("α_", "black_hair", "on_the_left"), ("β_", "red_hair", "on_the_right"))
    )
    made = Scene(
        people=(Word("2girls"),), persons=persons, general=(Word("indoors"),), artist=(Word("wlop"),)
    )
    assert style_of("anima").write(made) == (
        "2girls, @wlop, indoors. On the left, black hair. On the right, red hair."
    )
    assert style_of("greek").write(made) == "2girls, α black hair, β red hair, indoors, wlop"


def test_bases_have_words_of_their_own() -> None:
    def text(base: str, format: str = "plain") -> str:
        return write(None, None, CONFIG.with_(format=format, base=base, rating=True), 1)[0]

    assert (
        text("pony").endswith("score_8_up, score_7_up, score_6_up, score_5_up, score_4_up, rating safe")
        is False
    )
    assert "rating safe" in text("pony") and "score 8 up" in text("pony")
    assert text("noobai").endswith("best quality, general") and "year 2023, newest" in text("noobai")
    assert "best quality, score_8, safe" in text("any", "anima")


@pytest.mark.parametrize("format", [f for f in STRUCTURED if f != "stage5"])
def test_edits_over_a_folder_leave_every_document_whole(format: str) -> None:
    text, memory, _ = write(None, None, CONFIG.with_(format=format), 3)
    style = Style(memory=memory)
    more = with_tags(text, ['my <trigger> & "more"'], style)
    assert is_valid(format, more) and len(memory.pieces(more)) == len(memory.pieces(text)) + 1
    names = [p.name for p in memory.pieces(text)]
    less = renamed(text, lambda n: "" if n in ("β_dress", "β_white_hair", "chair") else n, style)
    assert is_valid(format, less)
    assert [p.name for p in memory.pieces(less)] == [n for n in names if n not in ("β_white_hair", "chair")]
    other = renamed(text, lambda n: n.replace("black_hair", "brown_hair"), style)
    assert is_valid(format, other) and other == text.replace("black hair", "brown hair").replace(
        "black_hair", "brown hair"
    )
    assert renamed(text, lambda n: n, style) == text == ordered(text, (), style)


def test_the_page_of_styles_shows_what_is_written() -> None:
    assert style_page.PAGE.read_text(encoding="utf-8") == style_page.text(), (
        "it is old: python -m tests.captions.style_page"
    )


FIELDS = ("people=0.5", "characters", "copyright=0.3", "artist=0.5", "tags")


def test_caption_fields_have_their_order_separators_and_share() -> None:
    config = CONFIG.with_(
        format="stage5",
        people=False,
        caption_fields=("people", "characters", "copyright", "artist", "tags"),
        keep_tokens_separator="|||",
    )
    text, memory, _ = write(None, None, config, 2)
    assert text == (
        "2people, hatsune miku, from vocaloid, by wlop ||| 2girls, indoors, black hair, red eyes, dress, white hair, "
        "blue eyes, skirt, chair, best quality, year 2023"
    )
    # what a person puts on either side of the separator stays there
    mine = text.replace("by wlop |||", "by wlop, my pin ||| my place,").replace(", dress", ", (dress:1.2)")
    assert write(mine, memory, config, 2)[0] == mine
    # single tags are changed where they stand, and known again
    for old, new in (("black_hair", "brown hair"), ("vocaloid", "project voltage")):
        edited = renamed(text, lambda n, old=old, new=new: new if n == old else n, Style(memory=memory))
        assert edited == text.replace(old.replace("_", " "), new)
        assert write(edited, memory, config, 2)[0] == edited
    gone = renamed(text, lambda n: "" if n == "2people" else n, Style(memory=memory))
    assert gone == text.removeprefix("2people, ") and write(gone, memory, config, 2)[0] == gone
    other = config.with_(outer_separator=" / ", character_separator=" & ", separator="; ")
    assert write(text, memory, other, 2)[0].startswith(
        "2people / hatsune miku / from vocaloid / by wlop ||| 2girls; "
    )
    drawn = config.with_(caption_fields=FIELDS)
    texts = [compose(scene(2), drawn, image_key=str(i)).text for i in range(400)]
    assert texts == [compose(scene(2), drawn, image_key=str(i)).text for i in range(400)]
    for lead, share in (("2people", 0.5), ("from vocaloid", 0.3), ("by wlop", 0.5), ("hatsune miku", 1)):
        assert sum(lead in t for t in texts) / 400 == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("caption_fields", ("crop",)),
        ("caption_fields", ("tags=2",)),
        ("caption_fields", ("tags", "tag")),
        ("outer_separator", "\n"),
    ],
)
def test_wrong_fields_are_named(field: str, value: object) -> None:
    with pytest.raises(UserError) as error:
        TagConfig.from_dict({field: value})
    assert error.value.field == field
