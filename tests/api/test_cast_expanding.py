"""Casts that are expanded over HTTP, and for a generation."""

from __future__ import annotations

import pytest

from lib_extend.generation.cast import Cast, Character
from lib_extend.generation.expansion import Expansion
from lib_extend.generation.expansion_requests import requests_of
from lib_extend.services import cast_expanding
from tests.api.conftest import Server

CAST = {
    "characters": [{"prompt": "1girl, black hair"}, {"prompt": "1boy, white hair"}],
    "expansion": {"expander": "sketch"},
}


def test_all_places_with_words(server: Server) -> None:
    answer = server.post("/cast/expand", {**CAST, "prompt": "night", "seed": 7})
    assert answer["seed"] == 7 and list(answer["added"]) == ["prompt", "0", "1"]
    assert answer["added"]["0"] == {"tags": ["smile"], "prose": "", "locked": []}


def test_locked_tags_stay_first(server: Server) -> None:
    characters = [{"prompt": "1girl", "added": {"tags": ["wave", "hat"], "locked": ["hat"]}}]
    answer = server.post("/cast/expand", {**CAST, "characters": characters, "places": ["0"]})
    assert answer["added"] == {"0": {"tags": ["hat", "smile"], "prose": "", "locked": ["hat"]}}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"places": ["2"]}, "places[0]", "prompt, 0, 1, scene"),
        ({"expansion": {"length": "huge"}}, "expansion.length", "very_short"),
        ({"expansion": {"top_p": 2}}, "expansion.top_p", "0.01 to 1"),
        ({"characters": [{"added": {"tags": "smile"}}]}, "characters[0].added.tags", "list"),
        ({"seed": "x"}, "seed", "number"),
    ],
)
def test_what_cannot_be_is_named(server: Server, changes: dict[str, object], field: str, words: str) -> None:
    answer = server.request("POST", "/cast/expand", json={**CAST, **changes})
    assert answer.status_code == 400
    assert answer.json()["field"] == field and words in answer.json()["error"]


def test_pictures_with_one_text_are_one_batch(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds in a row are drafts of one request; each picture gets its own."""
    given: list[tuple[str, int, int]] = []
    tasks = cast_expanding.tasks
    monkeypatch.setattr(
        cast_expanding,
        "tasks",
        lambda requests: (
            given.extend((r.text, r.sampling.seed, r.drafts) for r in requests) or tasks(requests)
        ),
    )
    cast = Cast((Character(prompt="1girl, hat"),), expansion=Expansion(expander="sketch"))
    asked = [one for seed in (8, 7, 9, 20) for one in requests_of(cast, "night", seed, ["prompt"])]
    found = cast_expanding.expand_texts(server.services, asked, offline=True)
    assert [(seed, drafts) for _, seed, drafts in given] == [(7, 3), (20, 1)]
    assert len(found) == 4 and all(one.tags == ("smile",) for one in found)
