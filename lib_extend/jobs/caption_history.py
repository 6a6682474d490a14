"""All texts of one caption file that runs replaced or wrote, and restoring any of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.run_rows import Change
from lib_extend.datasets.state import State
from lib_extend.errors import ImageError, UserError
from lib_extend.files.caption_files import read_bytes
from lib_extend.files.caption_forms import find
from lib_extend.files.scan import IMAGE_SUFFIXES, show
from lib_extend.jobs import journal
from lib_extend.jobs.edit_runs import EDIT
from lib_extend.jobs.journal import Write
from lib_extend.jobs.recovery import working
from lib_extend.jobs.undo import check_within


@dataclass(frozen=True)
class Version:
    """One text of a caption file.

    Attributes:
        number: 1 for the oldest; it stays the same when there are more. text: the bytes, None where there was no file.
        record: the program's record of the file at that time. run: the run that wrote it, 0 if a person or another
            program did.
        found: the run that found it (0: it stands there now and no run has touched it).
        present: whether the file holds it now.
    """

    number: int
    text: bytes | None
    record: str | None
    run: int
    found: int
    present: bool


def caption_of(dataset: Dataset, name: str) -> str:
    """The caption file of an image (or itself, where `name` is a caption), relative to the dataset."""
    return find(dataset.root, name) if Path(name).suffix.lower() in IMAGE_SUFFIXES else name


def versions(dataset: Dataset, name: str) -> list[Version]:
    """The texts of the caption of `name` (an image or a caption, relative to the dataset), oldest first.

    Raises:
        UserError: no run ever changed it. ImageError: it cannot be read.
    """
    _check(dataset)
    with dataset.state() as state:
        return _versions(state, caption_of(dataset, name))


def restore(dataset: Dataset, name: str, number: int) -> int:
    """Put a version of a caption back, by an edit that can be undone; returns the number of its run, 0 for no change.

    Raises:
        UserError: no such version, or a job is running. ImageError: the caption cannot be written.
    """
    _check(dataset)
    caption = caption_of(dataset, name)
    with working(dataset, [caption]) as state:
        known = _versions(state, caption)
        wanted = next((v for v in known if v.number == number), None)
        if wanted is None:
            raise UserError(
                f"{show(caption)} has no version {number}: name one from 1 to {len(known)}, as `history` lists them."
            )
        version = wanted
        what = {"action": "restore", "image": name, "version": number}
        run = state.start_run(EDIT, what, "", time.time())
        status = "stopped"
        try:
            (outcome,) = journal.commit(
                state, run, [Write(caption, lambda present: (version.text, version.record))]
            )
            if outcome.error is not None:
                raise outcome.error
            status = "done"
        finally:
            state.update_run(run, status, time.time(), images=1)
            if status != "done" or not outcome.changed:
                state.drop_run(run)
    return run if outcome.changed else 0


def _check(dataset: Dataset) -> None:
    if not dataset.has_state:
        dataset.check()
        raise UserError(f"{show(str(dataset.root))} was never tagged here: there is nothing to restore.")


def _versions(state: State, caption: str) -> list[Version]:
    check_within(state, caption)
    changes = state.changes_of(caption)
    if not changes:
        raise UserError(
            f"No run changed the caption {show(caption)} of {show(str(state.root))}: there is nothing to restore."
        )
    try:
        now = read_bytes(state.root / caption)
    except ImageError:
        now = changes[-1].before
    return _listed(changes, now)


def _listed(changes: Sequence[Change], now: bytes | None) -> list[Version]:
    found: list[Version] = []

    def add(text: bytes | None, record: str | None, run: int, by: int) -> None:
        found.append(Version(len(found) + 1, text, record, run, by, False))

    for c in changes:
        if not found or found[-1].text != c.before:
            add(c.before, c.record_before, 0, c.run)
        if c.state == "written" and c.after != c.before:
            add(c.after, c.record_after, c.run, c.run)
    if found[-1].text != now:
        add(now, changes[-1].record_after, 0, 0)
    last = found[-1]
    return [*found[:-1], Version(last.number, last.text, last.record, last.run, last.found, True)]
