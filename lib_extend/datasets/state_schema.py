"""The tables of the job's database, and the way from each older format to the next.

A change of the tables is a new function at the end of `MIGRATIONS`; a fresh database is made in the first format and
taken through all of them, so that each table is described once and every test runs every migration.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE models (spec TEXT PRIMARY KEY, key TEXT NOT NULL, thresholds TEXT NOT NULL);
CREATE TABLE analysis (
    path BLOB NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, payload TEXT NOT NULL,
    PRIMARY KEY (path, part, key)
) WITHOUT ROWID;
CREATE TABLE captions (path BLOB PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE verdicts (
    path BLOB NOT NULL, question TEXT NOT NULL, object TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (path, question, object)
) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, status TEXT NOT NULL,
    started REAL NOT NULL, finished REAL, config TEXT NOT NULL, config_key TEXT NOT NULL,
    images INTEGER NOT NULL DEFAULT 0, undoes INTEGER
);
CREATE TABLE items (
    run INTEGER NOT NULL, path BLOB NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (run, path)
) WITHOUT ROWID;
CREATE TABLE changes (
    run INTEGER NOT NULL, path BLOB NOT NULL, state TEXT NOT NULL,
    before BLOB, after BLOB, record_before TEXT, record_after TEXT,
    PRIMARY KEY (run, path)
) WITHOUT ROWID;
"""

# One row for each time a file was replaced, in the order in which it was done (`id`). `state`: intended (the file may
# hold either text), written, or seen (it was not replaced, but `before` stood there). `reverts`: an undo's row leads
# back to what stood there before that row. `in_place`: the file itself is rewritten, not replaced by another.
_ONE_HISTORY_A_FILE = """
ALTER TABLE changes RENAME TO changes_1;
CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, path BLOB NOT NULL, state TEXT NOT NULL,
    before BLOB, after BLOB, record_before TEXT, record_after TEXT,
    reverts INTEGER, in_place INTEGER NOT NULL DEFAULT 0
);
INSERT INTO changes (run, path, state, before, after, record_before, record_after)
    SELECT run, path, state, before, after, record_before, record_after FROM changes_1 ORDER BY run, path;
DROP TABLE changes_1;
CREATE INDEX changes_of_path ON changes (path, id);
CREATE INDEX changes_of_run ON changes (run, path);
CREATE INDEX changes_open ON changes (state) WHERE state = 'intended';
CREATE INDEX changes_back ON changes (path) WHERE reverts IS NOT NULL;
UPDATE changes SET reverts = (
    SELECT min(old.id) FROM changes AS old, runs
    WHERE runs.id = changes.run AND old.run = runs.undoes AND old.path = changes.path AND old.id < changes.id
);
UPDATE runs SET status = 'done' WHERE status = 'undone';
"""

# Pictures that a person left out, and each run's changes (the reason before and after; NULL: not left out).
_LEFT_OUT = """
CREATE TABLE left_out (path BLOB PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE marks (
    run INTEGER NOT NULL, path BLOB NOT NULL, reason_before TEXT, reason_after TEXT,
    PRIMARY KEY (run, path)
) WITHOUT ROWID;
"""

# The server's jobs: kind, options and progress of each, as JSON.
_JOBS = "CREATE TABLE jobs (id TEXT PRIMARY KEY, started REAL NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;"


def _script(text: str) -> Callable[[sqlite3.Connection], None]:
    def apply(db: sqlite3.Connection) -> None:
        for statement in text.split(";"):
            if statement.strip():
                db.execute(statement)

    return apply


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _script(_FIRST),
    _script(_ONE_HISTORY_A_FILE),
    _script(_LEFT_OUT),
    _script(_JOBS),
)
"""Entry n leads from format n to format n + 1; 0 is an empty file. They run within a transaction."""

SCHEMA_VERSION = len(MIGRATIONS)


def migrate(db: sqlite3.Connection, to: int = SCHEMA_VERSION) -> int:
    """Bring the database to the format `to`; call within a transaction. Returns the format it had."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    for step in MIGRATIONS[version:to]:
        step(db)
    if version < to:
        db.execute(f"PRAGMA user_version={to}")
    return version
