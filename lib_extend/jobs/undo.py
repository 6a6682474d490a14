"""Undo a run: every caption that it changed gets its earlier bytes again. An undo is a run too, and can be undone."""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.run_rows import Change, Run
from lib_extend.datasets.state import State
from lib_extend.errors import ImageError, UserError
from lib_extend.files.caption_files import read_bytes
from lib_extend.files.scan import show
from lib_extend.jobs import job_events as ev
from lib_extend.jobs import journal
from lib_extend.jobs.journal import Write
from lib_extend.jobs.leaving_out import take_back
from lib_extend.jobs.recovery import working

UNDO = "undo"
CHUNK = 512
"""Captions committed together."""
TAKING_BACK = "Taking back"


@dataclass(frozen=True)
class Undone:
    """What an undo did.

    Attributes:
        run: the run taken back. restored: captions whose bytes are as before it (deleted again where there was none),
            by this start and, where it continued an undo, by earlier ones.
        failed: (caption, reason) rows of those left as they are.
        by: the undo's own number, by which it is taken back; 0 when it did nothing.
        partly: (caption, sentence) of those that went back to what a person wrote between two starts of the run.
        stopped: not all were looked at; what is done stays, and the next start continues.
    """

    run: int
    restored: int
    failed: tuple[tuple[str, str], ...]
    by: int = 0
    partly: tuple[tuple[str, str], ...] = ()
    stopped: bool = False


class _Edited(ImageError):
    """The caption was edited after the run."""


def list_runs(dataset: Dataset) -> list[Run]:
    """The runs over a folder, oldest first; none where it was never tagged."""
    if not dataset.has_state:
        dataset.check()
        return []
    with dataset.state() as state:
        return state.runs()


