"""What a killed job leaves is gone after the next start of anything, and overlapping jobs exclude each other."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lib_extend.captions.editing import with_tags
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import BusyError
from lib_extend.files import caption_writing as writing
from lib_extend.files.lock import JOBS_VARIABLE
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.caption_history import restore
from lib_extend.jobs.edit_runs import edit_captions, save_caption
from lib_extend.jobs.recovery import tidy
from lib_extend.jobs.undo import list_runs, undo
from lib_extend.jobs.verdict_runs import decide
from lib_extend.worker.client import WorkerClient

from .conftest import FAKE_WORKER, images, job, run


@pytest.fixture(autouse=True)
def list_of_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JOBS_VARIABLE, str(tmp_path / "jobs"))


def edit(root: Path, tag: str = "sky") -> None:
    names = sorted(str(p.relative_to(root).with_suffix(".txt")) for p in root.rglob("*.png"))
    edit_captions(Dataset(root), names, lambda t, style: with_tags(t, [tag], style), {"tag": tag})


def killed(work: Callable[[], object]) -> None:
    """`work` in a process that ends when it would replace its second file."""
    child = os.fork()
    if not child:
        done = []
        real = writing.replace

        def replace(path: Path, temp: Path | None) -> None:
            done.append(path)
            if len(done) > 1:
                os._exit(9)
            real(path, temp)

        writing.replace = replace
        try:
            work()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


STARTS: dict[str, Callable[[Path], object]] = {
    "tag": lambda root: run(root, threshold=0.6),
    "undo": lambda root: undo(Dataset(root)),
    "edit": lambda root: edit(root, "sea"),
    "save": lambda root: save_caption(Dataset(root), "new.txt", "typed", ""),
    "review": lambda root: decide(
        Dataset(root), "cake3-red.png", "color", "cake", "reject", client=lambda: WorkerClient(FAKE_WORKER)
    ),
    "restore": lambda root: restore(Dataset(root), "cake3-red.png", 1),
    "opening": lambda root: tidy(Dataset(root)),
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills")
@pytest.mark.parametrize("victim", ["undo", "edit"])
@pytest.mark.parametrize("start", STARTS)
def test_leftovers_go_at_the_next_start_of_anything(folder: Path, log: Path, start: str, victim: str) -> None:
    images(folder, "cake3-red.png", "sub/book1-blue.png", "sub/hat2-green.png")
    for name in ("cake3-red.txt", "sub/book1-blue.txt", "sub/hat2-green.txt"):
        (folder / name).write_text("mine")
    run(folder, recursive=True)
    killed(lambda: edit(folder) if victim == "edit" else undo(Dataset(folder)))
    left = [p for p in folder.rglob("*.tmp") if p.name.startswith(".prompt-extend-")]
    assert left and list_runs(Dataset(folder))[-1].status == "running"
    STARTS[start](folder)
    assert not [p for p in left if p.exists()]
    assert "running" not in [r.status for r in list_runs(Dataset(folder))]


def test_tidying_beside_a_job_does_nothing(folder: Path) -> None:
    images(folder, "a.png")
    edit(folder)
    with Dataset(folder).locked_state():
        tidy(Dataset(folder))
    tidy(Dataset(folder / "nowhere"))


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_folder_and_its_subfolder_exclude_each_other(
    folder: Path, log: Path, tmp_path: Path, elsewhere: bool
) -> None:
    images(folder, "sub/cake3-red.png", "sub/book1-blue.png", "hat2-green.png")
    state = tmp_path / "state" if elsewhere else None
    inner = folder / "sub"
    outer = job(folder, recursive=True, state_dir=state)
    for event in outer.events():
        if isinstance(event, ev.Planned):
            with pytest.raises(BusyError, match=f"The job on {folder} .*captions in .*sub, too"):
                run(inner)
            with pytest.raises(BusyError, match="The job on"):
                edit(inner)
    run(inner, threshold=0.6)
    for event in job(inner, threshold=0.5).events():
        if isinstance(event, ev.Planned):
            for again in (lambda: list(job(folder, recursive=True, state_dir=state).events()),
                          lambda: undo(Dataset(folder, state))):  # fmt: skip
                with pytest.raises(BusyError, match=f"The job on {inner} .*too: wait until it ends"):
                    again()
            run(folder, state_dir=state)  # without its subfolders


def test_a_dataset_leaves_files_staged_by_another_alone(folder: Path, tmp_path: Path) -> None:
    """Where a caption is a link, its file is staged in a folder that other jobs may work in."""
    images(folder, "a.png", "b.png")
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("there")
    (folder / "a.txt").symlink_to(other / "a.txt")
    theirs = writing.stage(other / "x.txt", b"being written", "ffffffff")
    edit(folder)
    undo(Dataset(folder))
    assert theirs.exists() and (other / "a.txt").read_text() == "there"
