"""What must not come beside a prompt."""

from __future__ import annotations

import pytest

from lib_extend.expanding.expansion_rules import rules_of
from lib_extend.expanding.prompt_fields import given_of
from lib_extend.prompt_expansion import About


@pytest.mark.parametrize(
    ("prompt", "more", "no", "yes"),
    [
        ("1girl, black hair", "", "blonde_hair 2girls 1boy multiple_girls no_humans", "long_hair solo blue_eyes multicolored_hair"),
        ("1girl, multicolored hair, black hair", "", "2girls", "blonde_hair"),
        # two persons have two hair colors, and three have three
        ("2girls, black hair", "", "solo 1girl 3girls 1boy", "blonde_hair multiple_girls"),
        ("2girls, black hair", "blonde_hair", "red_hair", "long_hair short_hair"),
        ("1girl, 1boy, black hair, blonde hair", "", "red_hair 2boys solo", "short_hair"),
        ("6+girls, black hair, blonde hair", "red_hair", "1boy", "white_hair"),
        # nobody said who is there: the first count that is drawn decides
        ("cake", "", "", "2girls 1boy black_hair no_humans"),
        ("cake", "2girls black_hair", "3girls solo", "blonde_hair 1boy"),
        ("solo, cake", "", "2girls", "1girl 1boy"),
        ("no humans, cake", "", "1girl solo", "cat"),
        # what follows from a tag contradicts as the tag itself
        ("1girl, very long hair", "", "short_hair", "long_hair"),
        ("indoors, cake", "", "outdoors", "bed"),
        ("1girl, blue skirt", "", "red_skirt light_blue_skirt", "red_shirt skirt"),
        ("2_cakes, cake", "", "3_cakes 1_cake", "3_cups"),
        ("1girl, standing, smile", "", "sitting frown", "waving"),
    ],
)  # fmt: skip
def test_contradictions(prompt: str, more: str, no: str, yes: str) -> None:
    rules = rules_of(given_of(prompt))
    names = more.split()
    assert [n for n in no.split() if not rules.contradicts(n, names)] == []
    assert [n for n in yes.split() if rules.contradicts(n, names) or rules.banned(n)] == []


def test_a_person_of_a_cast() -> None:
    """Neither the scene's tags nor a number of people come, and what the other wears says nothing of this one."""
    given = given_of("1girl, black hair", about=About.PERSON)
    assert given.people == ("1girl", "solo")
    rules = rules_of(given, about=About.PERSON, others=["2girls", "blonde_hair", "red_skirt", "night"])
    assert [
        n for n in ("outdoors", "2girls", "solo", "tree", "simple_background") if not rules.banned(n)
    ] == []
    assert rules.banned("a_girl_has_long_red_hair") and rules.banned("a_purple_shirt")
    assert not rules.banned("red_skirt") and not rules.contradicts("red_skirt", ())
    assert rules.contradicts("blonde_hair", ()) and not rules.contradicts("long_hair", ())


def test_the_scene_of_a_cast() -> None:
    given = given_of("night", told=["2girls"], about=About.SCENE)
    rules = rules_of(given, about=About.SCENE, others=["1girl", "black_hair", "indoors"])
    assert [n for n in ("black_hair", "smile", "standing", "1boy") if not rules.banned(n)] == []
    assert rules.contradicts("outdoors", ()) and rules.contradicts("day", ())
    assert not rules.banned("bed") and not rules.contradicts("bed", ())


@pytest.mark.parametrize(
    ("sentence", "untrue"),
    [
        ("A girl with long, flowing black hair stands in a room.", False),
        ("She has blonde hair and blue eyes.", True),
        ("Her blue eyes look at the cake.", False),
        ("Two girls sit at a table.", True),
        ("The picture shows a single young woman.", False),
        ("There is one boy in the room.", True),
        ("The girl, who wears a red hat, smiles outdoors.", True),
        ("There are one girl and one boy in a room.", True),
        ("A boy stands beside her.", True),
        ("A girl has blue eyes, long purple hair and a brown dress.", True),
        ("A girl with brown eyes and a blue dress has black hair.", False),
        ("A girl has a white lamp floor, blonde hair and a dress.", True),
        ("She has a red bag and black hair.", False),
        ("Her long, dark black hair is wet.", False),
        ("The old house has a red door.", False),
        ("She wears a white hat and a white dress.", False),
    ],
)
def test_sentences(sentence: str, untrue: bool) -> None:
    rules = rules_of(given_of("1girl, black hair, indoors, white hat"))
    assert rules.untrue(sentence, ["long_hair"]) is untrue


def test_two_persons_have_two_hair_colors_in_prose_too() -> None:
    rules = rules_of(given_of("2girls, black hair, blonde hair"))
    assert not rules.untrue("One has black hair, the other has blonde hair.", ())
    assert rules.untrue("Another girl has red hair.", ()) and rules.untrue("Three girls smile.", ())


def test_bans_hold_in_prose_and_not_for_the_user() -> None:
    rules = rules_of(given_of("1girl, hat"), ["hat", "/.* cake/"])
    assert rules.untrue("She has a hat.", ()) and rules.untrue("There is a chocolate cake.", ())
    assert not rules.untrue("The chat is old and modern.", ())
