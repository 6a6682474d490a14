"""Records to JSON and back, and what is refused on the way."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.json_record import Record, RecordError, _fields
from lib_extend.records import (
    Analysis,
    Answer,
    Box,
    Caption,
    Category,
    Drop,
    Person,
    Prompt,
    Reply,
    Source,
    Tag,
)
from tests.house import modules

words = st.text(max_size=8)
scores = st.none() | st.floats(0, 1)
tags = st.builds(Tag, words, st.sampled_from(Category), scores, st.sampled_from(Source), st.booleans())
boxes = st.builds(Box, *[st.floats(0, 4000)] * 4)
persons = st.builds(Person, words, boxes, scores, st.lists(tags, max_size=3).map(tuple), st.booleans())
answers = st.builds(Answer, words, words, words, words, scores, words, st.booleans(), st.integers(0, 5))
records = st.one_of(
    tags,
    persons,
    st.builds(
        Analysis, st.integers(1), st.integers(1), st.tuples(tags), st.tuples(answers), st.tuples(persons)
    ),
    st.builds(
        Caption, words, st.tuples(tags), st.tuples(st.builds(Drop, words, words)), st.tuples(persons), words
    ),
    st.builds(Prompt, words, st.lists(st.lists(words).map(tuple)).map(tuple), st.integers(1)),
    st.builds(Reply, words, st.none() | st.lists(st.floats(0, 1)).map(tuple)),
)


@dataclass(frozen=True)
class Everything(Record):
    text: str
    numbers: Mapping[str, float]
    pair: tuple[str, int] = ("", 0)
    anything: Any = None
    list: tuple[Tag, ...] = field(default=())


@given(records)
def test_there_and_back(record: Record) -> None:
    text = json.dumps(record.to_json())
    assert type(record).from_json(json.loads(text)) == record


def test_what_newer_versions_wrote_is_read() -> None:
    assert Tag.from_json({"name": "cat", "colour": "red", "score": 1}) == Tag("cat", score=1.0)
    assert Person.from_json({"letter": "", "box": [0, 1, 2, 3]}) == Person("", Box(0, 1, 2, 3))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "has no text"),
        ({"text": "a"}, "has no numbers"),
        ({"text": 1, "numbers": {}}, "Everything.text cannot be 1"),
        ({"text": "a", "numbers": []}, "Everything.numbers cannot be"),
        ({"text": "a", "numbers": {"x": "y"}}, "Everything.numbers cannot be"),
        ({"text": "a", "numbers": {"x": True}}, "Everything.numbers cannot be"),
        ({"text": "a", "numbers": {}, "pair": ["a"]}, "Everything.pair cannot be"),
        (
            {"text": "a", "numbers": {}, "list": [{"name": "x", "category": "colour"}]},
            "Tag.category cannot be",
        ),
        ({"text": "a", "numbers": {}, "list": "abc"}, "Everything.list cannot be"),
        ({"text": "a", "numbers": {}, "list": [3]}, "Tag must be an object, not 3"),
        ([], "must be an object"),
        ("x" * 500, "must be an object"),
        (None, "must be an object"),
    ],
)
def test_values_of_another_type_are_refused_by_name(data: Any, said: str) -> None:
    with pytest.raises(RecordError, match=said) as caught:
        Everything.from_json(data)
    assert len(str(caught.value)) < 150


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | words, lambda x: st.lists(x) | st.dictionaries(words, x)
    )
)
def test_no_data_can_break_reading(data: Any) -> None:
    for record in (Analysis, Person, Everything, Caption):
        try:
            record.from_json(data)
        except RecordError:
            continue


def test_every_record_can_be_read() -> None:
    """The types of every record's fields are ones that can be read back."""
    for name in modules():
        room = name.split(".")[1:2]
        if not name.endswith("__main__") and room not in (["sketch"], ["models"], ["ui"]):
            importlib.import_module(name)
    todo, seen = [Record], set()
    while todo:
        for record in todo.pop().__subclasses__():
            seen.add(record)
            todo.append(record)
            _fields(record)
    assert len(seen) > 20
