"""Pictures left out by a person: not tagged, edited or counted, never touched, and taken in again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_extend.cli.main import main
from lib_extend.datasets.browser import Browser
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.leaving_out import leave_out
from lib_extend.jobs.ranking import uncertain
from lib_extend.jobs.undo import list_runs, undo
from lib_extend.services import browse_edits
from lib_extend.services.edit_actions import Edit

from .conftest import finished, images, names, run


def captions(folder: Path) -> set[str]:
    return {p.stem for p in folder.rglob("*.txt")}


def test_a_picture_that_is_left_out_is_not_tagged(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    (folder / "cake3-red.txt").write_text("mine")
    dataset = Dataset(folder)
    assert leave_out(dataset, ["cake3-red.png"], reason="blurred") == (1, 1)
    events = run(folder)
    assert finished(events).done == 1 and (folder / "cake3-red.txt").read_text() == "mine"
    (notice,) = [e for e in events if isinstance(e, ev.Notice) and e.code == "left_out"]
    assert notice.text == "Left out by you: 1 picture (cake3-red.png)."
    assert b"cake3" not in log.read_bytes()
    leave_out(dataset, ["cake3-red.png"], back=True)
    run(folder)
    assert "3 cakes" in names(folder, "cake3-red.png")


def test_undo_and_its_undo_lead_back(folder: Path) -> None:
    images(folder, "a.png", "b.png")
    dataset = Dataset(folder)

    def left() -> dict[str, str]:
        with dataset.reading() as reader:
            return reader.left_out()

    first, _ = leave_out(dataset, ["a.png"], reason="one")
    second, _ = leave_out(dataset, ["a.png", "b.png"], reason="two")
    assert left() == {"a.png": "two", "b.png": "two"}
    undone = undo(dataset)
    assert undone.run == second and undone.restored == 2 and left() == {"a.png": "one"}
    assert {r.id: r.status for r in list_runs(dataset)}[second] == "undone"
    undo(dataset, undone.by)
    assert left() == {"a.png": "two", "b.png": "two"}
    # a picture that was left out for another reason since stays so, unless forced
    other = undo(dataset, first)
    assert [name for name, _ in other.failed] == ["a.png"] and left()["a.png"] == "two"
    undo(dataset, first, force=True)
    assert left() == {"b.png": "two"}


def test_undo_with_captions_in_between(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    dataset = Dataset(folder)
    leave_out(dataset, ["book1-blue.png"])
    run(folder)
    undo(dataset)
    assert captions(folder) == set()
    undo(dataset)
    run(folder)
    assert captions(folder) == {"cake3-red", "book1-blue"}


def test_nothing_new_is_no_run(folder: Path) -> None:
    images(folder, "a.png")
    dataset = Dataset(folder)
    assert leave_out(dataset, ["a.png"], back=True) == (0, 0)
    leave_out(dataset, ["a.png"])
    assert leave_out(dataset, ["a.png"]) == (0, 0)
    assert [r.kind for r in list_runs(dataset)] == ["leave_out"]


def test_names_and_reasons_are_checked(folder: Path, tmp_path: Path) -> None:
    images(folder, "a.png", "sub/b.png")
    images(tmp_path, "c.png")
    dataset = Dataset(folder)
    assert leave_out(dataset, [str(folder / "sub" / "b.png"), "a.png"])[1] == 2
    for wrong in ("gone.png", "../c.png", str(tmp_path / "c.png"), "sub"):
        with pytest.raises(UserError, match="There is no picture"):
            leave_out(dataset, [wrong])
    with pytest.raises(UserError, match="A reason is one line"):
        leave_out(dataset, ["a.png"], reason="x" * 501)
    (folder / "a.png").unlink()
    assert leave_out(dataset, ["a.png"], back=True)[1] == 1


def test_one_of_two_that_share_a_caption(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "cake3-red.jpg")
    leave_out(Dataset(folder), ["cake3-red.jpg"])
    assert finished(run(folder)).failed == 0 and captions(folder) == {"cake3-red"}


def test_browsing_edits_and_statistics(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    for name in ("cake3-red", "book1-blue"):
        (folder / f"{name}.txt").write_text("1girl")
    dataset = Dataset(folder)
    leave_out(dataset, ["cake3-red.png"], reason="blurred")
    browser = Browser(dataset)
    try:
        assert browser.wait(20)
        rows = {r["name"]: r["left_out"] for r in browser.images()[1]}
        assert rows == {"cake3-red.png": "blurred", "book1-blue.png": None}
        assert [r["name"] for r in browser.images("left-out")[1]] == ["cake3-red.png"]
        assert [r["name"] for r in browser.images("1girl -left-out")[1]] == ["book1-blue.png"]
        assert browser.tags()[1] == [{"tag": "1girl", "count": 1}]
        assert browser.tags("left-out or 1girl")[1] == [{"tag": "1girl", "count": 2}]
        assert browse_edits.edit(browser, Edit("add", ("hat",)), filter="", preview=True).total == 1
        browse_edits.edit(browser, Edit("add", ("hat",)), filter="1girl")
        assert (folder / "cake3-red.txt").read_text() == "1girl"
        assert (folder / "book1-blue.txt").read_text() == "1girl, hat"
        leave_out(dataset, ["cake3-red.png"], back=True)
        assert browser.images("left-out")[0] == 0 and browser.tags()[1][0] == {"tag": "1girl", "count": 2}
    finally:
        browser.close()


def test_review_does_not_ask_about_it(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    run(folder)
    assert {i.path for i in uncertain(Dataset(folder), below=0.95)} == {"cake3-red.png", "book1-blue.png"}
    leave_out(Dataset(folder), ["cake3-red.png"])
    assert {i.path for i in uncertain(Dataset(folder), below=0.95)} == {"book1-blue.png"}


def test_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images(folder, "a.png", "b.png")
    assert main(["leave-out", str(folder)]) == 0
    assert "No picture of" in capsys.readouterr().out and not (folder / ".prompt-extend").exists()
    assert main(["leave-out", str(folder), "a.png", str(folder / "b.png"), "--reason", "blurred"]) == 0
    assert capsys.readouterr().out == "2 pictures left out (run 1).\n"
    assert main(["leave-out", str(folder), "--json"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"path": "a.png", "reason": "blurred"}, {"path": "b.png", "reason": "blurred"},
    ]  # fmt: skip
    assert main(["leave-out", str(folder), "a.png", "--back"]) == 0
    assert main(["leave-out", str(folder), "c.png"]) == 2
    captured = capsys.readouterr()
    assert "1 picture taken in again (run 2)." in captured.out and "There is no picture c.png" in captured.err
    assert main(["runs", str(folder)]) == 0
    assert "leave_out" in capsys.readouterr().out
    assert main(["undo", str(folder)]) == 0
    assert main(["leave-out", str(folder)]) == 0
    assert "a.png: blurred" in capsys.readouterr().out


def test_a_database_of_an_older_format_has_none(folder: Path, log: Path) -> None:
    import sqlite3

    images(folder, "cake3-red.png")
    run(folder)
    file = folder / ".prompt-extend" / "state.sqlite3"
    db = sqlite3.connect(file)
    db.executescript("DROP TABLE left_out; DROP TABLE marks; DROP TABLE jobs; PRAGMA user_version=2")
    db.close()
    assert leave_out(Dataset(folder), ["cake3-red.png"])[1] == 1
    assert finished(run(folder)).done == 0
