"""The job's database: stored analyses, the captions written last, and the changes of every run.

One SQLite file in WAL mode for each dataset. Paths are stored as bytes (`os.fsencode`), because file names need
not be UTF-8. A row of `analysis` is valid while the image file has the size and modification time noted in it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lib_extend.datasets.caption_encodings import META, CaptionEncodings
from lib_extend.datasets.job_rows import JobRows
from lib_extend.datasets.mark_rows import MarkRows
from lib_extend.datasets.run_rows import RunRows
from lib_extend.datasets.state_file import connect, explain
from lib_extend.datasets.state_schema import migrate
from lib_extend.datasets.state_values import DamagedState, mapping, name_of, stored_json, typed
from lib_extend.errors import UserError
from lib_extend.files.dataset_names import leads_out
from lib_extend.files.scan import Found, show
from lib_extend.questions.verdicts import Verdict


@dataclass(frozen=True)
class Part:
    """One stored part of an analysis: `payload` is JSON values, `width`/`height` the image's pixels."""

    width: int
    height: int
    payload: Any


def _key(name: str) -> bytes:
    return os.fsencode(name)


class State(RunRows, MarkRows, JobRows):
    """The open database. One process at a time (see `lock`); not shared between threads."""

    def __init__(self, file: Path, root: Path) -> None:
        self.file = file
        self.root = root
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = connect(file)
        except sqlite3.DatabaseError as e:
            raise explain(e, file) from e
        except OSError as e:
            raise UserError(
                f"{show(str(file.parent))} cannot be written ({e.strerror}): choose a place for the job's state "
                "with --state DIR."
            ) from None
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            # the previous text must be on the disk before its file is replaced
            self._db.execute("PRAGMA synchronous=FULL")
            # a nearly full disk has no room for a log of megabytes
            self._db.execute("PRAGMA wal_autocheckpoint=100")
            self._prepare()
        except sqlite3.DatabaseError as e:
            self._db.close()
            raise explain(e, file) from e
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        with self.transaction():
            version = migrate(self._db)
            if version == 0:
                self._db.execute("INSERT INTO meta VALUES ('root', ?)", (_root_text(self.root),))
        row = self._db.execute("SELECT value FROM meta WHERE name='root'").fetchone()
        (root,) = typed(row or (None,), str)
        self._made_here = root == _root_text(self.root)
        if self.file.parent.parent != self.root and not self._made_here:
            raise UserError(
                f"{show(str(self.file.parent))} holds the state of {show(root)}: give each dataset its "
                "own --state folder."
            )

    def close(self) -> None:
        self._db.close()

    def check_history(self) -> None:
        """Raises DamagedState when the rows of changes cannot all be read: nothing may be journaled there any more."""
        if self._db.execute("PRAGMA quick_check('changes')").fetchall() != [("ok",)]:
            raise DamagedState("its history cannot be read")

    def leads_out(self, name: str) -> bool:
        """Whether a name in this database leads outside of the dataset by a link.

        A person may have linked captions into a dataset. But a database from another machine may have come with its own
        links: these are not followed.
        """
        return not self._made_here and leads_out(self.root, name)

    @cached_property
    def encodings(self) -> CaptionEncodings:
        """The decoder of the dataset's captions."""
        row = self._db.execute("SELECT value FROM meta WHERE name=?", (META,)).fetchone()
        return CaptionEncodings(self.root, str(row[0]) if row else "", self._keep_encodings)

    def _keep_encodings(self, text: str) -> None:
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (META, text))

    def note(self, name: str) -> str:
        """The text stored under a name, "" if there is none."""
        row = self._db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def set_note(self, name: str, text: str) -> None:
        """Store a text under a name."""
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, text))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Raises StorageError when the disk is full or the database cannot be written."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as e:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise explain(e, self.file) from e

    # models

    def model(self, spec: str) -> tuple[str, dict[str, Any]] | None:
        """Key and thresholds of the model last loaded under `spec`, or None."""
        row = self._db.execute("SELECT key, thresholds FROM models WHERE spec=?", (spec,)).fetchone()
        return None if row is None else (typed(row, str, str)[0], stored_json(mapping, row[1]))

    def remember_model(self, spec: str, key: str, thresholds: dict[str, Any]) -> None:
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO models VALUES (?,?,?)", (spec, key, json.dumps(thresholds))
            )

    # analyses

    def analysed(self, part: str, key: str) -> dict[str, tuple[int, int]]:
        """Names of the images that have this part, with the size and time they had."""
        rows = self._db.execute(
            "SELECT path, size, mtime_ns FROM analysis WHERE part=? AND key=?", (part, key)
        )
        return {name_of(p): (s, t) for p, s, t in rows}

    def part(self, found: Found, part: str, key: str) -> Part | None:
        """The stored part for the image as it is now, or None."""
        row = self._db.execute(
            "SELECT width, height, payload FROM analysis WHERE path=? AND part=? AND key=? AND size=? AND mtime_ns=?",
            (_key(found.name), part, key, found.size, found.mtime_ns),
        ).fetchone()
        if row is None:
            return None
        width, height, payload = typed(row, int, int, str)
        return Part(width, height, stored_json(lambda value: value, payload))

    def all_of(self, found: Found, part: str) -> list[Part]:
        """Everything stored of a part of the image as it is now, under any key."""
        rows = self._db.execute(
            "SELECT width, height, payload FROM analysis WHERE path=? AND part=? AND size=? AND mtime_ns=?",
            (_key(found.name), part, found.size, found.mtime_ns),
        )
        return [
            Part(width, height, stored_json(lambda value: value, payload))
            for width, height, payload in (typed(row, int, int, str) for row in rows)
        ]

    def payloads(self, part: str, key: str) -> Iterator[tuple[str, int, int, str]]:
        """(image, size, mtime_ns, JSON) of each stored row of a part under a key."""
        rows = self._db.execute(
            "SELECT path, size, mtime_ns, payload FROM analysis WHERE part=? AND key=?", (part, key)
        )
        for path, size, mtime, payload in rows:
            typed((size, mtime, payload), int, int, str)
            yield name_of(path), size, mtime, payload

    def store_parts(self, rows: Sequence[tuple[Found, str, str, Part]]) -> None:
        """Store (image, part, key, value) rows; call inside `transaction`."""
        self._db.executemany(
            "INSERT OR REPLACE INTO analysis VALUES (?,?,?,?,?,?,?,?)",
            [
                (
                    _key(f.name),
                    part,
                    key,
                    f.size,
                    f.mtime_ns,
                    value.width,
                    value.height,
                    json.dumps(value.payload, separators=(",", ":")),
                )
                for f, part, key, value in rows
            ],
        )

    # what people decided about answers

    def verdicts(self, image: str) -> dict[tuple[str, str], Verdict]:
        """Verdicts on an image's answers by (question, object)."""
        rows = self._db.execute("SELECT question, object, record FROM verdicts WHERE path=?", (_key(image),))
        return {
            (q, o): stored_json(Verdict.from_json, r) for q, o, r in (typed(r, str, str, str) for r in rows)
        }

    def judged(self) -> dict[str, set[tuple[str, str]]]:
        """The (question, object) pairs that have a verdict, by image."""
        result: dict[str, set[tuple[str, str]]] = {}
        for path, question, thing in self._db.execute("SELECT path, question, object FROM verdicts"):
            result.setdefault(name_of(path), set()).add((question, thing))
        return result

    def drop_verdict(self, image: str, question: str, thing: str) -> None:
        """Forget a verdict; call inside `transaction`."""
        where = (_key(image), question, thing)
        self._db.execute("DELETE FROM verdicts WHERE path=? AND question=? AND object=?", where)

    def set_verdict(self, image: str, verdict: Verdict) -> None:
        """Store a verdict; call inside `transaction`."""
        self._db.execute(
            "INSERT OR REPLACE INTO verdicts VALUES (?,?,?,?)",
            (_key(image), verdict.question, verdict.object, json.dumps(verdict.to_json())),
        )

    # captions written last

    def record(self, caption_name: str) -> str | None:
        """JSON of the `Written` record of a caption, or None."""
        row = self._db.execute("SELECT record FROM captions WHERE path=?", (_key(caption_name),)).fetchone()
        return None if row is None else str(typed(row, str)[0])

    def set_records(self, rows: Sequence[tuple[str, str | None]]) -> None:
        """Set or (None) delete records; call inside `transaction`."""
        for name, record in rows:
            if record is None:
                self._db.execute("DELETE FROM captions WHERE path=?", (_key(name),))
            else:
                self._db.execute("INSERT OR REPLACE INTO captions VALUES (?,?)", (_key(name), record))


def _root_text(root: Path) -> str:
    return os.fsencode(root.resolve()).decode("utf-8", "backslashreplace")
