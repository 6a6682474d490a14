"""Runs, undos and edits in between are one history of each file, and every text of it can be had again."""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from lib_extend.captions.editing import with_tags
from lib_extend.cli.main import main
from lib_extend.datasets.change_history import Step, in_effect
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.run_rows import Run
from lib_extend.datasets.state import State
from lib_extend.errors import ImageError, UserError
from lib_extend.jobs import undo as undoing
from lib_extend.jobs.caption_history import restore, versions
from lib_extend.jobs.edit_runs import edit_captions, save_caption
from lib_extend.jobs.undo import list_runs, undo

DATA = Path(__file__).parent / "data"


@pytest.fixture
def data(folder: Path) -> Dataset:
    return Dataset(folder)


def edit(data: Dataset, tag: str, *names: str) -> int:
    """Add a tag to captions; returns the run."""
    return edit_captions(
        data, names or ["a.txt"], lambda t, style: with_tags(t, [tag], style), {"tag": tag}
    ).run


def put(data: Dataset, text: str, name: str = "a.txt") -> None:
    (data.root / name).write_bytes(text.encode())


def text(data: Dataset, name: str = "a.txt") -> str | None:
    file = data.root / name
    return file.read_bytes().decode() if file.exists() else None


def statuses(data: Dataset) -> list[str]:
    return [r.status for r in list_runs(data)]


def texts(data: Dataset, name: str = "a.txt") -> list[str | None]:
    return [None if v.text is None else v.text.decode() for v in versions(data, name)]


