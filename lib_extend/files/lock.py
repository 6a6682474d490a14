"""One job at a time on a dataset: an advisory file lock that a killed process gives back by itself."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lib_extend.errors import BusyError, UserError
from lib_extend.files.scan import show

LOCK_FILE = "lock"
OWNER_FILE = "owner.json"


@contextmanager
def locked(folder: Path, root: Path) -> Iterator[None]:
    """Hold the lock in the state `folder` of the dataset `root`.

    Raises:
        BusyError: another job holds it. UserError: the folder cannot be written.
    """
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
        with contextlib.suppress(OSError):  # it only decorates the message of a second job
            owner.write_text(json.dumps({"process": os.getpid(), "started": time.time()}), encoding="utf-8")
        yield
        owner.unlink(missing_ok=True)
    finally:
        lock.release()


def _owner(folder: Path) -> str:
    try:
        owner = json.loads((folder / OWNER_FILE).read_text(encoding="utf-8"))
        since = time.strftime("%H:%M", time.localtime(owner["started"]))
        return f" (process {owner['process']}, since {since})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
