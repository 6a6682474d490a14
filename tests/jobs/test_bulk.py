"""A person's edits as runs: journaled, undone, kept by later tagging; and the read-only look at them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from lib_extend.captions.editing import Style, renamed, with_tags
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.state_reading import StateReader
from lib_extend.errors import UserError
from lib_extend.files.lock import locked
from lib_extend.jobs import edit_runs as bulk
from lib_extend.jobs.edit_runs import Conflict, Edited, edit_captions, save_caption
from lib_extend.jobs.undo import list_runs, undo

from .conftest import caption, images, names, run


def add(root: Path, *files: str, tag: str = "blue sky") -> Edited:
    what = {"action": "add", "tags": [tag]}
    return edit_captions(Dataset(root), files, lambda text, style: with_tags(text, [tag], style), what)


def remove(root: Path, *files: str, tag: str) -> Edited:
    gone = lambda text, style: renamed(text, lambda n: "" if n == tag else n, style)  # noqa: E731
    return edit_captions(Dataset(root), files, gone, {"action": "remove", "tags": [tag]})


def look(root: Path) -> contextlib.closing[StateReader]:
    return Dataset(root).reading()


def test_an_edit_outlives_tagging_and_undo_takes_it_back(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    run(folder)
    before = caption(folder, "cake3-red.png")
    assert add(folder, "cake3-red.txt").changed == ("cake3-red.txt",)
    assert remove(folder, "cake3-red.txt", tag="1girl").changed == ("cake3-red.txt",)
    assert caption(folder, "cake3-red.png").endswith(", blue sky")
    run(folder, answer_threshold=0.99)
    assert "blue sky" in names(folder, "cake3-red.png"), "added by hand: stays"
    assert "1girl" not in names(folder, "cake3-red.png"), "removed by hand: not added again"
    assert "1girl" in names(folder, "book1-blue.png")
    for _ in range(3):
        undo(Dataset(folder))
    assert caption(folder, "cake3-red.png") == before
    run(folder)
    assert caption(folder, "cake3-red.png") == before


def test_it_stops_between_captions_and_undo_takes_back_what_was_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    files = [f"{i}.txt" for i in range(7)]
    for file in files:
        (folder / file).write_text("hat", encoding="utf-8")
    told: list[tuple[int, int]] = []
    done = edit_captions(
        Dataset(folder),
        files,
        lambda text, style: with_tags(text, ["sky"], style),
        {"action": "add"},
        progress=lambda done, total: told.append((done, total)),
        stop=lambda: len(told) == 2,
    )
    assert (done.stopped, done.changed) == (True, ("0.txt", "1.txt", "2.txt", "3.txt"))
    assert told == [(2, 7), (4, 7)]
    texts = [(folder / f).read_text(encoding="utf-8") for f in files]
    assert texts == ["hat, sky"] * 4 + ["hat"] * 3
    assert undo(Dataset(folder), done.run).restored == 4
    assert {(folder / f).read_text(encoding="utf-8") for f in files} == {"hat"}
    told.clear()
    assert not edit_captions(
        Dataset(folder),
        files,
        lambda text, style: text,
        {"action": "add"},
        progress=lambda *p: told.append(p),
    ).stopped
    assert told[-1] == (7, 7)


def test_only_what_changes_is_written(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"blue sky, hat\r\n")
    (folder / "b.txt").write_bytes("\ufeffhat, 帽子".encode())
    (folder / "d.txt").write_bytes("帽子, 青い空".encode("cp932"))
    (folder / "e.txt").write_bytes(b"\x00\x01binary")
    os.utime(folder / "a.txt", ns=(1, 1))
    done = add(folder, "a.txt", "b.txt", "c.txt", "d.txt", "e.txt")
    assert done.changed == ("b.txt", "c.txt", "d.txt")
    assert (folder / "a.txt").stat().st_mtime_ns == 1
    assert (folder / "b.txt").read_bytes() == "hat, 帽子, blue sky".encode()
    assert (folder / "c.txt").read_bytes() == b"blue sky"
    assert (folder / "d.txt").read_bytes() == "帽子, 青い空, blue sky".encode()
    assert dict(done.failed).keys() == {"e.txt"} and "is not text" in done.failed[0][1]
    (newest,) = list_runs(Dataset(folder))
    assert (newest.kind, newest.status, newest.changed, newest.failed, newest.images) == (
        "edit",
        "done",
        3,
        1,
        5,
    )
    assert newest.config == {"action": "add", "tags": ["blue sky"]}
    with look(folder) as glance:
        assert [(c.name, c.before) for c in glance.changes(newest.id, 1, 1)] == [("c.txt", None)]
        assert glance.failures(newest.id, 10) == list(done.failed)
        assert glance.last_changing() == newest.id and sorted(glance.changed(newest.id)) == list(done.changed)
    undo(Dataset(folder), newest.id)
    assert not (folder / "c.txt").exists() and (folder / "d.txt").read_bytes() == "帽子, 青い空".encode(
        "cp932"
    )


def test_an_edit_that_changes_nothing_leaves_no_run(folder: Path) -> None:
    (folder / "a.txt").write_text("blue sky", encoding="utf-8")
    assert not add(folder, "a.txt").changed and not list_runs(Dataset(folder))


def test_many_at_once(folder: Path) -> None:
    files = [f"{i:04d}.txt" for i in range(600)]
    for name in files:
        (folder / name).write_text("hat", encoding="utf-8")
    steps = []
    done = edit_captions(
        Dataset(folder), files, lambda t, s: t + ", x", {}, progress=lambda a, b: steps.append((a, b))
    )
    assert len(done.changed) == 600 and steps == [(256, 600), (512, 600), (600, 600)]
    assert {(folder / n).read_text(encoding="utf-8") for n in files} == {"hat, x"}


def test_written_as_the_run_wrote_it(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder, format="{people} | {general}", separator="; ")
    seen: list[Style] = []
    edit_captions(Dataset(folder), ["cake3-red.txt"], lambda t, s: seen.append(s) or t, {})  # type: ignore[func-returns-value]
    assert seen == [Style("; ", ("|",))]


def test_saving_one_caption(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"hat\r\nbow\n")
    save_caption(Dataset(folder), "a.txt", "hat, bow, cap", "hat\nbow")
    assert (folder / "a.txt").read_bytes() == b"hat, bow, cap\n"
    with pytest.raises(Conflict, match="a.txt was changed meanwhile") as raised:
        save_caption(Dataset(folder), "a.txt", "mine", "hat\nbow")
    assert raised.value.present == "hat, bow, cap\n"
    assert (folder / "a.txt").read_bytes() == b"hat, bow, cap\n"
    save_caption(Dataset(folder), "new.txt", "1girl", "")
    assert (folder / "new.txt").read_bytes() == b"1girl"
    save_caption(Dataset(folder), "new.txt", "", "1girl")
    assert (folder / "new.txt").read_bytes() == b""
    save_caption(Dataset(folder), "none.txt", " ", "")
    assert not (folder / "none.txt").exists()
    assert [r.changed for r in list_runs(Dataset(folder))] == [1, 1, 1]
    undo(Dataset(folder), 2)
    undo(Dataset(folder), 1)
    assert (folder / "a.txt").read_bytes() == b"hat\r\nbow\n"


@pytest.mark.parametrize("text", ["x" * 1_000_001, "a\0b", "a\ud800"])
def test_texts_that_are_no_captions(folder: Path, text: str) -> None:
    with pytest.raises(UserError, match="caption"):
        save_caption(Dataset(folder), "a.txt", text, "")
    assert not (folder / "a.txt").exists()


def test_not_beside_a_job(folder: Path) -> None:
    (folder / "a.txt").write_text("hat", encoding="utf-8")
    with (
        locked(Dataset(folder).state_folder, folder),
        pytest.raises(UserError, match="Another job is running"),
    ):
        add(folder, "a.txt")
    assert (folder / "a.txt").read_text(encoding="utf-8") == "hat"


def test_a_glance_at_a_run(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    run(folder)
    (folder / "book1-blue.png").write_bytes(b"another picture")
    there = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in folder.glob("*.png")]
    with look(folder) as glance:
        assert glance.last_run() == 1 and glance.last_config()["tagger"] == "fake"
        assert glance.touched(1) == (
            {"cake3-red.png", "book1-blue.png"},
            {"cake3-red.txt", "book1-blue.txt"},
        )
        assert glance.touched(2) == (set(), set())
        assert glance.records(["cake3-red.txt", "x.txt"]).keys() == {"cake3-red.txt"}
        stored = glance.stored(there)
        assert stored.keys() == {"cake3-red.png"}, "what was stored of a changed picture is not of this one"
        assert {a.tag for _, given in stored["cake3-red.png"].answers for a in given} >= {
            "3_cakes",
            "red_cake",
        }


def test_a_glance_at_nothing(tmp_path: Path) -> None:
    (tmp_path / ".prompt-extend").mkdir()
    (tmp_path / ".prompt-extend" / "state.sqlite3").write_bytes(
        b"not a database at all, but long enough to be read"
    )
    for root in (tmp_path, tmp_path / "nowhere"):
        with look(root) as glance:
            assert glance.last_run() == 0 and glance.last_config() == {} and glance.last_changing() is None
            assert glance.touched(0) == (set(), set()) and not glance.stored([("a.png", 1, 1)])
