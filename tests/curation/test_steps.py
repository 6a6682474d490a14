"""Every rule of curation, with the mistake that others make beside it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.curation.step_table import curate, steps
from tests.curation.rows_of import curated, known, left, reasons, rows


def test_steps_act_in_the_order_of_their_places() -> None:
    names = [s.name for s in steps()]
    assert names == ["overrule", "alias", "blacklist", "overlap", "exclusive", "traits", "core"]


# overlap


def test_a_tag_goes_that_a_more_exact_one_says() -> None:
    done = curate(rows(["very_long_hair", "long_hair", "smile"]), known())
    assert left(done) == {"very_long_hair", "smile"}
    (gone,) = done.gone
    assert (gone.reason.code, gone.reason.fields["by"]) == ("overlap", "very_long_hair")
    assert gone.reason.sentence == "very long hair says more"


@pytest.mark.parametrize(
    ("special", "general"),
    [("glasses", "ass"), ("what", "hat"), ("ponytail", "tail"), ("chair", "hair"), ("hearts", "ears")],
)
def test_letters_within_a_word_say_nothing(special: str, general: str) -> None:
    # a raw substring test would take the second one
    assert curated(special, general) >= {special, general}


def test_whole_words_at_the_end_say_the_tag() -> None:
    assert curated("white_shirt", "shirt") == {"white_shirt"}
    assert curated("shirt_lift", "shirt") == {"shirt_lift", "shirt"}  # not at the end


def test_a_list_of_the_user_counts_without_any_mode() -> None:
    overlaps = {"blush": ("nose_blush",)}
    assert curated("blush", "nose_blush", prune="none", overlaps=overlaps) == {"nose_blush"}
    assert curated("blush", "nose_blush", prune="none") == {"blush", "nose_blush"}


def test_only_my_lists_leaves_ours_out() -> None:
    left_over = curated("very_long_hair", "long_hair", "alternate_hairstyle", only_my_lists=True)
    assert left_over == {"very_long_hair", "long_hair", "alternate_hairstyle"}


def test_a_tag_that_goes_itself_still_says_more_than_another() -> None:
    overlaps = {"a": ("b",), "b": ("c",)}
    assert curated("a", "b", "c", prune="none", overlaps=overlaps) == {"c"}


# blacklist


def test_the_blacklist_takes_a_tag_in_any_spelling() -> None:
    assert curated("simple_background", blacklist=["Simple background"]) == set()
    assert curated("grey_background", "background_text", blacklist=["*_background"]) == {"background_text"}
    assert curated("alternate_costume", "casual", "smile") == {"smile"}


def test_only_a_list_of_the_users_reaches_a_persons_tag() -> None:
    mine = ["casual", "long_hair", "very_long_hair", "alternate_costume"]
    assert curated(own=mine) == set(mine)
    assert curated(own=mine, blacklist=["casual"]) == set(mine) - {"casual"}
    assert curated(own=mine, overrules={"long_hair": "drop"}) == set(mine) - {"long_hair"}


# other names


def test_another_name_becomes_the_tag_and_is_not_there_twice() -> None:
    done = curate(rows(["peace_sign", "v"], ["peace_sign"]), known())
    assert left(done, 0) == left(done, 1) == {"v"}
    assert reasons(done) == {"peace_sign": ("same", {0})}


def test_a_persons_spelling_stays() -> None:
    done = curate(rows(["smile"], own={"peace_sign": 1}), known())
    assert left(done) == {"smile", "peace_sign"}


def test_aliases_are_resolved_before_other_lists() -> None:
    # a list of overlaps that was written for today's names
    what = {"aliases": {"loooong_hair": "very_long_hair"}, "overlaps": {"long_hair": ("very_long_hair",)}}
    assert curated("loooong_hair", "long_hair", prune="none", **what) == {"very_long_hair"}


# groups


def test_of_an_exclusive_group_the_likelier_stays() -> None:
    done = curate(rows({"black_hair": 0.6, "brown_hair": 0.9}), known())
    assert left(done) == {"brown_hair"}
    (gone,) = done.gone
    assert gone.reason.fields == {"group": "hair color", "by": "brown_hair"}


def test_without_scores_nobody_is_likelier() -> None:
    assert curated("black_hair", "brown_hair") == {"black_hair", "brown_hair"}


def test_two_people_may_have_two_colors() -> None:
    two = rows({"black_hair": 0.6, "brown_hair": 0.9}, several=1)
    assert left(curate(two, known())) == {"black_hair", "brown_hair"}
    many = rows({"black_hair": 0.6, "brown_hair": 0.9, "multicolored_hair": 0.8})
    assert left(curate(many, known())) == {"black_hair", "brown_hair", "multicolored_hair"}


def test_what_a_person_wrote_is_right_however_sure_the_model_is() -> None:
    done = curate(rows({"brown_hair": 0.99}, own={"black_hair": 1}), known())
    assert left(done) == {"black_hair"}


# traits


def test_traits_go_by_level_where_a_character_is_named() -> None:
    tags = ["black_hair", "cat_ears", "smile", "wet_hair"]
    for level, gone in ((0, set()), (1, {"black_hair"}), (2, {"black_hair", "cat_ears"})):
        done = curate(rows(tags, characters={"hoshi": 1}), known("character", drop_difficulty=level))
        assert left(done) == set(tags) - gone
    # a level that no list has is no error
    assert left(curate(rows(tags, characters={"hoshi": 1}), known("character", drop_difficulty=9)))


def test_traits_stay_where_no_character_is_named() -> None:
    done = curate(rows(["black_hair"], ["black_hair"], characters={"hoshi": 2}), known("character"))
    assert left(done, 0) == {"black_hair"}
    assert left(done, 1) == set()


# overruling


def test_what_the_user_said_of_a_tag_counts_more_than_any_step() -> None:
    said = {"long_hair": "keep", "smile": "drop"}
    assert curated("very_long_hair", "long_hair", "smile", overrules=said) == {
        "very_long_hair",
        "long_hair",
    }


# properties

WORDS = [
    "1girl", "solo", "long_hair", "very_long_hair", "black_hair", "brown_hair", "white_shirt", "shirt", "red_dress",
    "dress", "casual", "alternate_costume", "peace_sign", "v", "smile", "closed_eyes", "blue_eyes", "red_eyes", "hat",
    "witch_hat", "cat_ears", "animal_ears", "bikini", "swimsuit", "sitting", "outdoors", "beach", "ocean",
]  # fmt: skip
SCORES = st.dictionaries(st.sampled_from(WORDS), st.floats(0.05, 1), max_size=14)
MODES = st.sampled_from(["minimal", "character", "character_core"])


@given(SCORES, MODES, st.randoms(use_true_random=False))
def test_the_order_of_tags_decides_nothing(tags: dict[str, float], mode: str, rng: random.Random) -> None:
    mixed = list(tags.items())
    rng.shuffle(mixed)
    first = curate(rows(tags, characters={"hoshi": 1}), known(mode))
    second = curate(rows(dict(mixed), characters={"hoshi": 1}), known(mode))
    assert left(first) == left(second)
    assert reasons(first) == reasons(second)


@given(SCORES, MODES)
def test_curating_twice_is_curating_once(tags: dict[str, float], mode: str) -> None:
    once = left(curate(rows(tags, characters={"hoshi": 1}), known(mode)))
    again = {n: tags.get(n, tags.get("peace_sign")) for n in once}
    assert left(curate(rows(again, characters={"hoshi": 1}), known(mode))) == once


@given(SCORES, st.sets(st.sampled_from(WORDS)), MODES)
def test_no_step_takes_a_persons_tag(tags: dict[str, float], mine: set[str], mode: str) -> None:
    done = curate(rows(tags, own=dict.fromkeys(mine, 1), characters={"hoshi": 1}), known(mode))
    assert left(done) >= mine


@given(st.lists(SCORES, min_size=1, max_size=6), MODES)
def test_many_pictures_at_once_are_each_of_them_alone(pictures: list[dict[str, float]], mode: str) -> None:
    every = (1 << len(pictures)) - 1
    together = curate(rows(*pictures, characters={"hoshi": every}), known(mode))
    for row, tags in enumerate(pictures):
        assert left(together, row) == left(curate(rows(tags, characters={"hoshi": 1}), known(mode)))


@given(SCORES, MODES)
def test_every_tag_that_goes_has_its_reason(tags: dict[str, float], mode: str) -> None:
    done = curate(rows(tags, characters={"hoshi": 1}), known(mode))
    said = {g.name for g in done.gone} | {r.name for r in done.renamed}
    assert set(tags) - left(done) <= said
    assert all(g.reason.sentence for g in done.gone)
