"""Our own words: the text files are consistent, and the look-up says of them what people expect."""

import re

import pytest

from lib_extend.records import Category
from lib_extend.vocabulary.exclusive_groups import Of
from lib_extend.vocabulary.implications import cycles_broken
from lib_extend.vocabulary.lookup import IMPLICATION, WORDS
from lib_extend.vocabulary.merging import merged, own
from lib_extend.vocabulary.own_data import own_exclusive_groups, own_list
from lib_extend.vocabulary.tag_names import canonical, written


def test_there_are_enough_of_them_and_each_once():
    names = [row.name for row in own_list().rows]
    assert len(names) >= 2000
    assert len(names) == len(set(names))


def test_each_is_written_in_its_canonical_form():
    for row in own_list().rows:
        assert canonical(written(row.name, escape_brackets=True)) == row.name
        assert not re.search(r"[{}\s]", row.name)
        assert row.group and row.pictures


def test_aliases_are_words_of_their_own_for_one_tag():
    names = {row.name for row in own_list().rows}
    aliases = [alias for row in own_list().rows for alias in row.aliases]
    assert len(aliases) == len(set(aliases)) > 300
    assert not names & set(aliases)
    words = own()
    assert all(words.resolve(alias) in names for alias in aliases)


def test_every_line_of_aliases_and_implications_names_tags_that_are_there():
    words = own()
    for special, general in own_list().implications:
        assert special in words and general in words, (special, general)


def test_implications_have_no_circle():
    assert cycles_broken(own_list().implications)[1] == []
    assert merged([own_list()]).problems == ()


def test_exclusive_groups():
    groups = {group.name: group for group in own_exclusive_groups()}
    assert {"hair color", "eye color", "hair length", "rating", "number of girls", "breast size"} <= set(
        groups
    )
    assert groups["hair color"].of is Of.PERSON
    assert "multicolored_hair" in groups["hair color"].unless
    assert groups["rating"].of is Of.PICTURE
    words = own()
    for group in groups.values():
        assert all(name in words for name in group.tags | group.unless), group.name


@pytest.mark.parametrize(
    ("name", "category", "group"),
    [
        ("black_hair", Category.GENERAL, "hair color"),
        ("Black_Hair", Category.GENERAL, "hair color"),
        ("peace_sign", Category.GENERAL, "gestures"),
        ("explicit", Category.RATING, "rating"),
        ("masterpiece", Category.QUALITY, "quality"),
        ("absurdres", Category.META, "meta"),
        ("year_2024", Category.YEAR, "years and ages"),
    ],
)
def test_what_is_known_of_a_tag(name, category, group):
    facts = own().facts(name)
    assert facts is not None
    assert (facts.category, facts.group) == (category, group)


@pytest.mark.parametrize(
    ("special", "general", "why"),
    [
        ("very_long_hair", "long_hair", IMPLICATION),
        ("absurdly_long_hair", "long_hair", IMPLICATION),
        ("white_shirt", "shirt", WORDS),
        ("frobnicated_shirt", "shirt", WORDS),
        ("red_frobnicator", "frobnicator", WORDS),
        ("peace_sign", "v", ""),  # the same tag
        ("ponytail", "tail", ""),
        ("glasses", "ass", ""),
        ("what", "hat", ""),
        ("no_bra", "bra", ""),
        ("unworn_hat", "hat", ""),
        ("teddy_bear", "bear", ""),
        ("holding_water_gun", "gun", ""),
        ("stuffed_cat", "cat", ""),
        ("long_hair", "very_long_hair", ""),
        ("shirt", "shirt", ""),
        ("gray_skirt", "skirt", WORDS),
    ],
)
def test_what_says_more(special, general, why):
    assert own().says_more(special, general) == why


def test_what_follows_goes_around_corners():
    assert own().implied("lop_rabbit_ears") >= {"rabbit_ears", "animal_ears"}
    assert own().implied("red_hair_bow") >= {"hair_bow", "bow"}
    assert "bra" not in own().implied("no_bra")


@pytest.mark.parametrize(
    ("one", "other", "groups"),
    [
        ("black_hair", "blonde_hair", ["hair color"]),
        ("black_hair", "blue_eyes", []),
        ("very_long_hair", "long_hair", []),
        ("very_long_hair", "short_hair", ["hair length"]),
        ("1girl", "2girls", ["number of girls"]),
        ("2girls", "multiple_girls", []),
        ("general", "explicit", ["rating"]),
        ("gray_hair", "grey_hair", []),
    ],
)
def test_what_excludes_what(one, other, groups):
    words = own()
    assert (
        [g.name for g in words.excludes(one, other)] == groups == [g.name for g in words.excludes(other, one)]
    )
