"""Tags that mean the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.vocabulary.merging import own
from lib_extend.vocabulary.same_meaning import Reason, same_meaning


@pytest.mark.parametrize(
    ("counts", "proposed", "reason"),
    [
        ({"black_hair": 900, "black-hair": 3}, "black_hair", Reason.SPELLING),
        ({"black-hair": 900, "blackhair": 3}, "black-hair", Reason.SPELLING),
        ({"blackhair": 900, "black_hair": 3}, "black_hair", Reason.SPELLING),  # a list knows it
        ({"Smile": 5, "smile": 3}, "smile", Reason.SPELLING),
        ({"peace_sign": 9, "v": 1}, "v", Reason.ALIAS),
        ({"peace_sign": 9, "victory_sign": 1}, "v", Reason.ALIAS),
        ({"frobnicator": 2, "frobnicators": 9}, "frobnicators", Reason.NUMBER),
        ({"thighhigh": 9, "thighhighs": 1}, "thighhighs", Reason.ALIAS),
    ],
)
def test_one_group(counts, proposed, reason):
    (group,) = same_meaning(counts, own())
    assert (group.proposed, group.reason) == (proposed, reason)
    assert sorted(group.names) == sorted(counts)
    assert group.pictures == sum(counts.values())


@pytest.mark.parametrize(
    "counts",
    [
        {"1girl": 5, "2girls": 3},
        {"2girls": 3, "multiple_girls": 3},
        {"black_hair": 5, "blonde_hair": 5},
        {":d": 3, ":D": 2, "^_^": 1},
        {"fang": 5, "fangs": 5},  # a list knows them as two tags
        {"A sentence about a hat.": 1, "a_sentence_about_a_hat": 1},
        {},
    ],
)
def test_none(counts):
    assert same_meaning(counts, own()) == []


NAMES = st.sampled_from("hat hats Hat h-at ha_t fang fangs f-ang v peace_sign x xs x-s glass glasses".split())


@given(st.dictionaries(NAMES, st.integers(1, 9)))
def test_groups_share_no_name_and_no_two_known_tags_meet(counts):
    words = own()
    groups = same_meaning(counts, words)
    names = [name for group in groups for name in group.names]
    assert len(names) == len(set(names)) and set(names) <= set(counts)
    for group in groups:
        assert len(group.names) > 1
        assert len({words.place(n) for n in group.names} - {None}) <= 1
