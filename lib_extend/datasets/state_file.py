"""Opening a dataset's database as what it is: a file that somebody may have put there, or that a disk has damaged.

Links are not followed. The tables must be exactly those that we make: no triggers, views, or columns that compute.
What is damaged is set aside under another name beside it, never deleted.
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
    """The database, made where there is none.

    Raises:
        UserError: a link or the like stands in its place, or it was written by a newer version.
        DamagedState: it is damaged, or none of ours. sqlite3.DatabaseError: SQLite cannot use it.
    """
    check_own_files(file)
    return _checked(sqlite3.connect(file, isolation_level=None, timeout=30), file)


def connect_to_read(file: Path) -> sqlite3.Connection | None:
    """The database, to look into; None where there is none that can be used as it is."""
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
    """Raises UserError when a link, a pipe or the like stands where the database or what belongs to it should be."""
    for suffix in _SUFFIXES:
        part = file.with_name(file.name + suffix)
        if not is_own_file(part):
            raise UserError(f"{show(str(part))} is no ordinary file: delete it, it is not followed.")


def have_own_files(file: Path) -> bool:
    """Whether the database `file` and what belongs to it are ordinary files, or not there."""
    return all(is_own_file(file.with_name(file.name + suffix)) for suffix in _SUFFIXES)


def may_keep_files(folder: Path) -> bool:
    """Whether caches may be kept in a state's folder: not through a link that came with a dataset."""
    return folder.name != STATE_FOLDER or not is_link(folder)


def remove(file: Path) -> None:
    """Delete a database that holds nothing that cannot be made anew; links are deleted, not followed."""
    for suffix in _SUFFIXES:
        with contextlib.suppress(OSError):
            file.with_name(file.name + suffix).unlink()


def set_aside(file: Path) -> Path:
    """Rename the database with what belongs to it; returns its new path. Raises UserError."""
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
    """What SQLite complains of, as an error of ours; DamagedState where the database is damaged."""
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
    """What a database is made of: tables, indexes, and what there should be none of. Raises sqlite3.DatabaseError."""
    try:
        return tuple(db.execute(_OURS))
    except UnicodeDecodeError:  # Python cannot show SQLite's complaint about a damaged name
        raise sqlite3.DatabaseError("malformed database schema") from None


@functools.lru_cache(maxsize=8)
def tables_of(script: str) -> Tables:
    """`tables` of a database that a script makes."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(script)
        return tables(db)


@functools.lru_cache(maxsize=8)
def _expected(version: int) -> Tables:
    """`tables` of a format of ours."""
    with closing(sqlite3.connect(":memory:")) as db:
        migrate(db, version)
        return tables(db)
