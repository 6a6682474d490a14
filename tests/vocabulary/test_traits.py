"""Which tags say who somebody is."""

import pytest

from lib_extend.vocabulary.traits import TraitWords, own_traits


@pytest.mark.parametrize(
    ("name", "difficulty"),
    [
        ("black_hair", 0),
        ("blue_eyes", 0),
        ("twin_braids", 0),
        ("ponytail", 0),
        ("bald", 0),
        ("old_man", 0),
        ("mole_under_eye", 0),
        ("cat_ears", 1),
        ("fox_tail", 1),
        ("fangs", 1),
        ("scar_on_cheek", 1),
        ("cat_girl", 1),
        ("1girl", None),
        ("multiple_girls", None),
        ("hearts", None),  # ends in "ears" as letters only
        ("chair", None),
        ("closed_eyes", None),
        ("half-closed_eyes", None),
        ("holding_own_hair", None),
        ("game_boy", None),
        ("hand_on_own_ear", None),
        ("red_dress", None),
        ("hair_ribbon", None),
        ("", None),
    ],
)
def test_ours(name, difficulty):
    assert own_traits().difficulty(name) == difficulty


def test_lists_in_the_established_form():
    words = TraitWords.from_json(
        {
            "whitelist": ["closed eyes"],
            "suffixes": [["eyes", "man"], ["tail"]],
            "prefixes": [["hair over"], ["mole"]],
        }
    )
    assert [words.difficulty(n) for n in ("blue_eyes", "eye", "tails", "mole_under_eye", "hair_over_one_eye")] == [
        0, 0, 1, 0, 0,
    ]  # fmt: skip
    assert words.difficulty("closed_eye") is None  # the whitelist counts in both numbers too
    assert words.difficulty("human") is None
    assert words.levels == 2


@pytest.mark.parametrize(
    "data",
    [[], {}, {"suffixes": ["eyes"]}, {"suffixes": [[1]]}, {"whitelist": "eyes", "suffixes": [["eyes"]]}],
)
def test_what_is_no_such_list_is_refused(data):
    with pytest.raises(ValueError, match=r"^(is|has) "):
        TraitWords.from_json(data)
