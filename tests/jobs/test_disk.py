"""What disks do: full, read-only, gone, huge. Real file systems where the test may mount one."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import StorageError, UserError
from lib_extend.files.scan import scan
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.undo import undo

from .conftest import failures, finished, images, job, run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes: the database's log alone grows to most of one."""
    if not sys.platform.startswith("linux") or shutil.which("mount") is None:
        pytest.skip("needs mount")
    target = tmp_path / "disk"
    target.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(target)], capture_output=True
    )
    if made.returncode:
        pytest.skip("may not mount")
    yield target
    subprocess.run(["umount", "-l", str(target)], check=True)


def fill(file: Path, step: int) -> None:
    """Write until there is no space left."""
    with file.open("ab", buffering=0) as f, contextlib.suppress(OSError):
        while True:
            f.write(b"x" * step)


def test_full_disk_stops_with_a_sentence_and_continues(small_disk: Path, log: Path) -> None:
    images(small_disk, *(f"cake{i + 2}-red.png" for i in range(30)))
    (small_disk / "cake2-red.txt").write_text("mine", encoding="utf-8")
    fill(small_disk / "filler.bin", 4096)
    with pytest.raises((StorageError, UserError), match=r"full|cannot be written"):
        run(small_disk)
    # room for the state to begin with, but not for all captions
    (small_disk / "filler.bin").unlink()
    with pytest.raises(StorageError, match="free some space and start again"):
        for event in job(small_disk).events():
            if isinstance(event, ev.Loaded):
                fill(small_disk / "filler.bin", 512)
    for file in small_disk.glob("*.txt"):
        text = file.read_text(encoding="utf-8")
        assert text == "mine" or text.startswith("mine, ") or "cake" in text, f"{file.name} is torn: {text!r}"
        assert text
    assert not list(small_disk.glob(".prompt-extend-*.tmp"))
    (small_disk / "filler.bin").unlink()
    last = finished(run(small_disk))
    assert (last.done, last.failed) == (30, 0)
    assert (small_disk / "cake2-red.txt").read_text().startswith("mine, ")
    while True:
        try:
            undo(Dataset(small_disk))
        except UserError:
            break
    assert [p.name for p in small_disk.glob("*.txt")] == ["cake2-red.txt"]
    assert (small_disk / "cake2-red.txt").read_text() == "mine"


def test_read_only_folder(small_disk: Path, tmp_path: Path, log: Path) -> None:
    images(small_disk, "cake3-red.png")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(UserError, match="cannot be written.*--state DIR"):
        run(small_disk)
    reasons = failures(run(small_disk, state_dir=tmp_path / "state"))
    assert "cake3-red.txt cannot be written" in reasons["cake3-red.png"]


def test_folder_that_vanishes_in_the_middle(folder: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_WORKER_DELAY", "0.05")
    images(folder, *(f"cake{i + 2}-red.png" for i in range(40)))
    began = time.monotonic()
    with pytest.raises((StorageError, UserError), match="is gone|cannot be"):
        for event in job(folder).events():
            if isinstance(event, ev.Image):
                shutil.rmtree(folder, ignore_errors=True)
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_fifty_thousand_files(folder: Path, log: Path) -> None:
    for i in range(50_000):
        (folder / f"{i:05d}.png").touch()
    began = time.monotonic()
    assert len(scan(folder)) == 50_000
    assert time.monotonic() - began < 20
    events = run(folder, limit=3)
    assert finished(events).done == 3
    tagging = job(folder)
    stopper = threading.Timer(2.0, tagging.stop)
    stopper.start()
    planned = None
    for event in tagging.events():
        if isinstance(event, ev.Planned):
            planned = event
    assert planned is not None and planned.images == 50_000


def test_missing_file_is_one_line(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    (folder / "dangling.png").symlink_to(folder / "nowhere.png")
    names = {e.path for e in run(folder) if isinstance(e, ev.Image | ev.Failed)}
    assert names == {"cake3-red.png", "dangling.png"}
