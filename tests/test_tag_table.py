"""Tags in columns are the same tags: in memory, as JSON, against thresholds, and read from what older versions stored."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.captions.thresholds import Thresholds, passing
from lib_extend.config import TagConfig
from lib_extend.parts.part_table import parts
from lib_extend.records import Analysis, Box, Category, Person, Source, Tag
from lib_extend.tag_table import TagTable, rows, tags_from_json, tags_to_json

TABLE = TagTable(
    ["general", "cake", "miku"], [999_000, 350_000, 349_999], {0: Category.RATING, 2: Category.CHARACTER}
)
TAGS = (
    Tag("general", Category.RATING, 0.999),
    Tag("cake", Category.GENERAL, 0.35),
    Tag("miku", Category.CHARACTER, 0.349999),
)


def test_it_is_a_sequence_of_its_tags() -> None:
    assert TABLE == TAGS and TAGS == TABLE and TAGS[:2] != TABLE
    assert (len(TABLE), TABLE[1], TABLE[-1], TABLE[:2]) == (3, TAGS[1], TAGS[2], TAGS[:2])
    assert [*TABLE] == [*TAGS] and hash(TABLE) == hash(TAGS) and TAGS[1] in TABLE
    with pytest.raises(IndexError):
        TABLE[3]
    assert list(rows(TABLE)) == list(rows(TAGS))
    assert Analysis(1, 1, TABLE) == Analysis(1, 1, TAGS)
    assert (
        Person("", Box(0, 0, 1, 1), tags=TABLE).to_json() == Person("", Box(0, 0, 1, 1), tags=TAGS).to_json()
    )


@given(st.lists(st.tuples(st.text(min_size=1), st.integers(0, 1_000_000), st.sampled_from(list(Category)))))
def test_columns_survive_json(given_tags: list[tuple[str, int, Category]]) -> None:
    names, millionths, kinds = zip(*given_tags, strict=True) if given_tags else ((), (), ())
    table = TagTable(names, millionths, {i: c for i, c in enumerate(kinds) if c is not Category.GENERAL})
    read = tags_from_json(json.loads(json.dumps(tags_to_json(table))))
    assert isinstance(read, TagTable) and read == table
    assert [t.score for t in read] == [m / 1_000_000 for m in millionths]


def test_tags_that_are_no_taggers_keep_all_their_fields() -> None:
    own = (Tag("cake", Category.GENERAL, None, Source.HUMAN, locked=True),)
    assert tags_from_json(json.loads(json.dumps(tags_to_json(own)))) == own


def test_what_older_versions_stored_is_read() -> None:
    old = [{"name": "cake", "category": "general", "score": 0.35, "source": "tagger", "locked": False}]
    assert parts()["tags"].from_json(old) == (Tag("cake", score=0.35),)
    person = {
        "letter": "",
        "box": {"x0": 0, "y0": 1, "x1": 2, "y1": 3},
        "score": 0.5,
        "tags": old,
        "locked": False,
    }
    assert parts()["persons"].from_json([person]) == (
        Person("", Box(0, 1, 2, 3), 0.5, (Tag("cake", score=0.35),)),
    )


def test_persons_carry_their_columns() -> None:
    persons = (Person("", Box(0, 1, 2, 3), 0.5, TABLE),)
    data = json.loads(json.dumps(parts()["persons"].to_json(persons)))
    read = parts()["persons"].from_json(data)
    assert read == persons and isinstance(read[0].tags, TagTable)


@pytest.mark.parametrize(
    "bad",
    [
        {"form": 3},
        {"form": 2, "names": ["a"], "millionths": [], "categories": {}},
        {},
        5,
        {"form": 2, "names": [5], "millionths": [1], "categories": {}},
        {"form": 2, "names": ["a"], "millionths": [1], "categories": {"character": [1]}},
    ],
)
def test_what_is_no_tags_is_refused(bad: object) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        tags_from_json(bad)


@pytest.mark.parametrize("settings", [{}, {"mcut": True}, {"rating": True}, {"threshold": 0.2}])
def test_columns_pass_the_thresholds_as_tags_do(settings: dict[str, object]) -> None:
    config = TagConfig(**settings)  # type: ignore[arg-type]
    own = Thresholds(0.35, 0.3, {"cake": 0.36})
    passed = [list(passing(tags, config, own, lambda name: name == "keep")) for tags in (TABLE, TAGS)]
    assert passed[0] == passed[1] and len(passed[0]) >= 2
