"""Reviewing answers: which are shown, and what a person's word does to the caption."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extend.cli.main import main
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.jobs import verdict_runs
from lib_extend.jobs.undo import list_runs, undo
from lib_extend.jobs.verdict_runs import decide, uncertain
from lib_extend.questions.answer_doubts import doubts
from lib_extend.records import Answer, Tag
from lib_extend.worker.client import WorkerClient

from .conftest import FAKE_WORKER, caption, images, names, run


def say(folder: Path, name: str, question: str, thing: str, verdict: str, answer: str = "") -> str:
    return decide(
        Dataset(folder), name, question, thing, verdict, answer, client=lambda: WorkerClient(FAKE_WORKER)
    )


def test_least_certain_first(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    run(folder)
    items = uncertain(Dataset(folder), below=0.95)
    assert [(i.path, i.question, i.probability) for i in items] == [
        ("book1-blue.png", "color", 0.8),
        ("cake3-red.png", "color", 0.8),
        ("cake3-red.png", "count", 0.9),
    ]
    assert items[0].reason == "probability 0.80" and items[0].tag == "blue_book"
    assert len(uncertain(Dataset(folder), below=0.85)) == 2 and not uncertain(Dataset(folder), below=0.5)


def test_verdicts(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    run(folder, answer_threshold=0.85)
    assert "red cake" not in names(folder, "cake3-red.png")
    assert "red cake" in say(folder, "cake3-red.png", "color", "cake", "accept")
    assert "3 cakes" not in say(folder, "cake3-red.png", "count", "cake", "reject")
    text = say(folder, "cake3-red.png", "count", "cake", "correct", "there are five")
    assert "5 cakes" in text and text == caption(folder, "cake3-red.png")
    assert not [i for i in uncertain(Dataset(folder), below=0.99) if i.path == "cake3-red.png"]
    # they outlive reruns with other settings, and undo takes the newest back
    run(folder, answer_threshold=0.99)
    assert {"5 cakes", "red cake"} <= names(folder, "cake3-red.png")
    assert log.read_bytes().count(b"cake3") == 1, "no model ran again"


def test_a_locked_answer_outlives_a_limit(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder)
    say(folder, "cake3-red.png", "color", "cake", "lock")
    run(folder, max_tags=2)
    assert names(folder, "cake3-red.png") == {"1girl", "red cake"}


def test_undo_takes_a_verdict_back_from_the_file(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder)
    before = caption(folder, "cake3-red.png")
    say(folder, "cake3-red.png", "count", "cake", "correct", "4")
    undo(Dataset(folder))
    assert caption(folder, "cake3-red.png") == before


def test_the_verdicts_of_a_sitting_are_one_run(
    folder: Path, log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images(folder, "cake3-red.png", "book2-blue.png")
    run(folder)
    before = {n: caption(folder, n) for n in ("cake3-red.png", "book2-blue.png")}
    say(folder, "cake3-red.png", "count", "cake", "correct", "4")
    say(folder, "cake3-red.png", "color", "cake", "reject")
    say(folder, "book2-blue.png", "count", "book", "correct", "5")
    _, sitting = list_runs(Dataset(folder))
    assert (sitting.kind, sitting.status, sitting.changed, sitting.config["answers"]) == (
        "review",
        "done",
        2,
        3,
    )
    main(["runs", str(folder)])
    assert "review         done          3 answers      2 changed     0 failed\n" in capsys.readouterr().out
    say(folder, "cake3-red.png", "color", "cake", "withdraw")
    assert "red cake" in names(folder, "cake3-red.png"), "one verdict is withdrawn, the others stay"
    assert {"4 cakes"} <= names(folder, "cake3-red.png") and "5 books" in names(folder, "book2-blue.png")
    assert list_runs(Dataset(folder))[-1].config["answers"] == 2
    assert undo(Dataset(folder)).run == sitting.id
    assert {n: caption(folder, n) for n in before} == before
    say(folder, "book2-blue.png", "count", "book", "correct", "6")
    assert [r.kind for r in list_runs(Dataset(folder))] == ["tag", "review", "undo", "review"], (
        "another kind between"
    )
    monkeypatch.setattr(verdict_runs, "PAUSE", 0.0)
    say(folder, "book2-blue.png", "count", "book", "correct", "7")
    assert [r.kind for r in list_runs(Dataset(folder))][-2:] == ["review", "review"], "after a pause"
    assert undo(Dataset(folder)).restored == 1 and "6 books" in names(folder, "book2-blue.png")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.png", "count", "cake", "accept"), "There is no image nowhere.png"),
        (("cake3-red.png", "size", "cake", "accept"), "the questions are count"),
        (("cake3-red.png", "count", "hat", "accept"), "has no answer to count about hat"),
        (("cake3-red.png", "count", "cake", "correct", "many"), "'many' is no answer to count"),
    ],
)
def test_wrong_words(folder: Path, log: Path, arguments: tuple[str, ...], words: str) -> None:
    images(folder, "cake3-red.png")
    run(folder)
    with pytest.raises(UserError, match=words):
        say(folder, *arguments)


def test_nothing_to_review(folder: Path, log: Path) -> None:
    with pytest.raises(UserError, match="was never tagged"):
        uncertain(Dataset(folder))
    images(folder, "cake3-red.png")
    run(folder, vlm="none")
    with pytest.raises(UserError, match="asked questions: tag it with --vlm first"):
        uncertain(Dataset(folder))


def test_contradictions() -> None:
    tags = (Tag("table", score=0.5), Tag("cake", score=0.9), Tag("cup", score=0.9))
    answers = (
        Answer("count", "table", "2", "2", 0.9, "2_tables"),
        Answer("color", "table", "none", "none", 0.9, ""),
        Answer("count", "cake", "0", "0", 0.9, ""),
        Answer("count", "cup", "2", "2", 0.9, "2_cups"),
    )
    found = {(d.question, d.object): d.reason for d in doubts(tags, answers)}
    assert "is there a table" in found["count", "table"]
    assert "sees a cake" in found["count", "cake"]
    assert ("count", "cup") not in found
    doubted = doubts((Tag("table", score=0.4),), answers[1:2])
    assert doubted[0].reason == "the tagger doubts the table too (0.40)"
