"""A job over a folder: what it writes, what it leaves alone, what it does not do twice."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.undo import list_runs, undo

from .conftest import caption, failures, finished, images, job, names, run


def test_writes_a_caption_an_image(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.jpg")
    events = run(folder)
    assert names(folder, "cake3-red.png") == {"1girl", "black hair", "cake", "smile", "3 cakes", "red cake"}
    assert names(folder, "book1-blue.jpg") == {"1girl", "black hair", "book", "smile", "blue book"}
    planned = events[0]
    assert isinstance(planned, ev.Planned) and (planned.images, planned.already_done) == (2, 0)
    last = finished(events)
    assert (last.done, last.failed, last.written, last.analysed, last.stopped) == (2, 0, 2, 2, False)
    assert not [p for p in folder.iterdir() if p.name.endswith(".tmp")]


def test_second_run_needs_no_model(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.jpg")
    run(folder)
    before = log.read_bytes()
    events = run(folder, threshold=0.6)
    assert log.read_bytes() == before
    assert finished(events).analysed == 0
    assert names(folder, "cake3-red.png") == {"1girl", "black hair", "cake", "3 cakes", "red cake"}
    assert finished(events).written == 2


def test_unchanged_captions_are_not_rewritten(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder)
    stamp = (folder / "cake3-red.txt").stat().st_mtime_ns
    events = run(folder)
    assert finished(events).written == 0 and finished(events).done == 1
    assert (folder / "cake3-red.txt").stat().st_mtime_ns == stamp


def test_changed_image_is_analysed_again(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.jpg")
    run(folder)
    (folder / "book1-blue.jpg").write_bytes(b"another picture")
    assert finished(run(folder)).analysed == 1
    assert log.read_bytes().count(b"book1") == 2 and log.read_bytes().count(b"cake3") == 1


def test_hand_edits_survive_every_rerun(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder)
    text = caption(folder, "cake3-red.png").replace("smile, ", "").replace(", smile", "") + ", my tag"
    (folder / "cake3-red.txt").write_text(text, encoding="utf-8")
    for threshold in (0.3, 0.1, 0.6, 0.05):
        run(folder, threshold=threshold)
        now = names(folder, "cake3-red.png")
        assert "my tag" in now and "smile" not in now
    assert "hat" in now
    run(folder, existing="overwrite")
    assert "my tag" not in names(folder, "cake3-red.png") and "smile" in names(folder, "cake3-red.png")


def test_edits_beside_a_templates_own_separator(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    template = "{people} | {new} | {general}"
    run(folder, format=template)
    file = folder / "cake3-red.txt"
    assert file.read_text(encoding="utf-8").startswith("1girl | 3 cakes, red cake | black hair")
    file.write_text(
        file.read_text(encoding="utf-8").replace("1girl | 3 cakes", "mine | red hat"), encoding="utf-8"
    )
    run(folder, format=template)
    run(folder, format=template, threshold=0.3)
    now = set(file.read_text(encoding="utf-8").replace(" | ", ", ").split(", "))
    assert {"mine", "red hat", "red cake"} <= now and not {"1girl", "3 cakes"} & now


def test_a_caption_from_before_us_is_kept(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    (folder / "cake3-red.txt").write_text("my trigger, blue cake, hat\n", encoding="utf-8")
    run(folder)
    now = names(folder, "cake3-red.png")
    assert {"my trigger", "blue cake", "hat", "3 cakes"} <= now


def test_existing_modes(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    file = folder / "cake3-red.txt"
    for mode, starts in (("append", "mine, "), ("prepend", "1girl")):
        file.write_text("mine", encoding="utf-8")
        run(folder, existing=mode)
        assert file.read_text().startswith(starts) and "mine" in file.read_text()
        first = file.read_text()
        run(folder, existing=mode)
        assert file.read_text() == first, "a rerun adds nothing"
        undo(Dataset(folder))
    file.write_text("mine", encoding="utf-8")
    events = run(folder, existing="skip")
    assert file.read_text() == "mine" and finished(events).skipped == 1
    run(folder, existing="overwrite")
    assert "mine" not in names(folder, "cake3-red.png")


def test_dry_run_writes_nothing(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    (folder / "cake3-red.txt").write_text("mine", encoding="utf-8")
    events = run(folder, dry_run=True)
    shown = [e for e in events if isinstance(e, ev.Image)]
    assert shown[0].changed and shown[0].before == "mine" and "3 cakes" in shown[0].caption
    assert (folder / "cake3-red.txt").read_text() == "mine"
    assert finished(run(folder)).analysed == 0, "the preview's analyses are kept"


def test_a_failing_image_costs_only_itself(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "fail.png", "book1-blue.jpg")
    events = run(folder)
    assert failures(events) == {"fail.png": "fail.png cannot be read: copy it again."}
    assert finished(events).done == 2 and not (folder / "fail.txt").exists()
    assert failures(run(folder)), "it is tried again in the next run"


def test_a_picture_without_answers_keeps_its_tags(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "thin3-red.png")
    events = run(folder, vlm="fake")
    assert caption(folder, "thin3-red.png").startswith("1girl") and not failures(events)
    assert "3 cakes" in names(folder, "cake3-red.png")
    told = [e for e in events if isinstance(e, ev.Incomplete)]
    assert told == [ev.Incomplete("thin3-red.png", "answers", "thin3-red.png is too thin.")]
    end = finished(events)
    assert (end.done, end.failed, end.incomplete, end.written) == (2, 0, 1, 2)
    run(folder, vlm="fake")
    seen = [Path(line).name for line in log.read_text().splitlines()]
    assert sorted(seen) == ["cake3-red.png", "thin3-red.png", "thin3-red.png"], "it is asked about again"


def test_a_models_own_trouble_is_said_once(folder: Path, log: Path) -> None:
    images(folder, *(f"blind{i}-red.png" for i in range(10, 30)))
    events = run(folder, vlm="fake")
    assert [e for e in events if isinstance(e, ev.Incomplete)] == [
        ev.Incomplete("", "answers", "The model sees nothing.")
    ]
    assert finished(events).written == finished(events).incomplete == 20
    assert not failures(events)


def test_a_run_ends_when_its_only_model_can_do_nothing(folder: Path, log: Path) -> None:
    for i in range(10, 40):
        images(folder, f"blind{i}-red.png")
        (folder / f"blind{i}-red.txt").write_text("1girl, cake")
    with pytest.raises(UserError, match=r"^The model sees nothing\.$"):
        run(folder, tagger="none", vlm="fake")
    assert caption(folder, "blind10-red.png") == "1girl, cake"


def test_two_images_with_one_stem(folder: Path, log: Path) -> None:
    images(folder, "a.png", "a.jpg")
    reasons = failures(run(folder))
    assert list(reasons) == ["a.png"] and "shares its caption a.txt with a.jpg" in reasons["a.png"]


def test_caption_that_is_a_folder(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    (folder / "cake3-red.txt").mkdir()
    events = run(folder)
    assert "is a folder" in failures(events)["cake3-red.png"] and finished(events).done == 1


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("帽子, 猫".encode("cp932"), "帽子"),
        ("\ufeffmine, カフェ".encode(), "カフェ"),
        ("mine, café".encode("utf-16"), "café"),
    ],
    ids=["cp932", "utf-8 with BOM", "utf-16"],
)
def test_captions_in_other_encodings(folder: Path, log: Path, data: bytes, expected: str) -> None:
    images(folder, "cake3-red.png")
    file = folder / "cake3-red.txt"
    file.write_bytes(data)
    run(folder)
    written = file.read_bytes()
    assert expected in written.decode("utf-8") and not written.startswith(b"\xef\xbb\xbf")
    undo(Dataset(folder))
    assert file.read_bytes() == data


def test_binary_caption_is_reported_and_left(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    data = bytes(range(256))
    (folder / "cake3-red.txt").write_bytes(data)
    events = run(folder)
    assert "is not text" in failures(events)["cake3-red.png"]
    assert (folder / "cake3-red.txt").read_bytes() == data


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_odd_names(folder: Path, log: Path) -> None:
    odd = ["a b.png", "quote'\".png", "new\nline.png", "emoji 🍰.png", "comma, dot. png.png"]
    images(folder, *odd)
    raw = os.fsencode(folder) + b"/latin-\xe9.png"
    Path(os.fsdecode(raw)).write_bytes(b"picture")
    events = run(folder)
    assert finished(events).done == len(odd) + 1 and not failures(events)
    assert os.path.exists(os.fsencode(folder) + b"/latin-\xe9.txt")
    assert finished(run(folder)).analysed == 0


def test_subfolders_and_globs(folder: Path, log: Path) -> None:
    images(folder, "top.png", "10_girl/a.png", "10_girl/b.jpg", ".hidden/c.png")
    (folder / "10_girl" / "loop").symlink_to(folder)
    assert finished(run(folder)).done == 1
    assert finished(run(folder, recursive=True)).done == 3
    assert finished(run(folder, recursive=True, include=("*.jpg",))).done == 1
    assert finished(run(folder, recursive=True, limit=2)).done == 2


def test_wrong_folders(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        run(tmp_path / "nowhere")
    with pytest.raises(UserError, match="is a file"):
        (tmp_path / "file").touch()
        run(tmp_path / "file")
    assert finished(run(folder)).done == 0


def test_second_job_is_told_at_once(folder: Path, log: Path) -> None:
    images(folder, "slow.png")
    first = job(folder)
    events = first.events()
    assert isinstance(next(events), ev.Planned)
    began = time.monotonic()
    with pytest.raises(UserError, match=f"Another job is running.*process {os.getpid()}"):
        run(folder)
    assert time.monotonic() - began < 1
    first.stop()
    list(events)
    assert list_runs(Dataset(folder))[-1].status == "stopped"


def test_stop_is_quick_and_keeps_what_is_done(folder: Path, log: Path) -> None:
    images(folder, *(f"cake{i + 2}-red.png" for i in range(5)), "slow.png")
    tagging = job(folder)
    events = []
    stopper = None
    for event in tagging.events():
        events.append(event)
        if isinstance(event, ev.Image) and sum(isinstance(e, ev.Image) for e in events) == 5:
            asked = time.monotonic()
            stopper = threading.Timer(0.2, tagging.stop)
            stopper.start()
    assert stopper is not None
    assert time.monotonic() - asked < 1.5
    last = finished(events)
    assert last.stopped and last.done == 5
    assert len(list(folder.glob("cake*.txt"))) == 5
    (folder / "slow.png").rename(folder / "quick.png")
    again = run(folder)
    planned = again[0]
    assert isinstance(planned, ev.Planned) and planned.continued and planned.already_done == 5
    assert finished(again).done == 6 and finished(again).analysed == 1
    assert [r.id for r in list_runs(Dataset(folder))] == [1], "it is the same run"


def test_no_tagger_starts_from_captions(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book2-blue.png")
    (folder / "cake3-red.txt").write_text("2girls, cake, forest", encoding="utf-8")
    events = run(folder, tagger="none")
    assert names(folder, "cake3-red.png") == {"2girls", "cake", "forest", "3 cakes", "red cake"}
    assert "has no caption to start from" in failures(events).get("book2-blue.png", "") or names(
        folder, "book2-blue.png"
    ) == {"2 books", "blue book"}
    assert finished(run(folder, tagger="none")).analysed == 0


def test_state_elsewhere(folder: Path, tmp_path: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder, state_dir=tmp_path / "state")
    assert not (folder / ".prompt-extend").exists() and (tmp_path / "state" / "state.sqlite3").exists()
    assert finished(run(folder, state_dir=tmp_path / "state")).analysed == 0
    other = tmp_path / "other"
    images(other, "cake3-red.png")
    with pytest.raises(UserError, match="its own --state folder"):
        run(other, state_dir=tmp_path / "state")


def test_damaged_state_is_named(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    (folder / ".prompt-extend").mkdir()
    (folder / ".prompt-extend" / "state.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(UserError, match="is damaged .* was renamed to state.damaged"):
        run(folder)


def test_caption_edited_while_the_job_runs(folder: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file changes between our reading and our replacing it: the edit is not lost."""
    from lib_extend.jobs import journal

    images(folder, "cake3-red.png")
    file = folder / "cake3-red.txt"
    read = journal.read_bytes
    calls = []

    def edited_meanwhile(path: Path) -> bytes | None:
        data = read(path)
        calls.append(path)
        if len(calls) == 1:
            file.write_text("just saved", encoding="utf-8")
        return data

    monkeypatch.setattr(journal, "read_bytes", edited_meanwhile)
    run(folder)
    assert {"just saved", "3 cakes"} <= names(folder, "cake3-red.png")


