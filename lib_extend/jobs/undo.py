"""Take a whole run back: every caption it changed returns to the bytes it had before."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.state import Change, Run, State
from lib_extend.errors import ImageError, UserError
from lib_extend.files.scan import show
from lib_extend.jobs import journal
from lib_extend.jobs.captioning import recover
from lib_extend.jobs.journal import Write
from lib_extend.jobs.tagging import CHUNK


@dataclass(frozen=True)
class Undone:
    """What an undo did.

    Attributes:
        run: the run taken back. restored: captions whose bytes are as before it (deleted again where
            there was none). failed: (caption, reason) rows of those left as they are.
    """

    run: int
    restored: int
    failed: tuple[tuple[str, str], ...]


class _Edited(ImageError):
    """The caption was edited after the run."""


def list_runs(dataset: Dataset) -> list[Run]:
    """The runs over a folder, oldest first; none where it was never tagged."""
    if not dataset.has_state:
        dataset.check()
        return []
    with dataset.state() as state:
        return state.runs()


def undo(dataset: Dataset, run: int | None = None, *, force: bool = False) -> Undone:
    """Take back `run` (default: the newest that changed captions and was not taken back).

    A caption edited since the run is left as it is, unless `force`. The undo is a run itself: what it
    replaces is kept, and undoing it brings that back.

    Raises:
        UserError: no such run, nothing to take back, another job is running.
        StorageError: the disk is full; start again to continue.
    """
    root = dataset.root
    if not dataset.has_state:
        dataset.check()
        raise UserError(f"{show(str(root))} was never tagged here: there is nothing to undo.")
    with dataset.locked_state() as state:
        recover(state)
        target = _target(state, run, root)
        key = f"undo {target.id} {force}"
        this = state.unfinished_run("undo", key)
        if this is None:
            this = state.start_run("undo", {}, key, time.time(), undoes=target.id)
        changes = [c for _, c in state.changes(target.id, "written")]
        state.update_run(this, "running", None, images=len(changes))
        restored = 0
        failed: list[tuple[str, str]] = []
        for start in range(0, len(changes), CHUNK):
            writes = [_restore(c, force) for c in changes[start : start + CHUNK]]
            for outcome in journal.commit(state, this, writes):
                if outcome.error is None:
                    restored += 1
                else:
                    failed.append((outcome.name, outcome.error.reason))
        state.update_run(this, "done", time.time())
        state.mark_undone(target.id)
        return Undone(target.id, restored, tuple(failed))


def _restore(change: Change, force: bool) -> Write:
    def make(now: bytes | None) -> tuple[bytes | None, str | None]:
        if now not in (change.after, change.before) and not force:
            raise _Edited(
                f"{show(Path(change.name).name)} was edited after that run and is left as it is: add --force to "
                "restore it too."
            )
        return change.before, change.record_before

    return Write(change.name, make)


def _target(state: State, wanted: int | None, root: Path) -> Run:
    runs = state.runs()
    if wanted is not None:
        for r in runs:
            if r.id == wanted:
                if r.status == "undone":
                    raise UserError(f"Run {wanted} was already undone.")
                return r
        known = ", ".join(str(r.id) for r in runs) or "none"
        raise UserError(f"There is no run {wanted} on {show(str(root))}: the runs are {known}.")
    for r in reversed(runs):
        if r.kind in ("tag", "edit") and r.status != "undone" and r.changed:
            return r
    raise UserError(f"No run on {show(str(root))} changed a caption that could be restored.")
