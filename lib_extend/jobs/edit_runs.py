"""A person's edits of captions as runs: journaled, undone like other runs, and only changed files are written.

The record of a caption (`edits.Written`) stays unchanged, so the next tagging run treats these edits like edits made in
a text editor, and keeps them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_extend.captions.editing import Style
from lib_extend.captions.person_edits import Written
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.state import State
from lib_extend.datasets.state_values import stored_json
from lib_extend.errors import ImageError, UserError
from lib_extend.files import caption_files as files
from lib_extend.files.encodings import encode
from lib_extend.files.scan import show
from lib_extend.jobs import journal
from lib_extend.jobs.journal import Write
from lib_extend.jobs.recovery import working

EDIT = "edit"
CHUNK = 256
"""Captions committed together."""

Change = Callable[[str, Style], str]
"""From a caption's text and the way it is written to its new text; pure, and quick."""


@dataclass(frozen=True)
class Edited:
    """What an edit did.

    Attributes:
        run: its number; a run without changes and errors is not kept.
        changed: names of captions. failed: (caption, reason) of those left as they are.
        stopped: not all were looked at.
    """

    run: int
    changed: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    stopped: bool = False


class Conflict(UserError):
    """The caption is not the one the person edited; `present` is what stands there now (None: no file)."""

    def __init__(self, message: str, present: str | None) -> None:
        super().__init__(message)
        self.present = present


def edit_captions(
    dataset: Dataset,
    names: Sequence[str],
    change: Change,
    what: Mapping[str, Any],
    *,
    style: Style = Style(),  # noqa: B008
    reencode: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> Edited:
    """Change the captions `names` (relative to the dataset), each from what stands in its file now.

    Args:
        change: it is asked once for a caption, or again if the file changes meanwhile. A caption that is not there is
            "", and is made when it becomes more.
        what: the edit in JSON values, for the list of runs. style: how captions that do not show it are written.
        reencode: files are written anew in UTF-8 also where their text stays.
        progress: called with (done, total). stop: called from time to time; true ends the edit, and finished work is
            kept.

    Raises:
        UserError: a job is running on the folder, or it cannot be written.
        StorageError: the disk is full; what is done is kept, and is undone as a run.
    """
    changed: list[str] = []
    failed: list[tuple[str, str]] = []
    stopped = False
    with _run(dataset, what, names) as (state, run):
        for start in range(0, len(names), CHUNK):
            stopped = stop()
            if stopped:
                break
            writes = [_write(state, name, change, style, reencode) for name in names[start : start + CHUNK]]
            for outcome in journal.commit(state, run, writes):
                if outcome.error is not None:
                    failed.append((outcome.name, outcome.error.reason))
                elif outcome.changed:
                    changed.append(outcome.name)
            progress(min(start + CHUNK, len(names)), len(names))
        if failed:
            with state.transaction():
                state.add_items(run, failed)
        elif not changed:
            state.drop_run(run)
    return Edited(run, tuple(changed), tuple(failed), stopped)


def save_caption(dataset: Dataset, name: str, text: str, before: str) -> Edited:
    """Write one caption as a person typed it.

    Args:
        before: the text the person started from, "" for none.

    Raises:
        Conflict: something else stands there now. UserError: a job is running, or the text is too long.
    """
    check_text(text)
    conflict: list[str | None] = []

    def make(data: bytes | None) -> tuple[bytes | None, str | None]:
        present = None if data is None else state.encodings.decode(data, name)
        record = state.record(name)
        if _plain(present or "") != _plain(before):
            conflict[:] = [present]
            raise ImageError(f"{show(Path(name).name)} was changed meanwhile: look at it and save again.")
        if present is None and not text.strip():
            return None, record
        ending = (present or "")[len((present or "").rstrip()) :]
        after = text.rstrip() + ending
        return (data if present == after else encode(after)), record

    with _run(dataset, {"action": "caption"}, [name]) as (state, run):
        (outcome,) = journal.commit(state, run, [Write(name, make)])
        if not outcome.changed:
            state.drop_run(run)
    if conflict:
        raise Conflict(str(outcome.error), conflict[0])
    if outcome.error is not None:
        raise UserError(outcome.error.reason)
    return Edited(run, (name,) if outcome.changed else (), ())


def check_text(text: str) -> None:
    """Raises UserError when `text` cannot be a caption: too long, or characters that are none."""
    if len(text) > files.LONGEST_CAPTION:
        raise UserError(f"A caption has at most {files.LONGEST_CAPTION:,} characters.")
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise UserError("The text holds characters that no caption can have: type it anew.")


def too_long(name: str) -> str:
    """The sentence for a caption that an edit would make too long."""
    return f"{show(Path(name).name)} would have more than {files.LONGEST_CAPTION:,} characters."


def style_of(record: str | None, style: Style) -> Style:
    """How a caption is written, by our memory of it (`Written` as JSON), else as `style` says."""
    if record is None:
        return style
    memory = stored_json(Written.from_json, record)
    return replace(style, separator=memory.separator, marks=memory.marks, memory=memory)


def style_of_dataset(dataset: Dataset) -> Style:
    """How captions of the dataset are written, by the newest run that tagged it."""
    with dataset.reading() as reader:
        config = reader.last_config()
    return Style(
        underscores=bool(config.get("underscores")),
        escape_brackets=bool(config.get("escape_brackets")),
        lines="every" if config.get("lines") == "every" else "first",
    )


def _write(state: State, name: str, change: Change, style: Style, reencode: bool) -> Write:
    def make(data: bytes | None) -> tuple[bytes | None, str | None]:
        text = "" if data is None else state.encodings.decode(data, name)
        record = state.record(name)
        after = change(text, style_of(record, style))
        if len(after) > files.LONGEST_CAPTION:
            raise ImageError(too_long(name))
        stays = after == text and not (reencode and data is not None)
        return (data if stays else encode(after)), record

    return Write(name, make)


@contextlib.contextmanager
def _run(dataset: Dataset, what: Mapping[str, Any], names: Sequence[str]) -> Iterator[tuple[State, int]]:
    with working(dataset, names) as state:
        run = state.start_run(EDIT, dict(what), "", time.time())
        status = "stopped"
        try:
            yield state, run
            status = "done"
        finally:
            state.update_run(run, status, time.time(), images=len(names))


def _plain(text: str) -> str:
    """A text as a browser's text field gives it back."""
    return text.strip().replace("\r\n", "\n").replace("\r", "\n")
