"""Looking into a dataset's job database without taking part: read only, beside a running job.

What the browser, the list of runs and the pages of a run show comes from here. A folder that was never tagged has
none of it: everything is then empty.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.datasets.caption_encodings import META
from lib_extend.datasets.recipe import ANSWERS
from lib_extend.datasets.run_rows import Change
from lib_extend.datasets.state_schema import SCHEMA_VERSION
from lib_extend.records import Answer

_CHANGED = "state='written' AND before IS NOT after"
_MANY = 500
"""Names in one query, at the most."""


@dataclass(frozen=True)
class Stored:
    """What is stored about one image as it is now.

    Attributes:
        analysed: whether any part of an analysis is there. answers: those of each key they are stored under.
        decided: (question, object) pairs a person has judged.
    """

    analysed: bool = False
    answers: tuple[tuple[str, tuple[Answer, ...]], ...] = ()
    decided: frozenset[tuple[str, str]] = frozenset()


class StateReader:
    """An open look at the database `file`; `close` it. Not shared between threads."""

    def __init__(self, file: Path) -> None:
        self._db = _open(file)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def encodings(self) -> str:
        """The decision on the captions' encodings as JSON, "" without one."""
        return str(next(self._rows("SELECT value FROM meta WHERE name=?", (META,)), ("",))[0])

    def last_run(self) -> int:
        """The number of the newest run, 0 before the first."""
        return int(next(self._rows("SELECT max(id) FROM runs"), (0,))[0] or 0)

    def last_config(self) -> dict[str, Any]:
        """The settings of the newest run that tagged, {} without one."""
        query = "SELECT config FROM runs WHERE kind IN ('tag', 'preview') ORDER BY id DESC LIMIT 1"
        config: dict[str, Any] = json.loads(next(self._rows(query), ("{}",))[0])
        return config

    def model(self, spec: str) -> tuple[str, dict[str, Any]] | None:
        """Key and thresholds of the model last loaded under `spec`, or None."""
        row = next(self._rows("SELECT key, thresholds FROM models WHERE spec=?", (spec,)), None)
        return None if row is None else (str(row[0]), json.loads(row[1]))

    def last_changing(self) -> int | None:
        """The newest run that changed a caption."""
        run = next(self._rows("SELECT max(run) FROM changes WHERE state='written'"), (None,))[0]
        return None if run is None else int(run)

    def changed(self, run: int) -> list[str]:
        """Names of the captions a run changed."""
        rows = self._rows(f"SELECT DISTINCT path FROM changes WHERE run=? AND {_CHANGED}", (run,))
        return [os.fsdecode(p) for (p,) in rows]

    def changes(self, run: int, offset: int, limit: int) -> list[Change]:
        """A page of the captions a run changed, by name: from before its first change to after its last."""
        rows = self._rows(
            "SELECT first.path, first.before, last.after FROM"
            f" (SELECT min(id) AS a, max(id) AS b FROM changes WHERE run=? AND {_CHANGED}"
            "  GROUP BY path ORDER BY path LIMIT ? OFFSET ?)"
            " JOIN changes AS first ON first.id=a JOIN changes AS last ON last.id=b ORDER BY first.path",
            (run, limit, offset),
        )
        return [Change(os.fsdecode(p), before, after, None, None) for p, before, after in rows]

    def failures(self, run: int, limit: int) -> list[tuple[str, str]]:
        """(image, reason) of those a run could not do, by name."""
        rows = self._rows(
            "SELECT path, reason FROM items WHERE run=? AND reason<>'' ORDER BY path LIMIT ?", (run, limit)
        )
        return [(os.fsdecode(p), r) for p, r in rows]

    def touched(self, since: int) -> tuple[set[str], set[str]]:
        """Images that runs from number `since` on have done, and captions that they changed."""
        images = self._rows("SELECT DISTINCT path FROM items WHERE run>=?", (since,))
        captions = self._rows("SELECT DISTINCT path FROM changes WHERE run>=?", (since,))
        return {os.fsdecode(p) for (p,) in images}, {os.fsdecode(p) for (p,) in captions}

    def worked_on(
        self, run: int, images: Sequence[str], captions: Sequence[str]
    ) -> tuple[set[str], set[str]]:
        """Those of the images that a run has done, and those of the captions that it changed."""
        done = self._in(f"SELECT path FROM items WHERE run={int(run)} AND path IN", images)
        written = f"SELECT path FROM changes WHERE run={int(run)} AND state='written' AND path IN"
        changed = self._in(written, captions)
        return {os.fsdecode(p) for (p,) in done}, {os.fsdecode(p) for (p,) in changed}

    def progress(self) -> tuple[int, int, int]:
        """The newest run, how many images it has done and how many captions it changed: grows with every change."""
        run = self.last_run()
        items = next(self._rows("SELECT count(*) FROM items WHERE run=?", (run,)), (0,))[0]
        changes = next(self._rows("SELECT count(*) FROM changes WHERE run=?", (run,)), (0,))[0]
        return run, int(items), int(changes)

    def records(self, captions: Sequence[str]) -> dict[str, str]:
        """The `Written` records (JSON) of these captions, where there is one."""
        rows = self._in("SELECT path, record FROM captions WHERE path IN", captions)
        return {os.fsdecode(p): r for p, r in rows}

    def stored(self, images: Sequence[tuple[str, int, int]]) -> dict[str, Stored]:
        """What is known of (name, size, mtime_ns) images; those of which nothing is are left out."""
        now = {name: (size, mtime) for name, size, mtime in images}
        analysed: set[str] = set()
        answers: dict[str, list[tuple[str, tuple[Answer, ...]]]] = {}
        query = (
            "SELECT path, part, key, size, mtime_ns, CASE part WHEN 'answers' THEN payload END"
            " FROM analysis WHERE path IN"
        )
        for path, part, key, size, mtime, payload in self._in(query, list(now)):
            name = os.fsdecode(path)
            if (size, mtime) != now[name]:
                continue
            analysed.add(name)
            if part == ANSWERS:
                given = tuple(Answer.from_json(a) for a in json.loads(payload))
                answers.setdefault(name, []).append((key, given))
        decided: dict[str, set[tuple[str, str]]] = {}
        for path, question, thing in self._in(
            "SELECT path, question, object FROM verdicts WHERE path IN", list(now)
        ):
            decided.setdefault(os.fsdecode(path), set()).add((question, thing))
        return {
            name: Stored(name in analysed, tuple(answers.get(name, ())), frozenset(decided.get(name, ())))
            for name in analysed | decided.keys()
        }

    def _in(self, query: str, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(names), _MANY):
            chunk = [os.fsencode(n) for n in names[start : start + _MANY]]
            yield from self._rows(f"{query} ({','.join('?' * len(chunk))})", chunk)

    def _rows(self, query: str, values: Iterable[Any] = ()) -> Iterator[tuple[Any, ...]]:
        if self._db is None:
            return
        # the job that writes it may be ended at any time: what cannot be read now is looked at again later
        with contextlib.suppress(sqlite3.DatabaseError):
            yield from self._db.execute(query, tuple(values)).fetchall()


def _open(file: Path) -> sqlite3.Connection | None:
    if not file.is_file():
        return None
    try:
        db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return db
        db.close()
    except sqlite3.DatabaseError:
        pass
    return None
