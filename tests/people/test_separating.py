"""Whose tag is whose: rules of the separation, one by one, and what always holds."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from lib_extend.config import LETTERS
from lib_extend.people.separating import Rules, Separation, separate
from lib_extend.records import Box, Category, Person, Source, Tag

RULES = Rules(threshold=lambda name: 0.35)


def person(x: float, width: float = 100, /, score: float = 0.9, **tags: float) -> Person:
    return Person("", Box(x, 0, x + width, 300), score, tuple(Tag(n, score=s) for n, s in tags.items()))


def picture(*names: str, **scores: float) -> list[Tag]:
    return [*(Tag(n, score=0.9) for n in names), *(Tag(n, score=s) for n, s in scores.items())]


def split(
    tags: list[Tag], *persons: Person, rules: Rules = RULES, every: list[Tag] | None = None
) -> Separation:
    return separate(tags, every if every is not None else tags, persons, rules)


def own(result: Separation) -> list[set[str]]:
    assert not result.reason, result.reason
    return [{t.name for t in p.tags} for p in result.persons]


LEFT = person(0, black_hair=0.9, blue_skirt=0.9, skirt=0.95)
RIGHT = person(200, white_hair=0.9, red_skirt=0.9, skirt=0.95)
TAGS = picture("2girls", "black_hair", "white_hair", "blue_skirt", "red_skirt", "skirt", "indoors")


def test_each_gets_its_own() -> None:
    result = split(TAGS, RIGHT, LEFT)
    assert own(result) == [{"black_hair", "blue_skirt"}, {"white_hair", "red_skirt"}]
    assert [p.letter for p in result.persons] == ["α", "β"]
    assert [t.name for t in result.shared] == ["skirt"]
    assert [t.name for t in result.people] == ["2girls"]
    assert "indoors" not in result.taken
    assert all(t.source is Source.PERSON for p in result.persons for t in p.tags)


def test_what_all_have_may_be_lettered_for_each() -> None:
    rules = Rules(threshold=lambda name: 0.35, shared="each")
    result = split(TAGS, LEFT, RIGHT, rules=rules)
    assert own(result) == [{"black_hair", "blue_skirt", "skirt"}, {"white_hair", "red_skirt", "skirt"}]
    assert not result.shared


def test_what_several_but_not_all_have_is_each_ones() -> None:
    third = person(400, white_hair=0.9, green_skirt=0.9, skirt=0.9)
    tags = [*picture("3girls", "green_skirt"), *TAGS[1:]]
    assert [("white_hair" in names) for names in own(split(tags, LEFT, RIGHT, third))] == [False, True, True]


def test_a_neighbours_hat_reaching_in_is_the_neighbours() -> None:
    tags = [*TAGS, Tag("hat", score=0.9)]
    left = person(0, black_hair=0.9, blue_skirt=0.9, hat=0.97)
    right = person(200, white_hair=0.9, red_skirt=0.9, hat=0.4)
    assert own(split(tags, left, right)) == [{"black_hair", "blue_skirt", "hat"}, {"white_hair", "red_skirt"}]


def test_a_sure_score_is_not_dwarfed() -> None:
    tags = [*TAGS, Tag("hat", score=0.9)]
    left = person(0, black_hair=0.9, blue_skirt=0.9, hat=0.999)
    right = person(200, white_hair=0.9, red_skirt=0.9, hat=0.75)
    assert [t.name for t in split(tags, left, right).shared] == ["hat"]


def test_an_unsure_tag_goes_to_the_one_who_stands_out() -> None:
    tags = [*TAGS, Tag("glasses", score=0.8)]
    left = person(0, black_hair=0.9, blue_skirt=0.9, glasses=0.05)
    right = person(200, white_hair=0.9, red_skirt=0.9, glasses=0.3)
    assert "glasses" in own(split(tags, left, right))[1]
    level = person(200, white_hair=0.9, red_skirt=0.9, glasses=0.06)
    result = split(tags, left, level)
    assert "glasses" not in result.taken
    assert "nobody stands out" in next(d.why for d in result.decisions if d.name == "glasses")


def test_two_hair_colors_are_settled_by_score() -> None:
    left = person(0, black_hair=0.8, white_hair=0.72, blue_skirt=0.9)
    result = split(TAGS, left, RIGHT)
    assert own(result)[0] == {"black_hair", "blue_skirt"}
    both = person(0, black_hair=0.8, white_hair=0.75, blue_skirt=0.9, multicolored_hair=0.9)
    assert own(split(TAGS, both, RIGHT))[0] >= {"black_hair"}


def test_a_color_that_nobody_keeps_is_left_out() -> None:
    tags = [*TAGS, Tag("brown_hair", score=0.4)]
    left = person(0, black_hair=0.9, brown_hair=0.72, blue_skirt=0.9)
    result = split(tags, left, RIGHT)
    assert result.ruled_out == {"brown_hair": "black_hair"}


def test_places_are_nobodys() -> None:
    left = person(0, black_hair=0.9, blue_skirt=0.9, indoors=0.99, table=0.9)
    result = split([*TAGS, Tag("table", score=0.9)], left, RIGHT)
    assert own(result)[0] == {"black_hair", "blue_skirt"}
    anything = Rules(threshold=lambda name: 0.35, everything=True)
    assert "table" in own(split([*TAGS, Tag("table", score=0.9)], left, RIGHT, rules=anything))[0]


def test_boys_and_mixed_groups() -> None:
    tags = [*picture("1girl", "1boy"), *TAGS[1:]]
    assert len(own(split(tags, LEFT, RIGHT))) == 2


def test_one_person_has_all_that_describes_a_person() -> None:
    result = split(picture("1girl", "solo", "black_hair", "smile", "indoors"), person(0, black_hair=0.2))
    assert own(result) == [{"black_hair", "smile"}]


def test_a_named_character_goes_with_its_person_when_asked() -> None:
    name = Tag("hoshi_(sketch)", Category.CHARACTER, 0.95)
    left = Person("", LEFT.box, 0.9, (*LEFT.tags, name))
    assert "hoshi_(sketch)" not in own(split([*TAGS, name], left, RIGHT))[0]
    pairing = Rules(threshold=lambda n: 0.35, characters=True)
    result = split([*TAGS, name], left, RIGHT, rules=pairing)
    assert result.persons[0].tags[0].name == "hoshi_(sketch)"


@pytest.mark.parametrize(
    ("persons", "words"),
    [
        ([], "no person was found"),
        ([person(i * 120) for i in range(30)], "30 persons were found, and there are letters for 5"),
        ([LEFT, person(20, white_hair=0.9, red_skirt=0.9)], "the first person from the left and the second"),
        ([LEFT, Person("", Box(200, 0, 220, 20), 0.9)], "the second person from the left is too small"),
        ([LEFT, Person("", Box(200, 0, 204, 300), 0.9)], "smaller than 16 pixels"),
        ([LEFT, person(200, white_hair=0.9)], "has only 1 tag of its own"),
        ([LEFT], "the tags say 2girls, but 1 person was found"),
        ([LEFT, RIGHT, person(400, red_hair=0.9, hat=0.9)], "the tags say 2girls, but 3 persons were found"),
        ([Person("", Box(5, 5, 5, 5), 0.9)], "smaller than 16 pixels"),
    ],
)
def test_reasons(persons: list[Person], words: str) -> None:
    result = split(TAGS, *persons)
    assert words in result.reason
    assert not result.persons


def test_a_weak_extra_box_is_given_up() -> None:
    shadow = person(400, score=0.32, black_hair=0.9, hat=0.9)
    assert len(own(split(TAGS, LEFT, RIGHT, shadow))) == 2


def test_a_second_look_at_the_same_person_is_given_up() -> None:
    head = Person("", Box(20, 10, 70, 60), 0.5, LEFT.tags)
    assert len(own(split(TAGS, LEFT, RIGHT, head))) == 2


def test_a_number_the_tagger_half_believed_is_taken() -> None:
    every = [*TAGS, Tag("3girls", score=0.3), Tag("4girls", score=0.2)]
    third = person(400, green_hair=0.9, hat=0.9, **{"1girl": 0.9})
    left = person(0, black_hair=0.9, blue_skirt=0.9, **{"1girl": 0.9})
    right = person(200, white_hair=0.9, red_skirt=0.9, **{"1girl": 0.9})
    result = split(TAGS, left, right, third, every=every)
    assert [t.name for t in result.people] == ["3girls", "multiple_girls"]
    assert result.recounted


def test_a_number_a_person_wrote_stands() -> None:
    mine = [Tag("2girls", source=Source.HUMAN), *TAGS[1:]]
    every = [*mine, Tag("3girls", score=0.9)]
    result = split(mine, LEFT, RIGHT, person(400, red_hair=0.9, hat=0.9), every=every)
    assert "the tags say 2girls" in result.reason


def test_what_a_person_made_stands() -> None:
    mine = Person("β", LEFT.box, None, (Tag("hat"),), locked=True)
    other = Person("α", RIGHT.box, None, (Tag("white_hair"),), locked=True)
    result = split(TAGS, mine, other)
    assert [(p.letter, [t.name for t in p.tags]) for p in result.persons] == [
        ("β", ["hat"]),
        ("α", ["white_hair"]),
    ]
    assert result.taken == {"white_hair"}


NAMES = st.sampled_from(
    "black_hair white_hair blue_skirt red_skirt skirt hat glasses smile 2girls 3girls 1boy indoors table".split()
)
SCORES = st.floats(0.0, 1.0)
TAGGED = st.dictionaries(NAMES, SCORES, max_size=8).map(
    lambda d: tuple(Tag(n, score=s) for n, s in d.items())
)
PERSONS = st.lists(
    st.builds(
        lambda x, y, w, h, s, tags: Person("", Box(x, y, x + w, y + h), s, tags),
        st.integers(0, 900),
        st.integers(0, 300),
        st.integers(0, 300),
        st.integers(0, 400),
        SCORES,
        TAGGED,
    ),
    max_size=8,
)


@settings(max_examples=300)
@given(TAGGED, PERSONS, st.randoms(use_true_random=False), st.sampled_from(["once", "each"]))
def test_what_always_holds(tags: tuple[Tag, ...], persons: list[Person], rng: object, shared: str) -> None:
    rules = Rules(threshold=lambda name: 0.35, shared=shared, fewest=0)
    result = separate(tags, tags, persons, rules)
    mixed = list(persons)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    boxes = [p.box for p in persons]
    if len(set(map(str, boxes))) == len(boxes):
        again = separate(tags, tags, mixed, rules)
        assert (again.reason, again.persons, again.shared) == (result.reason, result.persons, result.shared)
    if result.reason:
        assert not result.persons and not result.taken and not result.ruled_out
        return
    assert 1 <= len(result.persons) <= 5
    assert [p.letter for p in result.persons] == list(LETTERS[: len(result.persons)])
    middles = [(p.box.x0 + p.box.x1) / 2 for p in result.persons]
    assert middles == sorted(middles)
    names = {t.name for t in tags}
    assert result.taken <= names and set(result.ruled_out) <= names
    assert not result.taken & set(result.ruled_out)
    for p, index in zip(result.persons, result.indexes, strict=True):
        assert persons[index].box == p.box
        colors = [t.name for t in p.tags if t.name.endswith("_skirt")]
        assert len(colors) < 2
    shared_names = {t.name for t in result.shared}
    assert not shared_names & {t.name for p in result.persons for t in p.tags}
    if shared == "each":
        assert not shared_names
