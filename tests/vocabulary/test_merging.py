"""Several lists as one: the rules of `merging`, over any lists."""

from hypothesis import given
from hypothesis import strategies as st

from lib_extend.records import Category
from lib_extend.vocabulary.implications import Implications, cycles_broken
from lib_extend.vocabulary.merging import merged
from lib_extend.vocabulary.tag_list import TagList, TagRow

NAMES = st.sampled_from("abcdefgh")
ROWS = st.builds(
    TagRow,
    NAMES,
    st.none() | st.sampled_from([Category.GENERAL, Category.CHARACTER]),
    st.none() | st.integers(0, 99),
    st.booleans(),
    st.lists(NAMES, max_size=3).map(tuple),
    st.sampled_from(["", "x"]),
)
LISTS = st.lists(st.builds(TagList, st.just("l"), st.lists(ROWS, max_size=6)), max_size=3)
PAIRS = st.lists(st.tuples(NAMES, NAMES), max_size=20)


@given(LISTS)
def test_a_name_means_one_thing(lists):
    words = merged(lists).vocabulary
    for row in (row for one in lists for row in one.rows):
        target = words.resolve(row.name)
        assert target in words
        assert words.resolve(target) == target
        for alias in row.aliases:
            assert words.resolve(words.resolve(alias)) == words.resolve(alias)
            assert words.facts(alias) is not None


@given(LISTS)
def test_the_first_list_keeps_its_say(lists):
    words = merged(lists).vocabulary
    for row in lists[0].rows[:1] if lists else ():
        facts = words.facts(row.name)
        assert words.resolve(row.name) == row.name == facts.name
        assert row.category is None or facts.category is row.category
        assert row.pictures is None or row.rough or facts.count == row.pictures


@given(LISTS)
def test_most_frequent_first(lists):
    counts = list(merged(lists).vocabulary.columns.counts)
    assert counts == sorted(counts, reverse=True)


@given(PAIRS)
def test_what_is_kept_has_no_circle_and_loses_nothing_else(pairs):
    kept, circles = cycles_broken(pairs)
    follows = Implications(kept)
    for special, general in kept:
        assert general in follows.of(special)
        assert special not in follows.of(general)
    assert all(name not in follows.of(name) for name in "abcdefgh")
    for special, general in set(pairs) - set(kept):
        # it would have closed a circle, which is told
        assert special == general or special in follows.of(general)
        assert any(c[0] == general and c[-1] == special for c in circles)


@given(PAIRS)
def test_the_kept_pairs_are_kept_again(pairs):
    kept, _ = cycles_broken(pairs)
    assert cycles_broken(kept) == (kept, [])


def test_an_exact_number_replaces_a_rough_one():
    rough = TagList("own", [TagRow("hat", Category.GENERAL, 300_000, True, (), "headwear")])
    exact = TagList("site", [TagRow("hat", None, 412_345)])
    for lists in ([rough, exact], [exact, rough]):
        facts = merged(lists).vocabulary.facts("hat")
        assert (facts.count, facts.rough, facts.group) == (412_345, False, "headwear")


def test_another_word_of_a_trusted_list_is_no_tag_of_a_later_one():
    site = TagList("site", [TagRow("sweater", Category.GENERAL, 9, False, ("sweatshirt",))])
    tagger = TagList("tagger", [TagRow("sweatshirt", Category.GENERAL, 5)])
    words = merged([site, tagger]).vocabulary
    assert words.resolve("sweatshirt") == "sweater"
    assert list(words) == ["sweater"]
    assert words.facts("sweater").count == 9
    # the other way round it was a tag before anybody said otherwise
    assert merged([tagger, site]).vocabulary.resolve("sweatshirt") == "sweatshirt"


def test_a_circle_over_two_lists_is_told():
    found = merged(
        [
            TagList(
                "one.json", [TagRow("a"), TagRow("b"), TagRow("c", aliases=("k",))], [("a", "b"), ("b", "c")]
            ),
            TagList("two.json", (), [("k", "a")]),
        ]
    )
    assert found.vocabulary.implied("a") == {"b", "c"}
    assert [(p.code, p.file) for p in found.problems] == [("implication_cycle", "two.json")]
    assert "a → b → c → a" in found.problems[0].words
