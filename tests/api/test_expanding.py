"""Prompts that become longer, over HTTP."""

from __future__ import annotations

import json

import pytest

from tests.api.conftest import Server


def test_drafts_count_their_seeds_up(server: Server) -> None:
    answer = server.post("/expand", {"prompt": "1girl, cake", "expander": "sketch", "seed": 7, "drafts": 3})
    assert [d["seed"] for d in answer["drafts"]] == [7, 8, 9]
    assert answer["drafts"][0]["text"] == "1girl, cake, smile" and answer["device"] == "cpu"


def test_any_seed_is_said(server: Server) -> None:
    first, second = (
        server.post("/expand", {"prompt": "cake", "expander": "sketch"})["drafts"][0]["seed"]
        for _ in range(2)
    )
    assert first != second and first >= 0


def test_a_stream_of_drafts(server: Server) -> None:
    body = {"prompt": "1girl, cake", "expander": "sketch", "seed": 7, "drafts": 2, "stream": True}
    answer = server.request("POST", "/expand", json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert [(e["event"], e.get("number"), e.get("seed")) for e in events] == [
        ("draft", 0, 7), ("draft", 1, 8), ("finished", None, None),
    ]  # fmt: skip
    assert events[0]["text"] == "1girl, cake, smile" and events[0]["done"]
    assert events[2]["error"] == "" and events[2]["device"] == "cpu"
    failed = server.request("POST", "/expand", json={**body, "expander": "fail"}).text
    assert "There is no expander called 'fail'." in failed
    assert server.request("POST", "/expand", json={**body, "top_p": 0}).status_code == 400


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"top_p": 0}, "top_p", "above 0"),
        ({"drafts": 33}, "drafts", "from 1 to 32"),
        ({"target": "huge"}, "target", "one of"),
        ({"aspect": 0}, "aspect", "from 0.1 to 10"),
        ({"device": "toaster"}, "device", "toaster"),
    ],
)
def test_what_cannot_be_is_named(server: Server, changes: dict[str, object], field: str, words: str) -> None:
    answer = server.request("POST", "/expand", json={"prompt": "cake", "expander": "sketch", **changes})
    assert answer.status_code == 400
    assert answer.json()["field"] == field and words in answer.json()["error"]


def test_an_expander_that_is_not_there(server: Server) -> None:
    answer = server.request("POST", "/expand", json={"prompt": "cake", "expander": "fail"})
    assert answer.status_code == 400 and "no expander called" in answer.json()["error"]
