"""The left-out pictures in the dataset's database: their names, the reasons, and each run's changes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.datasets.state_values import name_of, typed


@dataclass(frozen=True)
class Mark:
    """One change of one picture by one run: the reason for leaving it out before and after, None where it is not."""

    image: str
    before: str | None
    after: str | None


class MarkRows:
    """The methods of `State` for left-out pictures. `_db` is its connection."""

    _db: sqlite3.Connection

    def left_out(self) -> dict[str, str]:
        """The pictures that are left out, and why ("" where no reason was given)."""
        return reasons_of(self._db.execute("SELECT path, reason FROM left_out"))

    def set_left_out(self, run: int, reasons: Mapping[str, str | None]) -> list[Mark]:
        """Leave pictures out for these reasons, or (None) take them in again; call inside `transaction`.

        Returns the changes; they are stored with the run, so that they can be undone.
        """
        now = self.left_out()
        marks = [Mark(image, now.get(image), reason) for image, reason in reasons.items()]
        marks = [m for m in marks if m.before != m.after]
        for m in marks:
            key = os.fsencode(m.image)
            if m.after is None:
                self._db.execute("DELETE FROM left_out WHERE path=?", (key,))
            else:
                self._db.execute("INSERT OR REPLACE INTO left_out VALUES (?,?)", (key, m.after))
        self._db.executemany(
            "INSERT INTO marks VALUES (?,?,?,?)"
            " ON CONFLICT (run, path) DO UPDATE SET reason_after=excluded.reason_after",
            [(run, os.fsencode(m.image), m.before, m.after) for m in marks],
        )
        return marks

    def marks_of(self, run: int) -> Sequence[Mark]:
        """A run's changes of left-out pictures, by name."""
        rows = self._db.execute(
            "SELECT path, reason_before, reason_after FROM marks WHERE run=? ORDER BY path", (run,)
        )
        text = (str, type(None))
        return [Mark(name_of(p), *typed((before, after), text, text)) for p, before, after in rows]


def reasons_of(rows: Iterable[tuple[Any, ...]]) -> dict[str, str]:
    """(path, reason) rows by picture. Raises DamagedState for an invalid row."""
    return {name_of(path): typed((reason,), str)[0] for path, reason in rows}
