"""Read a dataset's job database beside a running job.

The browser, the list of runs and the pages of a run use it. For a folder that was never tagged, all results are empty.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.datasets.caption_encodings import META
from lib_extend.datasets.job_rows import JobRow, jobs_of
from lib_extend.datasets.recipe import ANSWERS
from lib_extend.datasets.run_rows import Change
from lib_extend.datasets.state_file import connect_to_read
from lib_extend.datasets.state_values import DamagedState, mapping, name_of, stored_json
from lib_extend.records import Answer

_CHANGED = "state='written' AND before IS NOT after"
_MANY = 500
"""Names in one query, at the most."""


@dataclass(frozen=True)
class Stored:
    """The stored data of one image as it is now.

    Attributes:
        analysed: whether any part of an analysis is there. answers: those of each key they are stored under.
        decided: (question, object) pairs a person has judged.
    """

    analysed: bool = False
    answers: tuple[tuple[str, tuple[Answer, ...]], ...] = ()
    decided: frozenset[tuple[str, str]] = frozenset()


class StateReader:
    """The database `file`, opened for reading; `close` it. Not shared between threads.

    Damaged rows are left out; the next job that starts reports the damage.
    """

    def __init__(self, file: Path | None) -> None:
        self._db = None if file is None else connect_to_read(file)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def encodings(self) -> str:
        """The decision on the captions' encodings as JSON, "" without one."""
        return str(next(self._rows("SELECT value FROM meta WHERE name=?", (META,)), ("",))[0])

    def note(self, name: str) -> str:
        """The text stored under a name, "" if there is none."""
        return str(next(self._rows("SELECT value FROM meta WHERE name=?", (name,)), ("",))[0])

    def left_out(self) -> dict[str, str]:
        """The left-out pictures and the reasons."""
        return {name: str(reason) for name, reason in _named(self._rows("SELECT path, reason FROM left_out"))}

    def jobs(self) -> list[JobRow]:
        """The server's stored jobs, oldest first."""
        return jobs_of(self._rows("SELECT id, record FROM jobs ORDER BY started, id"))

    def last_run(self) -> int:
        """The number of the newest run, 0 before the first."""
        return int(next(self._rows("SELECT max(id) FROM runs"), (0,))[0] or 0)

    def last_config(self) -> dict[str, Any]:
        """The settings of the newest run that tagged or curated and was not undone, {} if there is none."""
        undone = "SELECT undoes FROM runs WHERE undoes IS NOT NULL AND id NOT IN (SELECT undoes FROM runs WHERE undoes IS NOT NULL)"
        query = f"SELECT config FROM runs WHERE kind IN ('tag', 'preview', 'curate') AND id NOT IN ({undone}) ORDER BY id DESC LIMIT 1"
        return self._json(next(self._rows(query), ("{}",))[0])

    def model(self, spec: str) -> tuple[str, dict[str, Any]] | None:
        """Key and thresholds of the model last loaded under `spec`, or None."""
        row = next(self._rows("SELECT key, thresholds FROM models WHERE spec=?", (spec,)), None)
        return None if row is None else (str(row[0]), self._json(row[1]))

    def last_changing(self) -> int | None:
        """The newest run that changed a caption."""
        run = next(self._rows("SELECT max(run) FROM changes WHERE state='written'"), (None,))[0]
        return run if isinstance(run, int) else None

    def changed(self, run: int) -> list[str]:
        """Names of the captions a run changed."""
        rows = self._rows(f"SELECT DISTINCT path FROM changes WHERE run=? AND {_CHANGED}", (run,))
        return [p for (p,) in _named(rows)]

    def changes(self, run: int, offset: int, limit: int) -> list[Change]:
        """A page of the captions a run changed, by name: from before its first change to after its last."""
        rows = self._rows(
            "SELECT first.path, first.before, last.after FROM"
            f" (SELECT min(id) AS a, max(id) AS b FROM changes WHERE run=? AND {_CHANGED}"
            "  GROUP BY path ORDER BY path LIMIT ? OFFSET ?)"
            " JOIN changes AS first ON first.id=a JOIN changes AS last ON last.id=b ORDER BY first.path",
            (run, limit, offset),
        )
        return [
            Change(name, before, after, None, None)
            for name, before, after in _named(rows)
            if all(isinstance(text, (bytes, type(None))) for text in (before, after))
        ]

    def failures(self, run: int, limit: int) -> list[tuple[str, str]]:
        """(image, reason) of a run's failed images, by name."""
        rows = self._rows(
            "SELECT path, reason FROM items WHERE run=? AND reason<>'' ORDER BY path LIMIT ?", (run, limit)
        )
        return [(name, str(reason)) for name, reason in _named(rows)]

    def touched(self, since: int) -> tuple[set[str], set[str]]:
        """Images that runs from number `since` on finished, and captions that they changed."""
        images = self._rows("SELECT DISTINCT path FROM items WHERE run>=?", (since,))
        captions = self._rows("SELECT DISTINCT path FROM changes WHERE run>=?", (since,))
        return {n for (n,) in _named(images)}, {n for (n,) in _named(captions)}

    def worked_on(
        self, run: int, images: Sequence[str], captions: Sequence[str]
    ) -> tuple[set[str], set[str]]:
        """Which of the images a run finished, and which of the captions it changed."""
        done = self._in(f"SELECT path FROM items WHERE run={int(run)} AND path IN", images)
        written = f"SELECT path FROM changes WHERE run={int(run)} AND state='written' AND path IN"
        changed = self._in(written, captions)
        return {n for (n,) in _named(done)}, {n for (n,) in _named(changed)}

    def progress(self) -> tuple[int, int, int]:
        """The newest run, its number of finished images and of changed captions. The values grow with every change."""
        run = self.last_run()
        items = next(self._rows("SELECT count(*) FROM items WHERE run=?", (run,)), (0,))[0]
        changes = next(self._rows("SELECT count(*) FROM changes WHERE run=?", (run,)), (0,))[0]
        return run, int(items), int(changes)

    def records(self, captions: Sequence[str]) -> dict[str, str]:
        """The `Written` records (JSON) of these captions, where there is one."""
        rows = self._in("SELECT path, record FROM captions WHERE path IN", captions)
        return {name: record for name, record in _named(rows) if isinstance(record, str)}

    def stamps(self, part: str, key: str) -> dict[str, tuple[int, int]]:
        """Size and mtime_ns that the images had when this part of them was stored."""
        rows = self._rows("SELECT path, size, mtime_ns FROM analysis WHERE part=? AND key=?", (part, key))
        return {name: (size, mtime) for name, size, mtime in _named(rows)}

    def payloads(self, part: str, key: str, images: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """(image, JSON) of what is stored of a part of these images under a key."""
        for start in range(0, len(images), _MANY):
            chunk = [os.fsencode(n) for n in images[start : start + _MANY]]
            query = f"SELECT path, payload FROM analysis WHERE part=? AND key=? AND path IN ({','.join('?' * len(chunk))})"
            yield from ((n, p) for n, p in _named(self._rows(query, (part, key, *chunk))))

    def stored(self, images: Sequence[tuple[str, int, int]]) -> dict[str, Stored]:
        """The stored data of (name, size, mtime_ns) images; images without any are left out."""
        now = {name: (size, mtime) for name, size, mtime in images}
        analysed: set[str] = set()
        answers: dict[str, list[tuple[str, tuple[Answer, ...]]]] = {}
        query = (
            "SELECT path, part, key, size, mtime_ns, CASE part WHEN 'answers' THEN payload END"
            " FROM analysis WHERE path IN"
        )
        for name, part, key, size, mtime, payload in _named(self._in(query, list(now))):
            if (size, mtime) != now.get(name):
                continue
            if part == ANSWERS:
                try:
                    given = stored_json(lambda rows: tuple(map(Answer.from_json, rows)), payload)
                except DamagedState:
                    continue
                answers.setdefault(name, []).append((str(key), given))
            analysed.add(name)
        decided: dict[str, set[tuple[str, str]]] = {}
        for name, question, thing in _named(
            self._in("SELECT path, question, object FROM verdicts WHERE path IN", list(now))
        ):
            decided.setdefault(name, set()).add((str(question), str(thing)))
        return {
            name: Stored(name in analysed, tuple(answers.get(name, ())), frozenset(decided.get(name, ())))
            for name in analysed | decided.keys()
        }

    def person_counts(self, images: Sequence[tuple[str, int, int]]) -> dict[str, int]:
        """How many persons were found in (name, size, mtime_ns) images; where two detectors differ, the image is left out."""
        now = {name: (size, mtime) for name, size, mtime in images}
        counts: dict[str, set[int]] = {}
        query = "SELECT path, size, mtime_ns, payload FROM analysis WHERE part='persons' AND path IN"
        for name, size, mtime, payload in _named(self._in(query, list(now))):
            if (size, mtime) == now.get(name):
                with contextlib.suppress(DamagedState):
                    counts.setdefault(name, set()).add(stored_json(len, payload))
        return {name: found.pop() for name, found in counts.items() if len(found) == 1}

    @staticmethod
    def _json(text: object) -> dict[str, Any]:
        try:
            return stored_json(mapping, text)
        except DamagedState:
            return {}

    def _in(self, query: str, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(names), _MANY):
            chunk = [os.fsencode(n) for n in names[start : start + _MANY]]
            yield from self._rows(f"{query} ({','.join('?' * len(chunk))})", chunk)

    def _rows(self, query: str, values: Iterable[Any] = ()) -> Iterator[tuple[Any, ...]]:
        if self._db is None:
            return
        # the job that writes the database may end at any time: what cannot be read now is read again later
        with contextlib.suppress(sqlite3.DatabaseError):
            yield from self._db.execute(query, tuple(values)).fetchall()


def _named(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows with the name of a file first; rows with an invalid name are left out."""
    for path, *values in rows:
        try:
            name = name_of(path)
        except DamagedState:
            continue
        yield name, *values
