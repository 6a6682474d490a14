"""One job at a time on a dataset, and on a folder that several datasets share.

`locked` is an advisory file lock in a dataset's state folder; the system releases it when the process ends. Two
datasets may overlap (a folder and one of its subfolders; a link; another spelling of a name; a state in another place).
So a job also writes the folders in which it works (`claimed`) into a list of this user's jobs on this machine. Folders
are compared by their identity in the file system, not by their names.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from lib_extend.errors import BusyError, UserError
from lib_extend.files.dataset_names import is_own_file
from lib_extend.files.scan import show

LOCK_FILE = "lock"
OWNER_FILE = "owner.json"
JOBS_VARIABLE = "PROMPT_EXTEND_JOBS"
"""Environment variable: another folder for the list of jobs."""
_LONGEST_OWNER = 10_000
_WAIT = 10.0
"""Seconds to wait for the list of jobs; it is held for some milliseconds."""


@contextmanager
def locked(folder: Path, root: Path) -> Iterator[None]:
    """Hold the lock in the state `folder` of the dataset `root`.

    Raises:
        BusyError: another job holds it. UserError: the folder cannot be written.
    """
    for name in (LOCK_FILE, OWNER_FILE):
        if not is_own_file(folder / name):
            raise UserError(f"{show(str(folder / name))} is no ordinary file: delete it, it is not followed.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(str(folder / LOCK_FILE))
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(
            f"Another job is running on {show(str(root))}{_owner(folder)}: wait until it ends, or stop it."
        ) from None
    except OSError as e:
        raise UserError(
            f"{show(str(folder))} cannot be written ({e.strerror}): make the folder writable, or choose a place "
            "for the job's state with --state DIR."
        ) from None
    try:
        owner = folder / OWNER_FILE
        with contextlib.suppress(OSError):  # this text is only for the message of a second job
            owner.write_text(json.dumps({"process": os.getpid(), "started": time.time()}), encoding="utf-8")
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                owner.unlink(missing_ok=True)
    finally:
        lock.release()


@contextmanager
def claimed(root: Path, folders: Iterable[Path]) -> Iterator[None]:
    """Reserve `folders` for the job on the dataset `root`.

    Raises:
        BusyError: another job writes in one of them; it is named.
    """
    identities = {_identity(f): f for f in folders}
    lock: BaseFileLock | None = None
    file = place = None
    try:
        place = jobs_folder()
        with FileLock(str(place / "list.lock"), timeout=_WAIT):
            _refuse_shared(place, identities)
            name = secrets.token_hex(8)
            lock = FileLock(str(place / f"{name}.lock"))
            lock.acquire(timeout=0)
            file = place / f"{name}.json"
            entry = {
                "root": os.fsencode(root.resolve()).decode("utf-8", "backslashreplace"),
                "process": os.getpid(),
                "started": time.time(),
                "folders": sorted(identities),
            }
            file.write_text(json.dumps(entry), encoding="utf-8")
    except (OSError, Timeout):
        pass  # no place for the list: only the lock of each dataset protects
    try:
        yield
    finally:
        if lock is not None and file is not None and place is not None:
            with contextlib.suppress(OSError, Timeout), FileLock(str(place / "list.lock"), timeout=_WAIT):
                _forget(file, lock)
            lock.release()


def jobs_folder() -> Path:
    """Where the jobs of this user are listed. Raises OSError when there is no place that is the user's own."""
    chosen = os.environ.get(JOBS_VARIABLE)
    if chosen:
        folder = Path(chosen)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    user = str(os.getuid()) if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir()) / f"prompt-extend-jobs{'-' if user else ''}{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if user and (folder.is_symlink() or folder.stat().st_uid != os.getuid()):
        raise PermissionError("somebody else's folder")
    return folder


def _refuse_shared(place: Path, identities: dict[str, Path]) -> None:
    """Raises BusyError when a running job claims one of the folders; removes jobs that have ended from the list."""
    for file in place.glob("*.json"):
        lock = FileLock(str(file.with_suffix(".lock")))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            entry = _read(file)
            shared = sorted(set(entry.get("folders", ())) & identities.keys())
            if shared:
                since = time.strftime("%H:%M", time.localtime(float(entry.get("started", 0))))
                raise BusyError(
                    f"The job on {show(str(entry.get('root')))} (process {entry.get('process')}, since {since}) writes "
                    f"captions in {show(str(identities[shared[0]]))}, too: wait until it ends, or stop it."
                ) from None
            continue
        _forget(file, lock)


def _forget(file: Path, lock: BaseFileLock) -> None:
    """Take a job off the list; its lock is held."""
    file.unlink(missing_ok=True)
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)


def _read(file: Path) -> dict[str, Any]:
    try:
        entry = json.loads(file.read_text(encoding="utf-8"))
        return entry if isinstance(entry, dict) else {}
    except (OSError, ValueError):
        return {}


def _identity(folder: Path) -> str:
    """The identity of a folder: it is equal for two names of one folder."""
    try:
        here = folder.stat()
        if here.st_ino:
            return f"{here.st_dev}:{here.st_ino}"
    except OSError:
        pass
    return os.path.normcase(os.path.realpath(folder))


def _owner(folder: Path) -> str:
    try:
        file = folder / OWNER_FILE
        if not is_own_file(file) or file.stat().st_size > _LONGEST_OWNER:
            return ""
        owner = json.loads(file.read_text(encoding="utf-8"))
        since = time.strftime("%H:%M", time.localtime(owner["started"]))
        return f" (process {int(owner['process'])}, since {since})"
    except (OSError, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return ""
