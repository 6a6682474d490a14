"""Finding tags while somebody types: against the plainest way of doing the same."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib_extend.vocabulary.merging import merged, own
from lib_extend.vocabulary.name_index import NameIndex, typed
from lib_extend.vocabulary.tag_list import TagList, TagRow

WORDS = st.sampled_from(["hair", "hat", "long", "ha", "black", "h", "o_o", "(a)", "black-hat", "日本"])
NAMES = st.lists(WORDS, min_size=1, max_size=3).map("_".join)
ROWS = st.lists(st.tuples(NAMES, st.integers(0, 50), st.lists(NAMES, max_size=2)), max_size=12)


def index_of(rows):
    return NameIndex(
        merged([TagList("l", [TagRow(n, None, count, False, tuple(a)) for n, count, a in rows])]).vocabulary
    )


def begins_a_word(name, text):
    name = typed(name)
    return any(
        name.startswith(text, at) and (at == 0 or (name[at].isalnum() and (not name[at - 1].isalnum() or name[at] > "\u2e80")))
        for at in range(len(name))
    )  # fmt: skip


@given(
    ROWS, st.sampled_from(["h", "ha", "hai", "hair", "long", "b", "a", "日", "本", "o", "hat bl", "long ha"])
)
@example([("hat", 1, ["ha"])], "ha")
@example([("long", 1, ["ha"])], "ha")
def test_what_is_found_is_what_begins_so(rows, text):
    words = merged(
        [TagList("l", [TagRow(n, None, count, False, tuple(a)) for n, count, a in rows])]
    ).vocabulary
    found = NameIndex(words).find(text, 100)
    names = words.columns.names
    as_it_stands = {i for i, name in enumerate(names) if begins_a_word(name, text)}
    enough = len(text) >= 3 or not text.isascii()
    # of a short text only another word that is just this
    fits = begins_a_word if enough else lambda alias, text: typed(alias) == text
    as_it_stands |= {i for alias, i in words.columns.aliases.items() if fits(alias, text)}
    places = [f.place for f in found]
    assert len(places) == len(set(places))
    assert as_it_stands <= set(places)
    if " " not in text:
        assert as_it_stands == set(places)
        # the exact one first, the others by their number
        exact = [
            i
            for i in places
            if typed(names[i]) == text or any(typed(f.alias) == text for f in found if f.place == i)
        ]
        others = [i for i in places if i not in exact]
        assert others == sorted(others)


@given(ROWS, st.integers(1, 5))
def test_a_limit_takes_the_first(rows, limit):
    index = index_of(rows)
    assert index.find("ha", limit) == index.find("ha", 100)[:limit]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("long ha", "long_hair"),
        ("LONG_HA", "long_hair"),
        ("hair long", "long_hair"),
        ("peace", "v"),
        ("star \\(sy", "star_(symbol)"),
        ("symbol", "star_(symbol)"),
        (":d", ":d"),
        ("", "1girl"),
    ],
)
def test_our_own_words(text, first):
    names = own().columns.names
    assert first in [names[f.place] for f in NameIndex(own()).find(text, 20)]


def test_nothing_is_found_for_what_begins_no_word():
    index = index_of([("black_hair", 3, [])])
    assert index.find("air", 9) == []
    assert index.find("hair x", 9) == []
    assert index.find("a" * 200, 9) == []


def test_many_matches_are_remembered_and_stay_right():
    rows = [(f"hat_{n}", n, []) for n in range(9000)]
    index = index_of(rows)
    once = index.find("ha", 20)
    assert once == index.find("ha", 20)
    assert [f.place for f in once] == list(range(20))


def test_long_names_are_told_apart_after_the_sorted_letters():
    long = "a" * 60
    index = index_of([(f"{long}b", 1, []), (f"{long}c", 2, [])])
    assert [f.place for f in index.find(f"{long}b", 9)] == [1]
    assert [f.place for f in index.find(long, 9)] == [0, 1]
