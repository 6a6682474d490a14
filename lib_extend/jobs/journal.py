"""Write captions so that each file is complete and each change can be undone.

The order makes this safe: the previous and the new text are committed to the journal first, then the file is replaced,
then the journal row is settled. If the process is killed at any point, `recovery` compares the open rows with the
files. Every replacement has its own row, so a previous text is never overwritten.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from lib_extend.datasets.run_rows import Change
from lib_extend.datasets.state import State
from lib_extend.errors import ImageError, StorageError
from lib_extend.files import caption_writing as writing
from lib_extend.files.caption_files import read_bytes

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

THREADS = 16
"""Files read, staged and replaced at once: each waits for the disk."""


@dataclass(frozen=True)
class Write:
    """A caption to be written: `make` turns the file's present bytes into the new ones and our record.

    It is called once, or again if the file changed between reading and replacing. `reverts` is asked after `make` for the
    number of the change that is taken back (None: none); a change that takes back is journaled even where the file
    already holds what it leads to.
    """

    name: str
    make: Callable[[bytes | None], tuple[bytes | None, str | None]]
    reverts: Callable[[], int | None] = lambda: None


@dataclass(frozen=True)
class Outcome:
    """What happened to one `Write`: `error` None when the file now holds what `make` gave."""

    name: str
    changed: bool
    error: ImageError | None = None


@dataclass(frozen=True)
class _Placed:
    """The state of a change's file: `error` when it could not be written, `meanwhile` when it held a third text."""

    error: ImageError | StorageError | None = None
    meanwhile: bool = False


def commit(
    state: State,
    run: int,
    writes: Sequence[Write],
    settle: Callable[[list[Outcome]], None] = lambda outcomes: None,
) -> list[Outcome]:
    """Replace the captions of `writes`, in order; `settle` adds rows to the closing transaction.

    If a person saved a file meanwhile, its caption is made again from the present text. Raises StorageError
    when the disk is full: the files already replaced stay and are settled by `recover`.
    """
    outcomes: dict[str, Outcome] = {}
    changes: list[Change] = []
    records: list[tuple[str, str | None]] = []
    with ThreadPoolExecutor(min(THREADS, max(1, len(writes)))) as pool:
        for w, present in zip(writes, _spread(pool, _reader(state), writes), strict=True):
            try:
                if isinstance(present, ImageError):
                    raise present
                after, record = w.make(present)
            except ImageError as e:
                outcomes[w.name] = Outcome(w.name, False, e)
                continue
            old, reverts = state.record(w.name), w.reverts()
            if after == present and reverts is None:
                outcomes[w.name] = Outcome(w.name, False)
                if record != old:
                    records.append((w.name, record))
                continue
            rewritten = after is not None and after != present and writing.in_place(state.root / w.name)
            changes.append(Change(w.name, present, after, old, record, reverts, rewritten))
        numbers: list[int] = []
        if changes:
            with state.transaction():
                numbers = state.add_changes(run, changes)
        placed = _place(state, changes, pool)
    by_name = {w.name: w for w in writes}
    written: list[int] = []
    dropped: list[int] = []
    seen: list[int] = []
    again: list[Write] = []
    for number, c, place in zip(numbers, changes, placed, strict=True):
        if place.meanwhile:
            again.append(by_name[c.name])
            seen.append(number)
        elif isinstance(place.error, ImageError):
            dropped.append(number)
            outcomes[c.name] = Outcome(c.name, False, place.error)
        else:
            written.append(number)
            records.append((c.name, c.record_after))
            outcomes[c.name] = Outcome(c.name, c.before != c.after)
    writing.settle_folders([state.root / c.name for c in changes])
    result = [outcomes[w.name] for w in writes if w.name in outcomes]
    with state.transaction():
        state.settle_changes(written, dropped, seen)
        state.set_records(records)
        settle(result)
    if again:
        result += commit(state, run, again, settle)
    return result


def owner_of(state: State) -> str:
    """The mark of files that jobs with this state stage."""
    return hashlib.blake2b(os.fsencode(os.path.realpath(state.file)), digest_size=4).hexdigest()


def _spread(
    pool: ThreadPoolExecutor, work: Callable[[_Item], _Result], items: Sequence[_Item]
) -> list[_Result]:
    """`work` of each item, in their order; each thread takes every 16th, because handing over single items is slower
    than the work."""
    parts = pool.map(lambda i: [work(item) for item in items[i::THREADS]], range(THREADS))
    result: list[_Result | None] = [None] * len(items)
    for i, part in enumerate(parts):
        result[i::THREADS] = part
    return cast("list[_Result]", result)


def _reader(state: State) -> Callable[[Write], bytes | ImageError | None]:
    def read(write: Write) -> bytes | ImageError | None:
        try:
            return read_bytes(state.root / write.name)
        except ImageError as e:
            return e

    return read


def _place(state: State, changes: Sequence[Change], pool: ThreadPoolExecutor) -> list[_Placed]:
    """Replace the files of `changes`, in that order. Raises StorageError before any is replaced, or when one cannot be."""
    owner = owner_of(state)

    def stage(change: Change) -> Path | ImageError | StorageError | None:
        if change.after is None or change.in_place or change.after == change.before:
            return None
        try:
            return writing.stage(state.root / change.name, change.after, owner)
        except (ImageError, StorageError) as e:
            return e

    staged = _spread(pool, stage, changes)
    full = next((s for s in staged if isinstance(s, StorageError)), None)
    if full is not None:
        for s in staged:
            if isinstance(s, Path):
                writing.discard(s)
        raise full

    def put(both: tuple[Change, Path | ImageError | StorageError | None]) -> _Placed:
        change, temp = both
        path = state.root / change.name
        if isinstance(temp, (ImageError, StorageError)):
            return _Placed(temp)
        try:
            if read_bytes(path) != change.before:
                writing.discard(temp)
                return _Placed(meanwhile=True)
            if change.after == change.before:
                return _Placed()
            if change.in_place and change.after is not None:
                writing.rewrite(path, change.after)
            else:
                writing.replace(path, temp)
        except (ImageError, StorageError) as e:
            writing.discard(temp)
            return _Placed(e)
        return _Placed()

    placed = _spread(pool, put, list(zip(changes, staged, strict=True)))
    for p in placed:
        if isinstance(p.error, StorageError):
            raise p.error
    return placed