def undo(
    dataset: Dataset,
    run: int | None = None,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> Undone:
    """`UndoJob` to its end. `progress` is called with (done, total); `stop` is asked now and then."""
    job = UndoJob(dataset, run, force=force)
    result: Undone | None = None
    for event in job.events():
        if isinstance(event, ev.Status):
            progress(event.done, event.total)
        elif isinstance(event, Undone):
            result = event
        if stop():
            job.stop()
    assert result is not None
    return result


class UndoJob:
    """`prompt-extend undo`: iterate `events()` once; `stop()` may be called from any thread or signal.

    Args:
        run: the run to take back (default: the newest that changed captions and was not taken back; the one whose undo
            was stopped or killed, first of all).
        force: also captions that were changed since the run.
    """

    def __init__(self, dataset: Dataset, run: int | None = None, *, force: bool = False) -> None:
        self.dataset = dataset
        self._run, self._force = run, force
        self._stop = threading.Event()

    def stop(self) -> None:
        """End the job; what is done is kept. Returns at once."""
        self._stop.set()

    def events(self) -> Iterator[ev.Event | Undone]:
        """Run the job: its plan, how far it is, what is left as it is, at the end an `Undone`.

        A caption changed since the run is left as it is, unless forced. What is replaced is kept: taking the undo back
        brings it back.

        Raises:
            UserError: no such run, nothing to take back, another job is running.
            StorageError: the disk is full; start again to continue.
        """
        if not self.dataset.has_state:
            self.dataset.check()
            raise UserError(
                f"{show(str(self.dataset.root))} was never tagged here: there is nothing to undo."
            )
        with working(self.dataset, State.changed_files) as state:
            target = _target(state, self._run, self._force, self.dataset)
            key = f"undo {target.id} {self._force}"
            this = state.unfinished_run(UNDO, key)
            continued = this is not None
            if this is None:
                this = state.start_run(UNDO, {}, key, time.time(), undoes=target.id)
            status = "stopped"
            try:
                outcome = _Outcome()
                yield from self._take_back(state, target, this, continued, outcome)
                status = "stopped" if outcome.stopped else "done"
            finally:
                state.update_run(this, status, time.time())
            restored = state.count_changed(this)
        yield Undone(target.id, restored, tuple(outcome.failed), this, tuple(outcome.partly), outcome.stopped)

    def _take_back(
        self, state: State, target: Run, this: int, continued: bool, outcome: _Outcome
    ) -> Iterator[ev.Event]:
        left = state.effective(target.id)
        done = state.count_changed(this) if continued else 0
        if state.marks_of(target.id):
            _, stayed = take_back(state, target.id, this, force=self._force)
            outcome.failed += stayed
            yield from (ev.Failed(name, reason) for name, reason in stayed)
        names = sorted(left)
        total = done + len(names)
        state.update_run(this, "running", None, images=total)
        yield ev.Planned(images=total, already_done=done, run=target.id, continued=continued)
        for start in range(0, len(names), CHUNK):
            outcome.stopped = self._stop.is_set()
            if outcome.stopped:
                return
            chunk = names[start : start + CHUNK]
            changes = state.changes_by_id([n for name in chunk for n in left[name]])
            writes = [
                _Way(self.dataset, state, [changes[n] for n in left[name]], self._force, outcome).write()
                for name in chunk
            ]
            failed = []
            for result in journal.commit(state, this, writes):
                if result.error is not None:
                    failed.append((result.name, result.error.reason))
            with state.transaction():
                state.add_items(this, failed)
            outcome.failed += failed
            yield from (ev.Failed(name, reason) for name, reason in failed)
            yield ev.Counted(TAKING_BACK, done + start + len(chunk), total)


@dataclass
class _Outcome:
    failed: list[tuple[str, str]] = field(default_factory=list)
    partly: list[tuple[str, str]] = field(default_factory=list)
    stopped: bool = False


class _Way:
    """Undo one caption: the run's changes that are in effect, newest first.

    It stops at a text that the run did not write: a person wrote it between two starts of the run, and it is kept.
    """

    def __init__(
        self, dataset: Dataset, state: State, changes: Sequence[Change], force: bool, outcome: _Outcome
    ) -> None:
        self._dataset, self._state, self._changes, self._force = dataset, state, changes, force
        self._outcome = outcome
        self._back_to: Change | None = None

    def write(self) -> Write:
        return Write(
            self._changes[0].name, self._make, lambda: None if self._back_to is None else self._back_to.id
        )

    def _make(self, now: bytes | None) -> tuple[bytes | None, str | None]:
        first, last = self._changes[0], self._changes[-1]
        check_within(self._state, first.name)
        self._back_to = None
        text = last.after if now == last.before else now
        for change in reversed(self._changes):
            if text != change.after and not self._force:
                break
            self._back_to, text = change, change.before
        if self._back_to is None and now == first.before:
            self._back_to = first
        if self._back_to is None:
            raise _Edited(self._why(now))
        if self._back_to is not first:
            again = command(self._dataset, "undo", "--run", str(first.run), "--force")
            sentence = (
                f"{show(Path(first.name).name)} is as a person left it between two starts of run {first.run}: "
                f"`{again}` restores what was there before the run."
            )
            self._outcome.partly.append((first.name, sentence))
        return self._back_to.before, self._back_to.record_before

    def _why(self, now: bytes | None) -> str:
        run, name = self._changes[0].run, self._changes[0].name
        shown = show(Path(name).name)
        force = command(self._dataset, "undo", "--run", str(run), "--force")
        newest = self._state.newest_change(name)
        if newest is not None and newest.after == now and newest.run != run:
            first = command(self._dataset, "undo", "--run", str(newest.run))
            return (
                f"{shown} was changed by run {newest.run} after run {run} and is left as it is: take that back first "
                f"(`{first}`), or restore it with `{force}`."
            )
        return f"{shown} was edited after run {run} and is left as it is: `{force}` restores it too."


def check_within(state: State, name: str) -> None:
    """Raises ImageError when a caption of the history lies outside of the dataset (see `State.leads_out`)."""
    if state.leads_out(name):
        raise ImageError(
            f"{show(name)} is behind a link that leads out of the folder, and the history is from another place: it is "
            "left as it is."
        )


def command(dataset: Dataset, name: str, *options: str) -> str:
    """The command line for what is to be done with a dataset."""
    state = [] if dataset.state_dir is None else ["--state", str(dataset.state_dir)]
    return show(shlex.join(["prompt-extend", name, str(dataset.root), *options, *state]))


def _target(state: State, wanted: int | None, force: bool, dataset: Dataset) -> Run:
    runs = state.runs()
    newest = runs[-1] if runs else None
    unfinished = (
        newest if newest and newest.kind == UNDO and newest.status in ("running", "stopped") else None
    )
    by_id = {r.id: r for r in runs}
    if unfinished is not None and wanted in (None, unfinished.undoes) and unfinished.undoes in by_id:
        return by_id[unfinished.undoes]
    if wanted is not None:
        return _named(state, runs, wanted, dataset)
    # as far as they could be without force; an undo that was taken back is as if it had not been
    taken: set[int | None] = set()
    for r in reversed(runs):
        if r.kind == UNDO and r.status == "done" and r.id not in taken:
            taken.add(r.undoes)
    for r in reversed(runs):
        if r.kind == UNDO or r.status == "undone" or not r.changed:
            continue
        if force or r.id not in taken or _can_go_back(state, r.id):
            return r
    left = [r.id for r in runs if r.kind != UNDO and r.status != "undone" and r.changed]
    root = show(str(dataset.root))
    if left:
        forced = command(dataset, "undo", "--run", str(left[-1]), "--force")
        raise UserError(
            f"No run on {root} changed a caption that could be restored without taking an edit along: "
            f"`{forced}` does that."
        )
    raise UserError(f"No run on {root} changed a caption that could be restored.")


def _can_go_back(state: State, run: int) -> bool:
    """Whether any caption is as the run left it; the obstacle to an earlier undo may be gone."""
    left = state.effective(run)
    last = state.changes_by_id([numbers[-1] for numbers in left.values()])
    for change in last.values():
        with contextlib.suppress(ImageError):
            if read_bytes(state.root / change.name) == change.after:
                return True
    return False


def _named(state: State, runs: Sequence[Run], wanted: int, dataset: Dataset) -> Run:
    root = show(str(dataset.root))
    found = next((r for r in runs if r.id == wanted), None)
    if found is None:
        known = ", ".join(str(r.id) for r in runs) or "none"
        raise UserError(f"There is no run {wanted} on {root}: the runs are {known}.")
    if found.status == "undone":
        back = next((r.id for r in reversed(runs) if r.undoes == wanted and r.status != "undone"), None)
        if back is None:
            raise UserError(f"Run {wanted} was already undone.")
        again = command(dataset, "undo", "--run", str(back))
        raise UserError(f"Run {wanted} was already undone by run {back}: `{again}` brings it back.")
    if not state.count_changed(wanted):
        raise UserError(f"Run {wanted} changed no caption: there is nothing to take back.")
    return found
