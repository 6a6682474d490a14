"""What of a cast is in a picture."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.generation.cast import MAX_CHARACTERS, Cast, Character
from lib_extend.generation.cast_finding import Found, Seen, assigned, look_for, persons_of
from lib_extend.generation.places import columns
from lib_extend.records import Analysis, Box, Caption, Person, Tag
from lib_extend.vocabulary.person_aspects import describes_a_person
from tests.generation.casts import TEXTS, casts, places

LOOKS = ["black_hair", "white_hair", "blue_skirt", "red_eyes", "hat", "smile", "long_hair", "glasses"]
LEFT, RIGHT = columns(2)
TWO = Cast(
    (
        Character("Ann", "1girl, black hair, (blue skirt:1.2)", box=LEFT),
        Character("Ben", "1boy, white hair, hat", box=RIGHT),
    )
)
ANN = Seen((0.1, 0.1, 0.4, 0.9), frozenset({"black_hair", "blue_skirt", "smile"}))
BEN = Seen((0.6, 0.1, 0.9, 0.9), frozenset({"white_hair", "hat"}))


def prompts(*texts: str) -> Cast:
    boxes = columns(len(texts))
    return Cast(tuple(Character(prompt=t, box=b) for t, b in zip(texts, boxes, strict=True)))


def test_all_is_there() -> None:
    found = look_for(TWO, [ANN, BEN])
    assert found.score == 1.0 and found.complete
    assert [(c.letter, c.name, c.found, c.missing) for c in found.characters] == [
        ("α", "Ann", ("black hair", "blue skirt"), ()),
        ("β", "Ben", ("white hair", "hat"), ()),
    ]
    assert found.characters[0].uncounted == ("1girl",)
    assert found.summary == "4 of 4 tags in their places"


def test_swapped_places_are_missed() -> None:
    """The tags are all in the picture, but not where they belong."""
    found = look_for(TWO, [replace(ANN, place=BEN.place), replace(BEN, place=ANN.place)])
    assert found.score == 0.0 and not found.complete
    assert found.characters[0].missing == ("black hair", "blue skirt")


def test_swapped_colors() -> None:
    persons = [
        replace(ANN, tags=frozenset({"white_hair", "blue_skirt"})),
        replace(BEN, tags=frozenset({"black_hair", "hat"})),
    ]
    found = look_for(TWO, persons)
    assert found.score == 0.5
    assert found.to_json() == {
        "score": 0.5,
        "persons": 2,
        "characters": [
            {"letter": "α", "seen": True, "found": ["blue skirt"], "missing": ["black hair"]},
            {"letter": "β", "seen": True, "found": ["hat"], "missing": ["white hair"]},
        ],
    }
    assert found.summary == "2 of 4 tags in their places; missing: α black hair; β white hair"
    assert json.loads(json.dumps(found.to_json())) == found.to_json()


def test_somebody_is_not_there() -> None:
    found = look_for(TWO, [ANN])
    assert found.score == 0.5 and found.characters[1].missing == ("white hair", "hat")
    assert found.summary == "2 of 4 tags in their places; missing: β (nobody in its place)"
    assert look_for(TWO, []).score == 0.0
    assert look_for(Cast(), [ANN]).score == 1.0 and look_for(Cast(), []).summary == "nothing to look for"


@pytest.mark.parametrize(
    ("prompt", "counted"),
    [
        ("1girl, solo, 2girls", []),
        ("indoors, masterpiece, 3 cakes, hatsune miku", []),
        ("black hair, Black_Hair", ["black hair"]),
        ("((black hair)), [hat], (smile, red eyes:1.1)", ["black hair", "hat", "smile", "red eyes"]),
        ("α black hair", ["black hair"]),
        ("[black hair:white hair:0.5], [hat|glasses], {smile|frown}", []),
        ("<lora:black hair:1>, hat", ["hat"]),
        ("hat BREAK smile AND glasses", ["hat", "smile", "glasses"]),
        (r"black hair \(cosplay\), ^_^, >_<", ["^_^", ">_<"]),
    ],
)
def test_which_tags_count(prompt: str, counted: list[str]) -> None:
    (character,) = look_for(prompts(prompt), []).characters
    assert list(character.missing) == counted


def test_what_the_tagger_does_not_know_is_not_missed() -> None:
    cast = prompts("black hair, rainbow thighhighs, hat")
    found = look_for(cast, [Seen((0, 0, 1, 1), frozenset({"black_hair"}))], ["black_hair", "hat", "1girl"])
    (one,) = found.characters
    assert (one.found, one.missing, one.uncounted) == (("black hair",), ("hat",), ("rainbow thighhighs",))


def test_a_character_of_whom_nothing_can_be_seen_has_to_be_there() -> None:
    cast = prompts("hatsune miku", "white hair")
    assert look_for(cast, [replace(ANN, tags=frozenset()), BEN]).score == 1.0
    assert look_for(cast, [BEN]).score == 0.5


def test_boxes_that_are_the_same_are_told_apart_by_tags() -> None:
    same = TWO.with_boxes([(0, 0, 1, 1), (0, 0, 1, 1)])
    for persons in ([ANN, BEN], [BEN, ANN]):
        assert look_for(same, persons).score == 1.0


def test_without_regions_places_say_nothing() -> None:
    swapped = [replace(ANN, place=BEN.place), replace(BEN, place=ANN.place)]
    assert look_for(replace(TWO, mode="prompt"), swapped).score == 1.0
    assert look_for(replace(TWO, end_step=0.0), swapped).score == 1.0
    assert look_for(TWO, swapped).score == 0.0


def test_a_passer_by_takes_nobodys_place() -> None:
    passer = Seen((0.45, 0.0, 0.55, 0.3), frozenset({"black_hair"}))
    for persons in ([ANN, passer, BEN], [passer, BEN, ANN]):
        found = look_for(TWO, persons)
        assert found.score == 1.0 and found.persons == 3


def test_from_the_separation_or_from_the_cut_outs() -> None:
    boxes = Box(0, 0, 50, 100), Box(50, 0, 100, 100)
    raw = (
        Person(
            "",
            boxes[0],
            0.9,
            (Tag("black_hair", score=0.9), Tag("white_hair", score=0.5), Tag("hat", score=0.2)),
        ),
        Person("", boxes[1], 0.9, (Tag("white_hair", score=0.9),)),
    )
    analysis = Analysis(100, 100, persons=raw)
    told = Caption("", persons=(replace(raw[0], letter="α", tags=(Tag("smile"),)),))
    assert persons_of(told, analysis, lambda name: 0.35) == [Seen((0, 0, 0.5, 1), frozenset({"smile"}))]
    # of two colors of one's hair the better
    assert persons_of(Caption("", reason="no"), analysis, lambda name: 0.35) == [
        Seen((0, 0, 0.5, 1), frozenset({"black_hair"})),
        Seen((0.5, 0, 1, 1), frozenset({"white_hair"})),
    ]


# properties

SEEN = st.builds(Seen, places(), st.frozensets(st.sampled_from(LOOKS)))


@given(casts(TEXTS), st.lists(SEEN, max_size=7))
def test_any_cast_and_any_picture(cast: Cast, persons: list[Seen]) -> None:
    found = look_for(cast, persons)
    assert 0.0 <= found.score <= 1.0
    assert len(found.characters) == len(cast.characters) and found.persons == len(persons)
    assert sum(c.seen for c in found.characters) <= len(persons)
    assert not found.complete or found.score == 1.0
    for c in found.characters:
        assert c.seen or not c.found
        assert not set(c.found) & set(c.missing)
        assert all(
            describes_a_person(t.replace(" ", "_").lower()) for t in (*c.found, *c.missing) if "_" not in t
        )
    assert isinstance(found.summary, str) and "\n" not in found.summary
    json.dumps(found.to_json(), allow_nan=False)


@given(
    st.lists(st.lists(st.sampled_from(LOOKS), min_size=1), min_size=1, max_size=MAX_CHARACTERS), st.randoms()
)
def test_who_is_as_asked_scores_all(looks: list[list[str]], random: object) -> None:
    cast = prompts(*(", ".join(tags).replace("_", " ") for tags in looks))
    persons = [Seen(c.box, frozenset(tags)) for c, tags in zip(cast.characters, looks, strict=True)]
    random.shuffle(persons)  # type: ignore[attr-defined]
    assert look_for(cast, persons).score == 1.0


@given(casts(TEXTS, least=1), st.lists(SEEN, max_size=5), st.randoms())
def test_the_order_of_persons_does_not_matter(cast: Cast, persons: list[Seen], random: object) -> None:
    before = look_for(cast, persons)
    random.shuffle(persons)  # type: ignore[attr-defined]
    assert look_for(cast, persons).score == before.score


@given(st.integers(1, 4), st.integers(0, 5), st.data())
def test_the_assignment_is_the_best_there_is(characters: int, persons: int, data: st.DataObject) -> None:
    numbers = st.integers(0, 3)
    rows = st.lists(numbers, min_size=persons, max_size=persons)
    near, matches = (data.draw(st.lists(rows, min_size=characters, max_size=characters)) for _ in range(2))

    def totals(who: list[int | None]) -> tuple[int, int]:
        pairs = [(c, p) for c, p in enumerate(who) if p is not None]
        assert len({p for _, p in pairs}) == len(pairs) and all(near[c][p] for c, p in pairs)
        return sum(near[c][p] for c, p in pairs), sum(matches[c][p] for c, p in pairs)

    def every(c: int, taken: frozenset[int]) -> list[list[int | None]]:
        if c == characters:
            return [[]]
        rest = [[None, *more] for more in every(c + 1, taken)]
        for p in range(persons):
            if p not in taken and near[c][p]:
                rest += [[p, *more] for more in every(c + 1, taken | {p})]
        return rest  # type: ignore[return-value]

    assert totals(assigned(near, matches)) == max(totals(w) for w in every(0, frozenset()))


def test_nobody_at_all() -> None:
    assert assigned([], []) == [] and Found(()).score == 1.0
