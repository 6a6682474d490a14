"""The browser's index on the disk: `browse.sqlite3` beside the job's state, so that a folder opens at once.

Everything in it can be read from the folder again, so a damaged file, or one of another version, is replaced.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from lib_extend.datasets.index import Columns, Stored
from lib_extend.datasets.rows import SOURCES
from lib_extend.datasets.state_file import have_own_files, may_keep_files, remove, tables, tables_of
from lib_extend.files.dataset_names import are_names, is_own_file

FILE = "browse.sqlite3"
LOCK = "browse.lock"
VERSION = 2
"""To be raised whenever rows are read otherwise (another reading of captions, another count of tokens)."""
_CHUNK = 4000
_SOURCE_BYTES = 2 * len(SOURCES)

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE images (
    place INTEGER PRIMARY KEY, name BLOB NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, caption_size INTEGER NOT NULL, caption_mtime INTEGER NOT NULL,
    caption TEXT NOT NULL, tokens INTEGER NOT NULL, sources BLOB NOT NULL, sure REAL NOT NULL, flags INTEGER NOT NULL,
    tags BLOB NOT NULL
);
"""


class IndexStore:
    """The open file. If it cannot be written, or another process uses it, the index is in memory only.

    Used from one thread at a time.
    """

    def __init__(self, folder: Path, root: str) -> None:
        self._lock: FileLock | None = None
        self._full = False
        self._file = folder / FILE
        self._db = self._open(folder) or _fresh(":memory:")
        if self.meta("root") != root:
            self.clear()
            self.set_meta("root", root)

    def _open(self, folder: Path) -> sqlite3.Connection | None:
        if not may_keep_files(folder) or not is_own_file(folder / LOCK):
            return None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(str(folder / LOCK), thread_local=False)
            lock.acquire(timeout=0)
        except (OSError, Timeout):
            return None
        file = folder / FILE
        if not have_own_files(file):
            remove(file)
        for attempt in range(2):
            try:
                db = _fresh(str(file))
            except sqlite3.DatabaseError:
                if attempt:
                    break
                remove(file)
            else:
                self._lock = lock
                return db
        lock.release()
        return None

    @property
    def kept(self) -> bool:
        """Whether the index is kept on the disk."""
        return self._lock is not None

    def start_anew(self) -> None:
        """Delete everything, because the file is damaged or not an index."""
        self._db.close()
        if self.kept:
            remove(self._file)
        self._db = _fresh(str(self._file) if self.kept else ":memory:")

    def close(self) -> None:
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def meta(self, name: str) -> str:
        """A small value, "" when it was never set."""
        row = self._db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return "" if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        with self._kept_whole():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, value))

    def clear(self) -> None:
        """Forget all pictures."""
        with self._db:
            for table in ("meta", "tags", "images"):
                self._db.execute(f"DELETE FROM {table}")

    def tags(self) -> list[str]:
        """The tags by their numbers, from 0."""
        rows = self._db.execute("SELECT id, name FROM tags ORDER BY id").fetchall()
        if [i for i, _ in rows] != list(range(len(rows))) or not all(isinstance(n, str) for _, n in rows):
            raise ValueError("the index holds what we never wrote there")
        return [name for _, name in rows]

    def holes(self) -> bool:
        """Whether places are empty because pictures were deleted."""
        most, count = self._db.execute("SELECT max(place), count(*) FROM images").fetchone()
        return bool(count and most + 1 != count)

    def columns(self) -> Iterator[Columns]:
        """Every picture in the order of the places, some thousands at a time.

        Raises:
            ValueError, TypeError, sqlite3.DatabaseError: the file is damaged, or not an index.
        """
        cursor = self._db.execute("SELECT * FROM images ORDER BY place")
        while chunk := cursor.fetchmany(_CHUNK):
            _, names, *rest = zip(*chunk, strict=True)
            columns = Columns(list(map(os.fsdecode, names)), *rest)
            # files are served by these names, so they must be inside the folder
            if (
                not are_names(columns.names)
                or set(map(type, columns.captions)) != {str}
                or set(map(type, columns.tags)) != {bytes}
                or set(map(len, columns.sources)) != {_SOURCE_BYTES}
            ):
                raise ValueError("the index holds what we never wrote there")
            yield columns

    def close_holes(self) -> None:
        """Number the places anew, without empty ones."""
        with self._db:
            self._db.execute("CREATE TEMP TABLE packed AS SELECT * FROM images ORDER BY place")
            self._db.execute("UPDATE packed SET place = rowid - 1")
            self._db.execute("DELETE FROM images")
            self._db.execute("INSERT INTO images SELECT * FROM packed")
            self._db.execute("DROP TABLE packed")

    def write(self, stored: Sequence[Stored], new_tags: Iterable[tuple[int, str]]) -> None:
        """Store rows that `Index.put` returned, and (number, name) of new tags."""
        with self._kept_whole():
            self._db.executemany("INSERT INTO tags VALUES (?,?)", new_tags)
            self._db.executemany(
                f"INSERT OR REPLACE INTO images VALUES ({','.join('?' * 14)})",
                [
                    (
                        place,
                        os.fsencode(r.name),
                        *r[1:8],
                        r.tokens,
                        _packed(r.sources),
                        r.sure,
                        r.flags,
                        numbers,
                    )
                    for place, r, numbers in stored
                ],
            )

    def drop(self, places: Iterable[int]) -> None:
        """Remove deleted pictures."""
        with self._kept_whole():
            self._db.executemany("DELETE FROM images WHERE place=?", [(p,) for p in places])

    @contextlib.contextmanager
    def _kept_whole(self) -> Iterator[None]:
        """After a failed write (the disk is full) nothing more is written, so that the stored rows stay consistent."""
        if self._full:
            yield
            return
        try:
            with self._db:
                yield
        except sqlite3.DatabaseError:
            self._full = True


def _packed(sources: Sequence[int]) -> bytes:
    return array("H", sources).tobytes()


def _fresh(file: str) -> sqlite3.Connection:
    """The database, with the tables of this version. Raises sqlite3.DatabaseError."""
    # used from the thread that holds the browser's lock
    db = sqlite3.connect(file, timeout=5, check_same_thread=False)
    try:
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            for table in ("meta", "tags", "images"):
                db.execute(f"DROP TABLE IF EXISTS {table}")
            db.executescript(_SCHEMA)
            db.execute(f"PRAGMA user_version={VERSION}")
        if tables(db) != tables_of(_SCHEMA):
            raise sqlite3.DatabaseError("its tables are not ours")
        db.execute("SELECT max(place) FROM images").fetchone()
    except BaseException:
        db.close()
        raise
    return db
