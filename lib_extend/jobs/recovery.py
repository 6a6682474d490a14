"""The start of every job: lock the dataset and its folders, and settle what a killed job left open."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from lib_extend.captions import person_edits as edits
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.run_rows import Change
from lib_extend.datasets.state import State
from lib_extend.errors import BusyError, ImageError, PromptExtendError, StorageError
from lib_extend.files import caption_writing as writing
from lib_extend.files.caption_files import read_bytes
from lib_extend.files.lock import claimed
from lib_extend.jobs.journal import owner_of


@contextmanager
def working(dataset: Dataset, names: Iterable[str] | Callable[[State], Iterable[str]]) -> Iterator[State]:
    """The state of the dataset while no other job may write the captions (or pictures) `names` of it.

    What a killed job left open is settled, and the files it staged are deleted. `names` may be asked of the state.

    Raises:
        BusyError: another job works on the dataset, or on a folder of it. UserError: see `Dataset.state`.
    """
    with dataset.locked_state() as state:
        wanted = [n for n in (names(state) if callable(names) else names) if not state.leads_out(n)]
        opened = _within(state)
        folders = {(state.root / n).parent for n in {*wanted, *(c.name for c in opened)}}
        with claimed(state.root, folders):
            recover(state)
            state.end_killed_runs()
            for folder in folders if opened else ():
                writing.remove_leftovers(folder)
            yield state


def tidy(dataset: Dataset) -> None:
    """Settle what a killed job left in the dataset, where it can be done at once; nothing is raised."""
    if not dataset.has_state:
        return
    with contextlib.suppress(BusyError, PromptExtendError):
        with dataset.state(set_aside=False) as state:
            if not state.open_changes() and not state.has_killed_runs():
                return
        with working(dataset, ()):
            pass


def recover(state: State) -> int:
    """Settle what a killed run left open; returns how many captions were looked at.

    A file that is neither the old nor the new one was edited by a person in the meantime: by how many tags differ it is
    told which of the two they started from. One that is torn (see `caption_writing.rewrite`) gets its old text back.
    """
    opened = _within(state)
    folders = writing.leftover_folders([state.root / c.name for c in opened])
    for folder in folders:
        writing.remove_leftovers(folder, owner_of(state))
    for c in opened:
        placed, edited = _judge(state, c)
        with state.transaction():
            if placed:
                state.settle_changes([c.id])
                state.set_records([(c.name, c.record_after)])
            else:
                state.settle_changes([], [] if edited else [c.id], [c.id] if edited else [])
    return len(opened)


def _within(state: State) -> list[Change]:
    """The open changes; those of files outside of the dataset are settled without a look at the file."""
    opened = state.open_changes()
    outside = {c.id for c in opened if state.leads_out(c.name)}
    if outside:
        with state.transaction():
            state.settle_changes([], seen=sorted(outside))
    return [c for c in opened if c.id not in outside]


def _judge(state: State, change: Change) -> tuple[bool, bool]:
    """Whether the file was replaced, and whether it holds another text than the two."""
    path = state.root / change.name
    try:
        now = read_bytes(path)
    except ImageError:
        now = change.before
    if now == change.after:
        return True, False
    if now == change.before:
        return False, False
    if change.in_place and change.before is not None and writing.torn(now, change.before, change.after):
        found = Change(change.name, now, change.before, change.record_before, change.record_before)
        with state.transaction():  # if a person typed exactly this text, it is not lost
            state.settle_changes([], seen=state.add_changes(change.run, [found]))
        with contextlib.suppress(ImageError, StorageError):
            writing.rewrite(path, change.before)
            return False, False
    return _distance(state, now, change.after) <= _distance(state, now, change.before), True


def _distance(state: State, a: bytes | None, b: bytes | None) -> int:
    def text(data: bytes | None) -> str | None:
        try:
            return None if data is None else state.encodings.decode(data, "")
        except ImageError:
            return None

    return edits.distance(text(a), text(b))
