"""Reading descriptions back: labelled sentences of many makes, and the single rules."""

from __future__ import annotations

import random
from pathlib import Path

from lib_extend.captions import prose_words
from lib_extend.captions.prose_asking import Wishes
from lib_extend.captions.prose_check import contradictions
from lib_extend.captions.prose_known import Known, KnownPerson, known_of
from lib_extend.records import Answer, Box, Person, Tag

LEFT, MIDDLE, RIGHT = "on_the_left", "in_the_middle", "on_the_right"


def person(place: str, gender: str, tags: str) -> KnownPerson:
    return KnownPerson(place, gender, tuple(tags.split()))


SCENES = {
    "friends": Known(
        ("2girls", "indoors", "smile"),
        (
            person(LEFT, "girl", "black_hair long_hair blue_eyes dress red_dress smile"),
            person(RIGHT, "girl", "blonde_hair green_eyes white_shirt shirt blue_skirt skirt hat"),
        ),
        {"cake": 2, "cup": 1, "table": 1},
        {"cake": "red", "cup": "white", "table": "brown"},
        "wooden",
        frozenset({"sofa", "couch"}),
    ),
    "trio": Known(
        ("2girls", "1boy", "outdoors", "sky"),
        (
            person(LEFT, "boy", "brown_hair blue_shirt"),
            person(MIDDLE, "girl", "pink_hair white_dress"),
            person(RIGHT, "girl", "white_hair black_dress"),
        ),
        {"balloon": 5, "butterfly": 3},
        {"balloon": "yellow", "butterfly": "blue"},
    ),
    "solo": Known(
        ("1girl", "solo", "red_hair", "purple_eyes", "green_dress", "twintails", "indoors"),
        (),
        {"book": 4, "lamp": 1, "chair": 1},
        {"book": "brown", "lamp": "black", "door": "white"},
        "carpet",
    ),
    "walker": Known(
        ("1boy", "solo", "white_hair", "yellow_eyes", "black_jacket", "grey_pants", "rain"),
        (),
        {"cat": 2, "umbrella": 1},
        {"cat": "black", "umbrella": "red"},
        "",
        frozenset({"chair"}),
    ),
    "singers": Known(
        ("2girls", "hatsune_miku", "kagamine_rin"),
        (
            person(LEFT, "girl", "hatsune_miku aqua_hair twintails black_skirt"),
            person(RIGHT, "girl", "kagamine_rin blonde_hair yellow_shirt"),
        ),
        {"microphone": 2},
        {"microphone": "silver"},
        names=frozenset({"hatsune_miku", "kagamine_rin"}),
    ),
    "room": Known(
        ("no_humans", "indoors"),
        (),
        {"chair": 6, "table": 1, "bookshelf": 2, "box": 3},
        {"chair": "purple", "table": "white", "bookshelf": "brown", "box": "orange"},
        "tile",
        frozenset({"lamp"}),
    ),
    "crowd": Known(
        ("3girls", "black_hair", "brown_hair", "red_hair", "smile"),
        (),
        {"teddy_bear": 2, "balloon": 1},
        {"teddy_bear": "brown", "balloon": "pink"},
    ),
}


def labelled() -> list[tuple[str, str, str]]:
    lines = Path(__file__).with_name("prose_sentences.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ", 2) for line in lines if line and not line.startswith("#")]
    return [(scene, wrong, text) for scene, wrong, text in rows]


def test_what_is_found_wrong_is_wrong() -> None:
    rows = labelled()
    assert len(rows) >= 300 and 0.4 <= sum(wrong != "-" for _, wrong, _ in rows) / len(rows) <= 0.6
    found = [(wrong, text, {c.code for c in contradictions(text, SCENES[s])}) for s, wrong, text in rows]
    flagged = [(wrong, text) for wrong, text, codes in found if codes]
    right = [text for wrong, text in flagged if wrong != "-"]
    false = [text for wrong, text in flagged if wrong == "-"]
    missed = [text for wrong, text, codes in found if wrong != "-" and not codes]
    precision, recall = len(right) / len(flagged), len(right) / (len(right) + len(missed))
    report = "\n".join(
        [f"precision {precision:.3f}, recall {recall:.3f}", "false:", *false, "missed:", *missed]
    )
    print(report)
    assert precision >= 0.95, report
    assert recall >= 0.9, report
    named = [f"prose_{wrong}" in codes for wrong, _, codes in found if wrong != "-" and codes]
    assert sum(named) / len(named) >= 0.9, "the code says what is wrong"


def test_any_words_can_be_read() -> None:
    """Models write anything: words of the grammar in any order, and none at all."""
    words = sorted(
        {*prose_words.STOPS, *prose_words.NUMBERS, *prose_words.SIDES, *prose_words.VAGUE, *prose_words.PAIRS}
    )
    words += "girl girls boy's woman hair eyes dress red black-haired cakes cake balloon floor of , . ; 世界 🍰 hatsune miku".split()
    rng = random.Random(0)
    for _ in range(600):
        text = " ".join(rng.choices(words, k=rng.randint(0, 14)))
        for known in SCENES.values():
            contradictions(text, known)


def test_knowledge_is_what_is_sure() -> None:
    box = Box(0, 0, 10, 20)
    tags = (
        Tag("2girls", score=0.9),
        Tag("cake", score=0.8),
        Tag("sofa", score=0.2),
        Tag("indoors", score=0.7),
    )
    looks = [("1girl", "black_hair", "smile"), ("1girl", "white_hair", "hat")]
    persons = [
        Person("", Box(30 * i, 0, 30 * i + 20, 50), 0.9, tuple(Tag(t, score=0.9) for t in own))
        for i, own in enumerate(looks)
    ]
    answers = (
        Answer("count", "cake", "3", "3", 0.9, "3_cakes"),
        Answer("color", "cake", "red", "red", 0.3, "red_cake"),
        Answer("count", "cup", "1", "1", 0.9, ""),
        Answer("furniture", "sofa", "no", "no", 0.9, ""),
        Answer("floor_material", "", "wooden", "wooden", 0.9, "wooden_floor"),
    )
    known = known_of(tags, answers, persons)
    assert known.counts == {"cake": 3, "cup": 1} and known.colors == {}, "an unsure color is not known"
    assert (known.floor, known.absent) == ("wooden", frozenset({"sofa"}))
    assert [(p.place, p.gender) for p in known.persons] == [(LEFT, "girl"), (RIGHT, "girl")]
    assert known.facts().text() == (
        "2girls, indoors; on the left: girl, black hair, smile; on the right: girl, hat, white hair; 3 cakes, 1 cup, "
        "wooden floor"
    )
    assert known_of(tags, answers, [Person("", box, 0.9)]).persons == ()


def test_the_users_wishes_are_held_against_it_too() -> None:
    wishes = Wishes(trigger="mychar", banned=("art style", "cute"))
    text = "A cute girl, drawn in a fine art-style."
    codes = [c.code for c in contradictions(text, Known(), wishes)]
    assert codes == ["prose_banned", "prose_banned", "prose_trigger"]
    assert contradictions("MyChar executes a dance.", Known(), wishes) == []
