"""Open a dataset's database safely: the file may come from somebody else or be damaged.

Links are not followed. The tables must be exactly those of this program: no triggers, views or computed columns. A
damaged file is renamed, never deleted.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from lib_extend.datasets.state_schema import SCHEMA_VERSION, migrate
from lib_extend.datasets.state_values import DamagedState
from lib_extend.errors import StorageError, UserError
from lib_extend.files.dataset_names import is_link, is_own_file
from lib_extend.files.scan import show

STATE_FOLDER = ".prompt-extend"
"""Where a dataset's state lives within it."""
Tables = tuple[tuple[str, ...], ...]

_SUFFIXES = ("", "-wal", "-shm", "-journal")
_OURS = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"


def connect(file: Path) -> sqlite3.Connection:
    """The database; created if there is none.

    Raises:
        UserError: a link or a special file is in its place, or a newer version wrote it.
        DamagedState: it is damaged, or not a database of this program. sqlite3.DatabaseError: SQLite cannot use it.
    """
    check_own_files(file)
    return _checked(sqlite3.connect(file, isolation_level=None, timeout=30), file)


def connect_to_read(file: Path) -> sqlite3.Connection | None:
    """The database, opened for reading; None if there is none that can be used unchanged."""
    try:
        check_own_files(file)
        if not file.is_file():
            return None
        db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        _checked(db, file)
        if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return db
        db.close()
    except (sqlite3.DatabaseError, UserError):
        pass
    return None


def check_own_files(file: Path) -> None:
    """Raises UserError when the database or one of its side files (-wal, -shm) is a link, a pipe or the like."""
    for suffix in _SUFFIXES:
        part = file.with_name(file.name + suffix)
        if not is_own_file(part):
            raise UserError(f"{show(str(part))} is no ordinary file: delete it, it is not followed.")


def have_own_files(file: Path) -> bool:
    """Whether the database `file` and its side files are ordinary files or do not exist."""
    return all(is_own_file(file.with_name(file.name + suffix)) for suffix in _SUFFIXES)


def may_keep_files(folder: Path) -> bool:
    """Whether caches may be stored in a state's folder: not through a link that came with a dataset."""
    return folder.name != STATE_FOLDER or not is_link(folder)


def remove(file: Path) -> None:
    """Delete a database whose content can all be made again; links are deleted, not followed."""
    for suffix in _SUFFIXES:
        with contextlib.suppress(OSError):
            file.with_name(file.name + suffix).unlink()


def set_aside(file: Path) -> Path:
    """Rename the database and its side files; returns the new path. Raises UserError."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        target = file.with_name(f"{file.stem}.damaged-{stamp}{f'-{number}' if number else ''}{file.suffix}")
        if not target.exists():
            break
    for suffix in _SUFFIXES:
        part = file.with_name(file.name + suffix)
        try:
            if part.exists():
                part.rename(target.with_name(target.name + suffix))
        except OSError as e:
            raise UserError(
                f"{show(str(part))} is damaged and cannot be renamed ({e.strerror}): rename it and start again "
                "(analyses are made anew; captions stay)."
            ) from None
    return target


def explain(e: sqlite3.DatabaseError, file: Path) -> UserError | StorageError:
    """SQLite's error as a PromptExtendError; DamagedState if the database is damaged."""
    text = str(e).lower()
    if "full" in text:
        return StorageError(
            f"The disk of {show(str(file.parent))} is full: free some space and start again, the run continues "
            "where it stopped."
        )
    if "readonly" in text or "unable to open" in text:
        return UserError(
            f"{show(str(file.parent))} cannot be written: choose a place for the job's state with --state DIR."
        )
    if "locked" in text or "busy" in text or "disk i/o" in text or "interrupted" in text:
        return StorageError(f"The job's state {show(str(file))} cannot be used ({e}): start again.")
    return DamagedState(str(e))


def _checked(db: sqlite3.Connection, file: Path) -> sqlite3.Connection:
    try:
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise UserError(
                f"{show(str(file))} was written by a newer version of Prompt Extend (format {version}): "
                "update Prompt Extend, or name another folder with --state DIR."
            )
        if version < 0 or tables(db) != _expected(version):
            raise DamagedState("its tables are not ours")
    except BaseException:
        db.close()
        raise
    return db


def tables(db: sqlite3.Connection) -> Tables:
    """All objects in a database's schema: tables, indexes, also triggers and views. Raises sqlite3.DatabaseError."""
    try:
        return tuple(db.execute(_OURS))
    except UnicodeDecodeError:  # Python cannot decode SQLite's message about a damaged name
        raise sqlite3.DatabaseError("malformed database schema") from None


@functools.lru_cache(maxsize=8)
def tables_of(script: str) -> Tables:
    """`tables` of a database that a script makes."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(script)
        return tables(db)


@functools.lru_cache(maxsize=8)
def _expected(version: int) -> Tables:
    """`tables` of one of this program's formats."""
    with closing(sqlite3.connect(":memory:")) as db:
        migrate(db, version)
        return tables(db)
