"""What is asked when, and how replies are read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.errors import UserError
from lib_extend.questions.answer_reading import normalize, read
from lib_extend.questions.asking import next_round, select, settle, signature
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.question import Asked, Kind, Question
from lib_extend.records import Answer, Prompt, Reply
from lib_extend.vocabulary.objects import COLORABLE, COUNTABLE
from lib_extend.vocabulary.plurals import naive_plural, plural, singular

BY_NAME = {q.name: q for q in BUILTIN}


@pytest.mark.parametrize(
    ("question", "raw", "answer"),
    [
        ("count", "3", "3"),
        ("count", "Three", "3"),
        ("count", "there are 3 cakes.", "3"),
        ("count", "about 5", "5"),
        ("count", "There is one cake.", "1"),
        ("count", "A single cake", "1"),
        ("count", "a couple of cakes", "2"),
        ("count", "a dozen", "12"),
        ("count", "No cakes.", "0"),
        ("count", "There aren't any.", "0"),
        ("count", "There are no cakes, but 2 cups.", "0"),
        ("count", "none", "0"),
        ("count", "zero", "0"),
        ("count", "No, there are 3.", "3"),
        ("count", "one or two", ""),
        ("count", "a few cakes", ""),
        ("count", "a lot", ""),
        ("count", "twenty-one", "21"),
        ("count", "half a dozen", "6"),
        ("count", "two dozen eggs", "24"),
        ("count", "dozens", ""),
        ("count", "more than 5", ""),
        ("count", "at least three", ""),
        ("count", "3,000", ""),
        ("count", "9" * 5000, ""),
        ("count", "I can't tell", ""),
        ("count", "It isn't clear", ""),
        ("count", "two pairs", ""),
        ("count", "3 cakes and 2 cups", ""),
        ("count", "2 or 3", ""),
        ("count", "2-3", ""),
        ("count", "several", ""),
        ("count", "2.5", ""),
        ("count", "12", "12"),
        ("count", "three of the 3", "3"),
        ("color", "light brown.", "light_brown"),
        ("color", "Red", "red"),
        ("color", "The cake is red and white.", "multicolored"),
        ("color", "Gray", "grey"),
        ("color", "no", "none"),
        ("color", "There is no cake.", "none"),
        ("color", "It's round.", ""),
        ("color", "Dark Blue!", "dark_blue"),
        ("color", "multi-colored", "multicolored"),
        ("color", "reddish", ""),
        ("color", "reddish-brown", "brown"),
        ("color", "pale pink", "light_pink"),
        ("color", "bright red", "red"),
        ("color", "navy blue", "dark_blue"),
        ("color", "off-white", "white"),
        ("color", "light blue and dark blue", "multicolored"),
        ("color", "red or blue", ""),
        ("color", "It is not red.", ""),
        ("color", "There is no cake; the table is red.", "none"),
        ("color", "I cannot determine the color.", ""),
        ("color", "It could be blue", ""),
        ("color", "A red cake with no frosting", "red"),
        ("color", "There isn’t any cake", "none"),
        ("door", "Yes, there is a door.", "yes"),
        ("door", "no chair", "no"),
        ("door", "No.", "no"),
        ("door", "There isn't one", "no"),
        ("door", "Maybe", ""),
        ("door", "I don't know", ""),
        ("door", "I’m not sure.", ""),
        ("door", "I see a door", "yes"),
        ("door", "I don't see a door", "no"),
        ("door", "The door is visible on the left", "yes"),
        ("floor_material", "Wood.", "wooden"),
        ("floor_material", "It is a tiled floor", "tile"),
        ("floor_material", "carpeted", "carpet"),
        ("floor_material", "stone or brick", ""),
        ("floor_material", "lava", ""),
        ("floor_material", "not wood", ""),
        ("floor_material", "It might be wood", ""),
    ],
)
def test_words_are_read(question: str, raw: str, answer: str) -> None:
    assert normalize(BY_NAME[question], raw) == answer


@pytest.mark.parametrize(
    ("question", "thing", "raw", "tag"),
    [
        ("count", "cake", "3", "3_cakes"),
        ("count", "box", "2", "2_boxes"),
        ("count", "cake", "1", ""),
        ("count", "cake", "0", ""),
        ("count", "cake", "many", ""),
        ("color", "cake", "light brown", "light_brown_cake"),
        ("color", "cake", "none", ""),
        ("furniture", "sofa", "yes", "sofa"),
        ("furniture", "sofa", "no", ""),
        ("floor", "", "yes", ""),
        ("floor_material", "", "wood", "wooden_floor"),
        ("floor_material", "", "carpet", "carpet"),
        ("door", "", "yes", "door"),
    ],
)
def test_tags_of_answers(question: str, thing: str, raw: str, tag: str) -> None:
    answer = read(Asked(BY_NAME[question], thing, Prompt("?")), Reply(raw))
    assert answer.tag == tag and answer.raw == raw and answer.probability is None


@given(st.sampled_from(BUILTIN), st.text())
def test_no_reply_can_break_reading(question: Question, raw: str) -> None:
    answer = read(Asked(question, "cake", Prompt("?")), Reply(raw))
    assert answer.raw == raw and (answer.answer or not answer.tag)


def test_probabilities_decide() -> None:
    asked = next_round([BY_NAME["count"]], {"cake": 1.0}, [])[0]
    p = [0.0] * len(asked.prompt.choices)
    p[3], p[4] = 0.7, 0.3
    answer = read(asked, Reply("4 I think", tuple(p)))
    assert (answer.answer, answer.probability, answer.tag) == ("3", 0.7, "3_cakes")


def test_two_phrasings_are_averaged() -> None:
    twice = replace(BY_NAME["door"], rephrased="Can a door be seen? Answer yes or no.")
    (asked,) = next_round([twice], {"indoors": 1.0}, [])
    assert [p.text for p in asked.prompts] == [twice.ask, twice.rephrased]
    answer = read(asked, Reply("yes", (0.9, 0.1)), Reply("no", (0.2, 0.8)))
    assert (answer.answer, answer.probability, answer.raw) == ("yes", pytest.approx(0.55), "yes / no")
    assert read(asked, Reply("yes"), Reply("Yes, there is.")).answer == "yes"
    assert read(asked, Reply("yes"), Reply("no")).answer == ""


@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("cake", "cakes"),
        ("box", "boxes"),
        ("butterfly", "butterflies"),
        ("bookshelf", "bookshelves"),
        ("knife", "knives"),
        ("cup_of_tea", "cups_of_tea"),
        ("teddy_bear", "teddy_bears"),
        ("toy", "toys"),
        ("curtains", "curtains"),
        ("fish", "fish"),
        ("snowman", "snowmen"),
        ("painting_(object)", "paintings_(object)"),
        ("wine_glass", "wine_glasses"),
        ("orange_(fruit)", "oranges_(fruit)"),
        ("leaf", "leaves"),
        ("house", "houses"),
        ("glass", "glasses"),
        ("glasses", "glasses"),
        ("scissors", "scissors"),
        ("boots", "boots"),
        ("cat_ears", "cat_ears"),
        ("bus", "buses"),
        ("canvas", "canvases"),
        ("human", "humans"),
        ("candy", "candies"),
        ("bookshelves", "bookshelves"),
        ("salt_and_pepper", "salts_and_pepper"),
    ],
)
def test_plurals(name: str, many: str) -> None:
    assert plural(name) == many


@pytest.mark.parametrize("name", sorted({*COUNTABLE, *COLORABLE}))
def test_plurals_lead_back(name: str) -> None:
    many = plural(name)
    assert plural(many) == many
    assert singular(many) == name or many == name


def test_the_naive_form_is_naive() -> None:
    assert [naive_plural(n) for n in ("box", "bookshelf")] == ["boxs", "bookshelfs"]


def ask_all(tags: dict[str, float], replies: dict[tuple[str, str], str]) -> tuple[list[Answer], int]:
    answers: list[Answer] = []
    rounds = 0
    while asked := next_round(BUILTIN, tags, answers):
        rounds += 1
        assert rounds < 10
        for a in asked:
            answers.append(read(a, Reply(replies.get((a.question.name, a.object), "no"), None)))
    return answers, rounds


def test_follow_ups() -> None:
    answers, rounds = ask_all(
        {"cake": 0.9, "indoors": 0.9, "table": 0.8},
        {
            ("count", "cake"): "3",
            ("color", "cake"): "red",
            ("color", "table"): "brown",
            ("furniture", "sofa"): "yes",
            ("furniture", "table"): "yes",
            ("color", "sofa"): "blue",
            ("floor", ""): "yes",
            ("floor_material", ""): "wood",
            ("door", ""): "yes",
            ("color", "door"): "brown",
        },
    )
    assert {a.tag for a in answers if a.tag} == set(
        "3_cakes table sofa red_cake brown_table door blue_sofa brown_door wooden_floor".split()
    )
    assert rounds == 2
    asked = [(a.question, a.object) for a in answers]
    assert len(asked) == len(set(asked)), "nothing is asked twice"


def test_no_floor_or_door_outdoors() -> None:
    answers, _ = ask_all({"cake": 0.9, "outdoors": 0.9}, {})
    assert not {"floor", "door", "floor_material"} & {a.question for a in answers}


def test_no_floor_no_material() -> None:
    answers, _ = ask_all({"indoors": 0.9}, {("floor", ""): "no"})
    assert "floor_material" not in {a.question for a in answers}


def test_an_unsure_yes_is_not_followed_up() -> None:
    tags = {"indoors": 1.0}
    sure = Answer("door", "", "yes", "yes", 0.9, "door")
    unsure = Answer("door", "", "yes", "yes", 0.3, "door")
    color = {a.object for a in next_round(BUILTIN, tags, [sure]) if a.question.name == "color"}
    assert color == {"door"}
    assert not [a for a in next_round(BUILTIN, tags, [unsure]) if a.question.name == "color"]


def test_denied_things_are_dropped() -> None:
    answers = settle(
        [
            Answer("furniture", "sofa", "yes", "yes", 0.8, "sofa"),
            Answer("count", "sofa", "2", "2", 0.8, "2_sofas"),
            Answer("color", "sofa", "none", "none", 0.9, ""),
            Answer("color", "cake", "red", "red", 0.9, "red_cake"),
        ]
    )
    assert [a.tag for a in answers] == ["", "", "", "red_cake"]


def test_none_to_ones_own_question_denies_nothing() -> None:
    answers = [
        Answer("furniture", "table", "yes", "yes", 0.8, "table"),
        Answer("on_table", "table", "none", "none", 0.9, "none_on_table"),
    ]
    assert [a.tag for a in settle(answers)] == ["table", "none_on_table"]


def test_select() -> None:
    assert [q.name for q in select(BUILTIN, ["floor", "count"])] == ["count", "floor", "floor_material"]
    with pytest.raises(UserError, match="'colour'.*the questions are count"):
        select(BUILTIN, ["colour"])
    # color alone still works: furniture simply finds nothing for it
    assert [a.object for a in next_round(select(BUILTIN, ["color"]), {"cake": 1.0}, [])] == ["cake"]


def test_signature_changes_with_what_is_asked() -> None:
    assert signature(BUILTIN) != signature(BUILTIN[:-1])
    assert signature(BUILTIN) == signature(tuple(BUILTIN))


def test_signature_changes_with_how_replies_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signature(BUILTIN)
    monkeypatch.setattr("lib_extend.questions.asking.RULES", 0)
    assert signature(BUILTIN) != before


WALL = Question("wall", Kind.FREE, "What is on the wall?", tag="{answer} on wall")
PET = Question("pet", Kind.ONE_OF, "Which pet?", answers=("cat", "red_cat", "none", "犬"), tag="{answer}")


@pytest.mark.parametrize(
    ("question", "raw", "answer", "tag"),
    [
        (WALL, "A large clock.", "A large clock", "large_clock_on_wall"),
        (
            WALL,
            '**"It is a clock, a poster"**\nand more',
            "It is a clock, a poster",
            "clock_a_poster_on_wall",
        ),
        (WALL, "There is nothing on the wall", "There is nothing on the wall", ""),
        (WALL, "Nothing.", "Nothing", ""),
        (WALL, "I cannot tell.", "I cannot tell", ""),
        (WALL, "There are no pictures", "There are no pictures", ""),
        (WALL, "", "", ""),
        (WALL, "word " * 50, ("word " * 20).strip(), "_".join(["word"] * 20) + "_on_wall"),
        (PET, "It is a red cat", "red_cat", "red_cat"),
        (PET, "a cat", "cat", "cat"),
        (PET, "There is no pet", "none", ""),
        (PET, "None", "none", ""),
        (PET, "no cat", "", ""),
        (PET, "犬", "犬", "犬"),
        (PET, "caterpillar", "", ""),
    ],
)
def test_own_kinds_of_answers(question: Question, raw: str, answer: str, tag: str) -> None:
    read_as = read(Asked(question, "", Prompt("?")), Reply(raw))
    assert (read_as.answer, read_as.tag, read_as.raw) == (answer, tag, raw)


@given(st.text(), st.sampled_from([WALL, PET]))
def test_no_tag_breaks_a_caption(raw: str, question: Question) -> None:
    tag = read(Asked(question, "", Prompt("?")), Reply(raw)).tag
    assert not set(tag) & set(",\n ") and tag == tag.strip("_")


def test_a_chosen_answer_is_taken_by_its_place() -> None:
    question = Question("q", Kind.ONE_OF, "?", answers=("wooden", "wood", "c++"), tag="{answer}_thing")
    asked = next_round([question], {}, [])[0]
    for i, answer in enumerate(question.answers):
        p = tuple(float(i == j) for j in range(3))
        assert read(asked, Reply("", p)).answer == answer


def test_qualifiers_are_not_asked() -> None:
    asked = next_round([BY_NAME["count"]], {"orange_(fruit)": 1.0}, [])[0]
    assert asked.prompt.text == "How many oranges are in the image? Answer with one number."
    assert read(asked, Reply("3")).tag == "3_oranges_(fruit)"


def test_prompts_are_the_templates() -> None:
    asked = {(a.question.name, a.object): a.prompt for a in next_round(BUILTIN, {"box": 1.0}, [])}
    assert asked["count", "box"].text == "How many boxes are in the image? Answer with one number."
    assert asked["color", "box"].text == "What color is the box in the image? Answer with one color."
    assert asked["furniture", "sofa"].text == "Is there a sofa in the image? Answer yes or no."
    assert ("10", "ten") in asked["count", "box"].choices
    names = [c[0] for c in asked["color", "box"].choices]
    assert "none" in names and len(names) == len(set(names))


def test_tables_hold_canonical_names() -> None:
    for name in (*COUNTABLE, *COLORABLE):
        assert name == name.lower() and " " not in name
    assert 90 <= len(COUNTABLE) == len(set(COUNTABLE))
    assert len(COLORABLE) == len(set(COLORABLE))
