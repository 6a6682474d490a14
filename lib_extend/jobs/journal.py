"""Write captions so that each is whole and each can be taken back.

The order is what makes it safe: the previous and the new text are committed to the journal first, then
the file is replaced, then the journal row is settled. A process killed at any point leaves rows that
`recover` can judge by looking at the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lib_extend.datasets.state import Change, State
from lib_extend.errors import ImageError, StorageError
from lib_extend.files import caption_files as files

STAGING_THREADS = 16


@dataclass(frozen=True)
class Write:
    """A caption to be written: `make` turns the file's present bytes into the new ones and our record.

    It is called once, or again if the file changed between reading and replacing.
    """

    name: str
    make: Callable[[bytes | None], tuple[bytes | None, str | None]]


@dataclass(frozen=True)
class Outcome:
    """What happened to one `Write`: `error` None when the file now holds what `make` gave."""

    name: str
    changed: bool
    error: ImageError | None = None


def commit(
    state: State,
    run: int,
    writes: Sequence[Write],
    settle: Callable[[list[Outcome]], None] = lambda outcomes: None,
) -> list[Outcome]:
    """Replace the captions of `writes`, in order; `settle` adds rows to the closing transaction.

    A file a person saved in the meantime is made again from what is there now. Raises StorageError
    when the disk is full: the files already replaced stay and are settled by `recover`.
    """
    outcomes: dict[str, Outcome] = {}
    changes: list[Change] = []
    records: list[tuple[str, str | None]] = []
    for w in writes:
        try:
            before = files.read_bytes(state.root / w.name)
            after, record = w.make(before)
        except ImageError as e:
            outcomes[w.name] = Outcome(w.name, False, e)
            continue
        old = state.record(w.name)
        if after == before:
            outcomes[w.name] = Outcome(w.name, False)
            if record != old:
                records.append((w.name, record))
        else:
            changes.append(Change(w.name, before, after, old, record))
    if changes:
        with state.transaction():
            state.add_changes(run, changes)
    by_name = {w.name: w for w in writes}
    written: list[str] = []
    dropped: list[str] = []
    again: list[Write] = []
    for c, staged in zip(changes, _stage(state, changes), strict=True):
        path = state.root / c.name
        try:
            if isinstance(staged, ImageError):
                raise staged
            if files.read_bytes(path) != c.before:
                files.discard(staged)
                again.append(by_name[c.name])
                dropped.append(c.name)
                continue
            files.replace(path, staged)
        except ImageError as e:
            dropped.append(c.name)
            outcomes[c.name] = Outcome(c.name, False, e)
            continue
        written.append(c.name)
        records.append((c.name, c.record_after))
        outcomes[c.name] = Outcome(c.name, True)
    result = [outcomes[w.name] for w in writes if w.name in outcomes]
    with state.transaction():
        state.settle_changes(run, written, dropped)
        state.set_records(records)
        settle(result)
    if again:
        result += commit(state, run, again, settle)
    return result


def _stage(state: State, changes: Sequence[Change]) -> list[Path | ImageError | None]:
    """The new files beside the old ones, in the order of `changes`; None where a file is to be deleted.

    In threads, because each waits for the disk.
    """

    def stage(change: Change) -> Path | ImageError | StorageError | None:
        if change.after is None:
            return None
        try:
            return files.stage(state.root / change.name, change.after)
        except (ImageError, StorageError) as e:
            return e

    with ThreadPoolExecutor(min(STAGING_THREADS, max(1, len(changes)))) as pool:
        staged = list(pool.map(stage, changes))
    full = next((s for s in staged if isinstance(s, StorageError)), None)
    if full is None:
        return [s for s in staged if not isinstance(s, StorageError)]
    for s in staged:
        if isinstance(s, Path):
            files.discard(s)
    raise full


def recover(state: State, distance: Callable[[bytes | None, bytes | None], int]) -> int:
    """Settle what a killed run left open; returns how many captions were looked at.

    A file that is neither the old nor the new one was edited by a person in the meantime; `distance`
    (how many tags differ) tells which of the two they started from.
    """
    pending = state.changes(None, "intended")
    for run, c in pending:
        try:
            now = files.read_bytes(state.root / c.name)
        except ImageError:
            now = c.before
        if now == c.after:
            replaced = True
        elif now == c.before:
            replaced = False
        else:
            replaced = distance(now, c.after) <= distance(now, c.before)
        with state.transaction():
            if replaced:
                state.settle_changes(run, [c.name])
                state.set_records([(c.name, c.record_after)])
            else:
                state.settle_changes(run, [], [c.name])
    return len(pending)
