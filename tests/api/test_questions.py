"""Questions of one's own, over HTTP: files that a job asks, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_extend.datasets.question_files import own_questions
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.question import Kind

from .conftest import FAKE, Server

SEASON = {
    "ask": "What season is it?",
    "answers": ["spring", "late summer"],
    "when": ["outdoors"],
    "tag": "{answer}",
}


def test_own_questions_are_files_that_a_job_asks(server: Server, folder: Path, pictures: Any) -> None:
    saved = server.request("PUT", "/questions/own/season", json=SEASON).json()
    assert (saved["kind"], saved["when"], saved["answers"]) == (
        "one_of",
        ["outdoors"],
        ["spring", "late_summer"],
    )
    assert server.get("/questions/own") == [saved]
    file = Path(saved["file"])
    (read,) = own_questions([str(file)], [], BUILTIN)[len(BUILTIN) :]
    assert (read.name, read.kind, read.ask, read.tag) == ("season", Kind.ONE_OF, SEASON["ask"], "{answer}")
    again = server.request(
        "PUT", "/questions/own/season", json={**SEASON, "ask": 'Is it "warm"?\t\u007f\\ é'}
    ).json()
    assert server.get("/questions/own") == [again] and again["ask"] == 'Is it "warm"?\t\u007f\\ é'
    # what the form does not show stays in the file
    file.write_text(file.read_text(encoding="utf-8") + 'rephrased = "Which season?"\n', encoding="utf-8")
    server.request("PUT", "/questions/own/season", json=SEASON)
    assert own_questions([str(file)], [], BUILTIN)[-1].rephrased == "Which season?"

    # also on a server that others can reach, where other files may not be named
    pictures(folder, "cake3-red.png")
    server.share(folder.parent)
    id = server.open(folder)
    run = server.wait(server.job(id, config={**FAKE, "question_file": [str(file)]}))
    assert run["state"] == "done"
    for other in (
        file.parent / ".." / "questions" / "season.toml",
        file.parent.parent / "presets" / "x.json",
    ):
        body = {"folder": id, "kind": "tag", "config": {**FAKE, "question_file": [str(other)]}}
        server.share(folder)
        assert server.post("/jobs", body, status=403)["field"] == "question_file"
        server.share(folder.parent)
    file.write_text("[[question", encoding="utf-8")
    assert "not TOML" in server.get("/questions/own")[0]["problem"]
    assert server.request("DELETE", "/questions/own/season", json={}).status_code == 200
    assert server.get("/questions/own") == [] and not file.exists()
    assert server.request("DELETE", "/questions/own/season", json={}).status_code == 404


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("Season", {}, "name"),
        ("nul", {}, "name"),
        ("count", {}, "name"),
        ("season", {"ask": ""}, "ask"),
        ("season", {"answers": ["one"]}, "answers"),
        ("season", {"kind": "which"}, "kind"),
        ("season", {"kind": "count"}, "each"),
        ("season", {"when": "outdoors", "answers": 3}, "answers"),
        ("season", {"tag": "{season}"}, "tag"),
        ("season", {"tag": 3}, "tag"),
        ("season", {"group": "all"}, "group"),
    ],
)
def test_a_wrong_question_names_its_field(
    server: Server, name: str, change: dict[str, Any], field: str
) -> None:
    answer = server.request("PUT", f"/questions/own/{name}", json={**SEASON, **change})
    assert answer.status_code == 400 and answer.json()["field"] == field, answer.text
    assert field in answer.json()["error"]
    assert server.get("/questions/own") == []
