"""Several taggers made one: every way on scores worked out by hand, and what holds for all scores."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.captions.thresholds import Thresholds, agreement
from lib_extend.config import TagConfig
from lib_extend.errors import UserError
from lib_extend.records import Category, Tag
from lib_extend.tag_table import MILLION, TagTable
from lib_extend.tagger_agreement import Agreement, Limits, merged

KNOWN = {
    "a": frozenset({"hat", "smile", "cake", "rin", "general"}),
    "b": frozenset({"hat", "smile", "rin", "general", "only_b"}),
    "c": frozenset({"hat", "smile", "rin", "general"}),
}
OWN = Thresholds.together({"a": Limits(0.3, 0.8), "b": Limits(0.5, 0.8), "c": Limits(0.4, 0.8)})


def said() -> TagTable:
    """Smile: sure, just not sure, sure. Hat: only a is sure. Cake: only a knows it, and is sure."""

    def tags(**scores: float) -> list[Tag]:
        kinds = {"rin": Category.CHARACTER, "general": Category.RATING}
        return [Tag(n, kinds.get(n, Category.GENERAL), s) for n, s in scores.items()]

    return merged(
        {
            "a": tags(smile=0.9, hat=0.4, cake=0.35, rin=0.9, general=0.2),
            "b": tags(smile=0.49, hat=0.1, rin=0.7, general=0.8),
            "c": tags(smile=0.6, rin=0.95, general=0.5, only_b=0.1),
        },
        {**KNOWN, "c": KNOWN["c"] | {"only_b"}},
    )


def passed(config: TagConfig, own: Thresholds = OWN) -> dict[str, tuple[str, ...]]:
    """The tags that reach the common threshold, each with those that said it."""
    found = agreement(config, own).table(said())
    general = own.general if config.threshold is None else config.threshold
    limits = {Category.GENERAL: general, Category.CHARACTER: own.character, Category.RATING: 2.0}
    return {t.name: t.taggers for t in found if (t.score or 0) >= limits[t.category]}


@pytest.mark.parametrize(
    ("way", "names"),
    [
        ("union", {"smile", "hat", "cake", "rin"}),
        ("intersection", {"cake"}),
        ("vote", {"smile", "cake", "rin"}),
        # smile: on the common scale 0.91, 0.39 and 0.6; hat: 0.49, 0.08 and 0
        ("mean", {"smile", "cake", "rin"}),
    ],
)
def test_each_way(way: str, names: set[str]) -> None:
    found = passed(TagConfig(tagger="a,b,c", tagger_agreement=way))
    assert found.keys() == names
    if "smile" in names:
        assert found["smile"] == ("a", "c")  # b is a hundredth short of it
    assert found["cake"] == ("a",)  # who does not know a tag cannot deny it


def test_the_users_thresholds_win_over_the_taggers() -> None:
    config = TagConfig(
        tagger="a,b,models/c", tagger_agreement="intersection", tagger_thresholds=["b=0.45", "c=0.6/0.9"]
    )
    assert passed(config).keys() == {"smile", "cake"}
    one_for_all = TagConfig(tagger="a,b,c", tagger_agreement="union", threshold=0.95)
    assert passed(one_for_all).keys() == {"rin"}  # whose threshold is another


@pytest.mark.parametrize("bad", ["b=2", "b=x", "b", "wrong=0.5"])
def test_thresholds_that_mean_nothing_are_refused(bad: str) -> None:
    with pytest.raises(UserError, match="tagger_thresholds"):
        TagConfig(tagger="a,b", tagger_thresholds=[bad])


def test_a_table_of_several_goes_through_json_and_back() -> None:
    table = agreement(TagConfig(tagger="a,b,c"), OWN).table(said())
    assert isinstance(table, TagTable)
    again = TagTable.from_json(json.loads(json.dumps(table.to_json())))
    assert again == table
    assert [t.taggers for t in again] == [t.taggers for t in table]
    assert again.each["b"][list(again.names).index("cake")] is None  # it does not know it


MILLIONTHS = st.integers(0, MILLION)
LIMIT = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.3, 0.35, 0.2653, 1.0]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(MILLIONTHS, LIMIT), min_size=2, max_size=4), LIMIT)
def test_who_reaches_its_own_threshold_reaches_the_common_one(
    pairs: list[tuple[int, float]], common: float
) -> None:
    """Union passes when any does, intersection when all do, vote when more than half do: to the millionth."""
    each = {str(i): [score] for i, (score, _) in enumerate(pairs)}
    limits = {str(i): Limits(limit) for i, (_, limit) in enumerate(pairs)}
    sure = [score / MILLION >= limit for score, limit in pairs]
    expected = {"union": any(sure), "intersection": all(sure), "vote": sum(sure) * 2 > len(sure)}
    for way, should in expected.items():
        table = TagTable(["hat"], [0], {}, each=each, said=[0])
        (tag,) = Agreement(way, limits, Limits(common)).table(table)
        assert ((tag.score or 0) >= common) is should
        assert len(tag.taggers) == sum(sure)


def test_with_one_threshold_scores_stay_as_they_are() -> None:
    table = merged({"a": [Tag("hat", score=0.4)], "b": [Tag("hat", score=0.3)]}, KNOWN)
    (tag,) = Agreement("union", {"a": Limits(0.35), "b": Limits(0.35)}, Limits(0.35)).table(table)
    assert tag.score == 0.4