def follow(sentence: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the last command that a sentence names; returns what it printed."""
    command = shlex.split(sentence.split("`")[-2])
    assert command[0] == "prompt-extend"
    capsys.readouterr()
    main(command[1:])
    return capsys.readouterr().out


def test_an_undo_that_left_an_edit_can_be_forced_afterwards(
    data: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    put(data, "hat")
    put(data, "cap", "b.txt")
    edit(data, "sky", "a.txt", "b.txt")
    put(data, "mine now")
    done = undo(data)
    assert (done.restored, [n for n, _ in done.failed]) == (1, ["a.txt"]) and text(data) == "mine now"
    assert statuses(data) == ["done", "done"] and list_runs(data)[0].taken_back == 1
    with pytest.raises(UserError, match="--run 1 --force` does that"):
        undo(data)
    assert "1 caption restored" in follow(done.failed[0][1], capsys)
    assert text(data) == "hat" and statuses(data)[0] == "undone"
    assert "mine now" in texts(data)
    undo(data, 3)
    assert text(data) == "mine now", "the forced undo is taken back like any other"


def test_force_alone_means_the_run_that_was_left(data: Dataset) -> None:
    put(data, "hat")
    edit(data, "sky")
    put(data, "mine")
    undo(data)
    assert undo(data, force=True).run == 1 and text(data) == "hat"


def test_undo_after_a_redo_takes_the_run_back_again(data: Dataset) -> None:
    put(data, "hat")
    edit(data, "sky")
    edit(data, "sea")
    assert undo(data).run == 2 and undo(data).run == 1 and text(data) == "hat"
    undo(data, 4)
    assert text(data) == "hat, sky" and statuses(data) == ["done", "undone", "done", "undone", "done"]
    undo(data, 3)
    assert text(data) == "hat, sky, sea"
    assert undo(data).run == 2 and text(data) == "hat, sky"
    assert undo(data).run == 1 and text(data) == "hat"
    with pytest.raises(UserError, match="No run on .* changed a caption"):
        undo(data)


def test_what_was_taken_back_names_the_way_forth(data: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    put(data, "hat")
    edit(data, "sky")
    undo(data)
    with pytest.raises(UserError, match="already undone by run 2") as raised:
        undo(data, 1)
    follow(str(raised.value), capsys)
    assert text(data) == "hat, sky"


def test_a_caption_changed_by_a_later_run_is_left(data: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    put(data, "hat")
    edit(data, "sky")
    edit(data, "sea")
    done = undo(data, 1)
    assert not done.restored and "was changed by run 2 after run 1" in done.failed[0][1]
    assert text(data) == "hat, sky, sea"
    follow(done.failed[0][1], capsys)
    assert text(data) == "hat" and statuses(data)[:2] == ["undone", "undone"]
    newest = list_runs(data)[-1].id
    undo(data, newest)
    assert text(data) == "hat, sky, sea" and statuses(data)[:2] == ["done", "done"]


def test_a_redo_out_of_order_by_force_leaves_a_true_list(data: Dataset) -> None:
    put(data, "A")
    edit(data, "B")
    edit(data, "C")
    undo(data)  # 3
    undo(data)  # 4
    assert undo(data, 3).failed, "run 4 was made since"
    undo(data, 3, force=True)
    assert text(data) == "A, B, C" and statuses(data)[:2] == ["done", "done"]
    assert undo(data).run == 2 and undo(data).run == 1 and text(data) == "A"


def test_words_written_between_two_starts_of_a_run_are_kept(
    data: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    from lib_extend.jobs import journal
    from lib_extend.jobs.journal import Write

    put(data, "first")
    with data.locked_state() as state:
        run = state.start_run("tag", {}, "key", 1.0)
        journal.commit(state, run, [Write("a.txt", lambda now: (b"ours", None))])
        put(data, "between")
        journal.commit(state, run, [Write("a.txt", lambda now: (b"ours again", None))])
        state.update_run(run, "done", 2.0)
    assert texts(data) == ["first", "ours", "between", "ours again"]
    done = undo(data)
    assert text(data) == "between" and done.restored == 1 and not done.failed
    follow(done.partly[0][1], capsys)
    assert text(data) == "first"


def test_a_failed_write_deletes_no_earlier_original(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_extend.jobs import journal
    from lib_extend.jobs.journal import Write

    put(data, "original")

    def refuse(path: Path, temp: Path | None) -> None:
        raise ImageError("no")

    with data.locked_state() as state:
        run = state.start_run("tag", {}, "key", 1.0)
        journal.commit(state, run, [Write("a.txt", lambda now: (b"ours", None))])
        with monkeypatch.context() as patch:
            patch.setattr(journal.writing, "replace", refuse)
            (outcome,) = journal.commit(state, run, [Write("a.txt", lambda now: (b"anew", None))])
            assert outcome.error is not None
        state.update_run(run, "done", 2.0)
    undo(data)
    assert text(data) == "original"


def test_an_original_put_back_by_hand_counts_as_taken_back(data: Dataset) -> None:
    put(data, "hat")
    edit(data, "sky")
    put(data, "hat")
    assert undo(data).restored == 1 and statuses(data)[0] == "undone"
    assert list_runs(data)[1].changed == 0


def test_every_text_can_be_restored(data: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    edit(data, "sky")
    put(data, "by hand, änders")
    edit(data, "sea")
    save_caption(data, "a.txt", "typed", "by hand, änders, sea")
    put(data, "at last")
    all_ = [None, "sky", "by hand, änders", "by hand, änders, sea", "typed", "at last"]
    assert texts(data) == all_
    for number, wanted in enumerate(all_, 1):
        assert main(["restore", str(data.root), "a.png", "--version", str(number)]) == 0
        assert text(data) == wanted
    assert texts(data)[: len(all_)] == all_
    capsys.readouterr()
    assert main(["history", str(data.root), "a.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "(no file)" in lines[0] and lines[2].split()[1:3] == ["by", "hand"] and "restore" in lines[-1]
    assert restore(data, "a.txt", len(texts(data))) == 0, "it stands there"
    for number, words in ((99, "has no version 99"), (0, "has no version 0")):
        with pytest.raises(UserError, match=words):
            restore(data, "a.png", number)
    with pytest.raises(UserError, match="No run changed the caption b.txt"):
        versions(data, "b.png")


def test_stopped_and_continued(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing, "CHUNK", 2)
    names = [f"{i}.txt" for i in range(7)]
    for name in names:
        put(data, "hat", name)
    edit(data, "sky", *names)
    told: list[tuple[int, int]] = []
    first = undo(data, progress=lambda *p: told.append(p), stop=lambda: len(told) == 2)
    assert (first.stopped, first.restored, told) == (True, 4, [(2, 7), (4, 7)])
    assert [r.status for r in list_runs(data)] == ["done", "stopped"]
    second = undo(data, progress=lambda *p: told.append(p))
    assert (second.stopped, second.restored, second.by) == (False, 7, first.by)
    assert told[2:] == [(6, 7), (7, 7)] and statuses(data) == ["undone", "done"]
    assert {text(data, n) for n in names} == {"hat"}
    undo(data, second.by)
    assert {text(data, n) for n in names} == {"hat, sky"}


def test_runs_that_changed_nothing_cannot_be_taken_back(data: Dataset) -> None:
    put(data, "hat")
    edit(data, "sky")
    with data.state() as state:
        state.start_run("preview", {}, "", 1.0)
    with pytest.raises(UserError, match="Run 2 changed no caption"):
        undo(data, 2)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(1, 1), (2, 2)], [1, 2]),
        ([(1, 1), (2, 2, 1)], [2]),
        ([(1, 1), (2, 2, 1), (3, 3, 2)], [1, 3]),
        ([(1, 1), (2, 2), (3, 3, 2), (4, 4, 1)], [3, 4]),
        ([(1, 1), (2, 2), (3, 3, 2), (4, 4, 1), (5, 5, 3)], [1, 2, 5]),
        ([(1, 1), (2, 2, 9), (3, 3, 3)], [1, 2, 3]),
    ],
)
def test_what_is_in_effect(steps: list[tuple[Any, ...]], expected: list[int]) -> None:
    assert [s.id for s in in_effect(Step(*s) for s in steps)] == expected


# a database of 0.1.0


@pytest.fixture
def old(folder: Path) -> Dataset:
    """Run 1 wrote a, b, c; b was edited; undone but for b (2); run 3 wrote a, c; undone (4); redone (5)."""
    state = folder / ".prompt-extend" / "state.sqlite3"
    state.parent.mkdir()
    db = sqlite3.connect(state)
    db.executescript((DATA / "state-0.1.0.sql").read_text(encoding="utf-8"))
    db.close()
    for name, caption in {
        "a1-red": "mine, odd   spacing, 1girl, black hair, a, red a",
        "b2-blue": "edited by hand",
        "c3-green": "1girl, black hair, 3 cs, c, green c",
    }.items():
        (folder / f"{name}.png").write_bytes(b"picture " + name.encode() + b".png")
        (folder / f"{name}.txt").write_text(caption, encoding="utf-8")
    return Dataset(folder)


def summary(run: Run) -> tuple[object, ...]:
    return (run.id, run.kind, run.status, run.changed, run.taken_back, run.undoes)


def test_a_database_of_the_first_version_is_migrated_and_undone(old: Dataset) -> None:
    assert [summary(r) for r in list_runs(old)] == [
        (1, "tag", "done", 3, 2, None),
        (2, "undo", "done", 2, 0, 1),
        (3, "tag", "done", 2, 0, None),
        (4, "undo", "undone", 2, 2, 3),
        (5, "undo", "done", 2, 0, 4),
    ]
    assert undo(old).run == 3
    assert text(old, "a1-red.txt") == "mine,  odd   spacing\r\n" and text(old, "c3-green.txt") is None
    with pytest.raises(UserError, match="--run 1 --force"):
        undo(old)
    assert undo(old, force=True).run == 1
    assert text(old, "b2-blue.txt") is None and "edited by hand" in texts(old, "b2-blue.txt")


def test_migrating_is_done_once_and_a_newer_version_is_refused(old: Dataset) -> None:
    list_runs(old)
    before = [summary(r) for r in list_runs(old)]
    assert [summary(r) for r in list_runs(old)] == before
    db = sqlite3.connect(old.state_file)
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(UserError, match="newer version of Prompt Extend"):
        State(old.state_file, old.root)
