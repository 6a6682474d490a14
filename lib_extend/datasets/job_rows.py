"""The server's jobs in a dataset's database: one row each, so that they can be listed and continued after a restart."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from lib_extend.datasets.state_values import DamagedState, stored_json, typed
from lib_extend.records import Record

JOBS_KEPT = 20
"""Jobs of a dataset that are remembered, the newest."""
RUNNING, PAUSED, STOPPED, DONE, FAILED = STATES = ("running", "paused", "stopped", "done", "failed")
_ID = re.compile(r"[0-9a-f]{12}")
_LATEST = 32_503_680_000  # the year 3000


@dataclass(frozen=True)
class JobRow(Record):
    """A job at the time when it last began, paused or ended.

    Attributes:
        kind: the name of one of `jobs.kinds`. state: one of `STATES`; a job that was killed says "running".
        started: seconds since the epoch. config: the settings that differ from the defaults.
        options: the kind's own. unload_host: whether the WebUI's checkpoint is unloaded during the job.
        run: the number of its run, 0 for none. images, done, failed, written: counts. error: why it failed.
    """

    id: str
    kind: str
    state: str
    started: float
    config: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    unload_host: bool = False
    run: int = 0
    images: int = 0
    done: int = 0
    failed: int = 0
    written: int = 0
    error: str = ""


class JobRows:
    """The job methods of `State`. `_db` is its connection."""

    _db: sqlite3.Connection

    def transaction(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def set_job(self, job: JobRow) -> None:
        """Store a job; the oldest jobs beyond `JOBS_KEPT` are deleted."""
        with self.transaction():
            row = (job.id, job.started, json.dumps(job.to_json()))
            self._db.execute("INSERT OR REPLACE INTO jobs VALUES (?,?,?)", row)
            self._db.execute(
                "DELETE FROM jobs WHERE id NOT IN (SELECT id FROM jobs ORDER BY started DESC LIMIT ?)",
                (JOBS_KEPT,),
            )


def jobs_of(rows: Iterable[tuple[Any, ...]]) -> list[JobRow]:
    """The jobs of (id, record) rows, in their order; invalid rows are left out."""
    result = []
    for row in rows:
        try:
            job = stored_json(JobRow.from_json, typed(row, str, str)[1])
        except DamagedState:
            continue
        counts = (job.run, job.images, job.done, job.failed, job.written)
        if (
            _ID.fullmatch(job.id)
            and job.id == row[0]
            and job.state in STATES
            and 0 <= job.started <= _LATEST
            and all(0 <= n < 2**53 for n in counts)
        ):
            result.append(job)
    return result