def test_undo_restores_every_byte(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png", "ball2-green.png")
    (folder / "cake3-red.txt").write_bytes(b"mine,  odd   spacing\r\n")
    run(folder)
    result = undo(Dataset(folder))
    assert result.restored == 3 and not result.failed
    assert (folder / "cake3-red.txt").read_bytes() == b"mine,  odd   spacing\r\n"
    assert not (folder / "book1-blue.txt").exists()
    assert [(r.kind, r.status) for r in list_runs(Dataset(folder))] == [("tag", "undone"), ("undo", "done")]
    with pytest.raises(UserError, match="changed a caption"):
        undo(Dataset(folder))
    assert finished(run(folder)).analysed == 0, "analyses outlive an undo"


def test_undo_leaves_later_edits(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    run(folder)
    (folder / "cake3-red.txt").write_text("rewritten by hand", encoding="utf-8")
    result = undo(Dataset(folder))
    assert result.restored == 1 and "edited after run 1" in result.failed[0][1]
    assert caption(folder, "cake3-red.png") == "rewritten by hand"


def test_undo_of_an_older_run_by_number(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder)
    run(folder, threshold=0.6)
    with pytest.raises(UserError, match="There is no run 9"):
        undo(Dataset(folder), 9)
    assert undo(Dataset(folder)).run == 2
    assert "smile" in names(folder, "cake3-red.png")
    assert undo(Dataset(folder)).run == 1
    assert not (folder / "cake3-red.txt").exists()
