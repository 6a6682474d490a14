"""The runs over a dataset in its database: the plan of each, its finished and failed images, and its changes."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from lib_extend.datasets.change_history import Step, in_effect
from lib_extend.datasets.state_values import (
    DamagedState,
    caption_of,
    mapping,
    name_of,
    stored_json,
    typed,
)


@dataclass(frozen=True)
class Run:
    """One run over the folder.

    Attributes:
        kind: "tag", "preview", "curate", "curate_preview", "edit", "review", "leave_out" or "undo". status: "running", "done", "stopped",
            or "undone" when all its changes were undone.
        started, finished: seconds since the epoch; `finished` None while unfinished.
        images: how many it planned. undoes: the run it undid (kind "undo").
        changed, failed: counts of captions written (or of pictures left out and taken in) and images that failed.
        taken_back: how many of those changes were undone.
    """

    id: int
    kind: str
    status: str
    started: float
    finished: float | None
    config: dict[str, Any]
    images: int
    undoes: int | None
    changed: int
    failed: int
    taken_back: int = 0


@dataclass(frozen=True)
class Change:
    """One replacement of one caption file: bytes before and after (None: no file), and our records.

    Attributes:
        id: its number, which grows; 0 while it has none. run: the run that made it.
        reverts: the number of the change that it undoes together with all later ones; None for a change that is no
            undo.
        in_place: the file is rewritten, not replaced by another.
        state: intended, written or seen (not replaced, but `before` stood there).
    """

    name: str
    before: bytes | None
    after: bytes | None
    record_before: str | None
    record_after: str | None
    reverts: int | None = None
    in_place: bool = False
    id: int = 0
    run: int = 0
    state: str = "intended"


_TIME = (int, float)
_LATEST = 32_503_680_000  # the year 3000: some systems cannot write a later date
_BYTES, _TEXT, _NUMBER = (bytes, type(None)), (str, type(None)), (int, type(None))
_KINDS = (bytes, _BYTES, _BYTES, _TEXT, _TEXT, _NUMBER, int, int, int, str)
_COLUMNS = "path, before, after, record_before, record_after, reverts, in_place, id, run, state"


def _key(name: str) -> bytes:
    return os.fsencode(name)


def _change(row: tuple[Any, ...]) -> Change:
    name, before, after, record_before, record_after, reverts, in_place, id, run, state = typed(row, *_KINDS)
    return Change(
        caption_of(name), before, after, record_before, record_after, reverts, bool(in_place), id, run, state
    )


class RunRows:
    """The run methods of `State`. `_db` is its connection."""

    _db: sqlite3.Connection

    def transaction(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    # runs

    def start_run(
        self, kind: str, config: dict[str, Any], config_key: str, now: float, undoes: int | None = None
    ) -> int:
        with self.transaction():
            cursor = self._db.execute(
                "INSERT INTO runs (kind, status, started, config, config_key, undoes) VALUES (?,?,?,?,?,?)",
                (kind, "running", now, json.dumps(config), config_key, undoes),
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def unfinished_run(self, kind: str, config_key: str) -> int | None:
        """The newest run, when it was stopped or killed and had the same kind and settings."""
        row = self._db.execute("SELECT id, kind, status, config_key FROM runs ORDER BY id DESC").fetchone()
        if row is not None and row[1:] in ((kind, "running", config_key), (kind, "stopped", config_key)):
            return int(row[0])
        return None

    def update_run(self, run: int, status: str, now: float | None, images: int | None = None) -> None:
        with self.transaction():
            self._db.execute("UPDATE runs SET status=?, finished=? WHERE id=?", (status, now, run))
            if images is not None:
                self._db.execute("UPDATE runs SET images=? WHERE id=?", (images, run))

    def has_killed_runs(self) -> bool:
        """Whether a run has the status "running": it is running or was killed."""
        return self._db.execute("SELECT 1 FROM runs WHERE status='running'").fetchone() is not None

    def end_killed_runs(self) -> None:
        """Mark killed runs as ended. Call with the dataset's lock, before a new run begins."""
        if self.has_killed_runs():
            with self.transaction():
                self._db.execute("UPDATE runs SET status='stopped' WHERE status='running'")

    def newest_run(self) -> tuple[int, str, float, dict[str, Any]] | None:
        """Number, kind, time of the last update and settings of the newest run."""
        row = self._db.execute(
            "SELECT id, kind, coalesce(finished, started), config FROM runs ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        typed(row, int, str, (int, float), str)
        return row[0], row[1], float(row[2]), stored_json(mapping, row[3])

    def set_run_config(self, run: int, config: dict[str, Any]) -> None:
        """Call inside `transaction`."""
        self._db.execute("UPDATE runs SET config=? WHERE id=?", (json.dumps(config), run))

    def drop_run(self, run: int) -> None:
        """Delete a run that changed nothing. A run that found another text in a file is kept, because that text is
        stored with it."""
        with self.transaction():
            kept = "SELECT 1 FROM changes WHERE run=? UNION SELECT 1 FROM marks WHERE run=?"
            if self._db.execute(kept, (run, run)).fetchone() is None:
                self._db.execute("DELETE FROM runs WHERE id=?", (run,))

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        back = self._taken_back()
        unmarked = self._marks_taken_back()
        rows = self._db.execute(
            "SELECT id, kind, status, started, finished, config, images, undoes,"
            " (SELECT count(DISTINCT path) FROM changes"
            "  WHERE run=runs.id AND state='written' AND before IS NOT after)"
            " + (SELECT count(*) FROM marks WHERE run=runs.id),"
            " (SELECT count(*) FROM items WHERE run=runs.id AND reason<>'')"
            " FROM runs ORDER BY id"
        )
        result = []
        for row in rows:
            typed(row, int, str, str, _TIME, (*_TIME, type(None)), str, int, _NUMBER, int, int)
            id, kind, status, started, finished, config, images, undoes, changed, failed = row
            if not 0 <= started <= _LATEST or not 0 <= (finished or 0) <= _LATEST:
                raise DamagedState("a time is none")
            taken, left = back.get(id, (0, 1))
            if id in unmarked:
                taken, left = changed, 0
            shown = status if left else "undone"
            result.append(
                Run(
                    id, kind, shown, started, finished, stored_json(mapping, config), images, undoes, changed, failed, taken
                )
            )  # fmt: skip
        return result

    def _taken_back(self) -> dict[int, tuple[int, int]]:
        """For each run with undone changes: in how many files they were undone, and in how many not."""
        rows = self._db.execute(
            "SELECT path, id, run, reverts FROM changes WHERE state='written' AND path IN"
            " (SELECT path FROM changes WHERE reverts IS NOT NULL) ORDER BY path, id"
        )
        taken: dict[int, int] = {}
        for _, group in groupby(self._steps(rows), itemgetter(0)):
            steps = [Step(*row[1:]) for row in group]
            gone = {s.run for s in steps} - {s.run for s in in_effect(steps)}
            for run in gone:
                taken[run] = taken.get(run, 0) + 1
        if not taken:
            return {}
        files = dict(
            self._db.execute(
                "SELECT run, count(DISTINCT path) FROM changes WHERE state='written' GROUP BY run"
            )
        )
        return {run: (n, files[run] - n) for run, n in taken.items()}

    def _marks_taken_back(self) -> set[int]:
        """Runs that left pictures out or took them in, and that were undone."""
        rows = self._db.execute(
            "SELECT id, undoes FROM runs WHERE undoes IS NOT NULL AND id IN (SELECT run FROM marks) ORDER BY id"
        )
        gone: dict[int, int] = {}  # by the undo
        for undo, run in rows:
            gone.pop(run, None)  # it was an undo itself: the changes that it undid are in effect again
            gone[undo] = run
        return set(gone.values())

    # the images of a run

    def items_done(self, run: int) -> set[str]:
        """Names of the images that this run finished without an error."""
        rows = self._db.execute("SELECT path FROM items WHERE run=? AND reason=''", (run,))
        return {name_of(p) for (p,) in rows}

    def add_items(self, run: int, rows: Sequence[tuple[str, str]]) -> None:
        """(image name, reason or "") rows of finished images; call inside `transaction`."""
        self._db.executemany(
            "INSERT OR REPLACE INTO items VALUES (?,?,?)", [(run, _key(n), r) for n, r in rows]
        )

    # changes

    def add_changes(self, run: int, rows: Sequence[Change]) -> list[int]:
        """Intended changes; call inside `transaction`, before the files are touched. Returns their numbers."""
        numbers = []
        for c in rows:
            cursor = self._db.execute(
                "INSERT INTO changes (run, path, state, before, after, record_before, record_after, reverts, in_place)"
                " VALUES (?,?,'intended',?,?,?,?,?,?)",
                (
                    run,
                    _key(c.name),
                    c.before,
                    c.after,
                    c.record_before,
                    c.record_after,
                    c.reverts,
                    c.in_place,
                ),
            )
            assert cursor.lastrowid is not None
            numbers.append(cursor.lastrowid)
        return numbers

    def settle_changes(
        self, written: Sequence[int], dropped: Sequence[int] = (), seen: Sequence[int] = ()
    ) -> None:
        """Settle intended changes after the files were replaced or left; call inside `transaction`.

        Args:
            dropped: changes whose file was left with the text from before. seen: changes whose file holds a third
                text, so that the one from before is nowhere else.
        """
        self._db.executemany("UPDATE changes SET state='written' WHERE id=?", [(n,) for n in written])
        self._db.executemany("UPDATE changes SET state='seen' WHERE id=?", [(n,) for n in seen])
        self._db.executemany("DELETE FROM changes WHERE id=?", [(n,) for n in dropped])

    def open_changes(self) -> list[Change]:
        """The changes that a killed run intended, oldest first."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM changes WHERE state='intended' ORDER BY id")
        return [_change(r) for r in rows]

    def changes_of(self, name: str) -> list[Change]:
        """All changes of one caption file, oldest first."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM changes WHERE path=? ORDER BY id", (_key(name),))
        return [_change(r) for r in rows]

    def count_changed(self, run: int) -> int:
        """How many captions a run changed, or found already as it would write them; and how many marks of pictures it
        changed."""
        query = (
            "SELECT (SELECT count(DISTINCT path) FROM changes WHERE run=? AND state='written')"
            " + (SELECT count(*) FROM marks WHERE run=?)"
        )
        return int(self._db.execute(query, (run, run)).fetchone()[0])

    def changed_files(self) -> list[str]:
        """Names of all captions that any run changed."""
        return [caption_of(p) for (p,) in self._db.execute("SELECT DISTINCT path FROM changes")]

    def newest_change(self, name: str) -> Change | None:
        """The last replacement of a caption file by one of our runs."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM changes WHERE path=? AND state='written' ORDER BY id DESC LIMIT 1",
            (_key(name),),
        ).fetchone()
        return None if row is None else _change(row)

    def effective(self, run: int) -> dict[str, list[int]]:
        """The changes of a run that are in effect: by caption their numbers, oldest first."""
        result: dict[str, list[int]] = {}
        rows = self._db.execute(
            "SELECT path, id, run, reverts FROM changes WHERE state='written' AND path IN"
            " (SELECT path FROM changes WHERE run=?) ORDER BY path, id",
            (run,),
        )
        for path, group in groupby(self._steps(rows), itemgetter(0)):
            mine = [s.id for s in in_effect(Step(*row[1:]) for row in group) if s.run == run]
            if mine:
                result[caption_of(path)] = mine
        return result

    @staticmethod
    def _steps(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            yield typed(row, bytes, int, int, _NUMBER)

    def changes_by_id(self, numbers: Sequence[int]) -> dict[int, Change]:
        """These changes by their numbers."""
        return {c.id: c for c in self._by_id(numbers)}

    def _by_id(self, numbers: Sequence[int]) -> Iterator[Change]:
        for start in range(0, len(numbers), 500):
            some = numbers[start : start + 500]
            marks = ",".join("?" * len(some))
            for row in self._db.execute(f"SELECT {_COLUMNS} FROM changes WHERE id IN ({marks})", some):
                yield _change(row)
