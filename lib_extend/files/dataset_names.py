"""Names of files in a dataset, read from a database, a request or a list: no name may lead out of the dataset's folder.

A name is relative to the dataset, with forward slashes. Hidden files and folders (`.ssh`, `.git`, the state's own
folder) never belong to a dataset: no scan reads them, and no name may lead there.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from lib_extend.files.caption_forms import CAPTION_SUFFIXES

# empty, absolute, hidden, "." and "..", "//", a slash at the end, NUL
_WRONG = re.compile(r"\0|(?:\A|/)(?:\.|/|\Z)")
_WRONG_AMONG = re.compile(r"(?:\A|[/\0])(?:\.|/|\0|\Z)")
# on Windows also: the other separator, a drive, a stream, endings that Windows cuts off, and devices
_WRONG_ON_WINDOWS = re.compile(
    r"[\\:]|[. ](?:/|\Z)|(?:\A|/)(?:con|prn|aux|nul|com\d|lpt\d)(?:[./ ]|\Z)", re.IGNORECASE
)
LONGEST_NAME = 4096


def is_name(name: str, *, windows: bool = os.name == "nt") -> bool:
    """Whether `name` can be a file of a dataset. The disk is not looked at."""
    if _WRONG.search(name) or len(name) > LONGEST_NAME:
        return False
    return not (windows and _WRONG_ON_WINDOWS.search(name))


def are_names(names: Sequence[str]) -> bool:
    """Whether all of `names` can be files of a dataset; checked together, which is faster."""
    whole = "\0".join(names)
    if whole.count("\0") != max(0, len(names) - 1) or (names and _WRONG_AMONG.search(whole)):
        return False
    return os.name != "nt" or all(map(is_name, names))


def is_caption_name(name: str, *, windows: bool = os.name == "nt") -> bool:
    """Whether `name` can be a caption of a dataset."""
    return name.lower().endswith(CAPTION_SUFFIXES) and is_name(name, windows=windows)


def leads_out(root: Path, name: str) -> bool:
    """Whether the file `name` lies outside of `root`, by a link on the way or by being one."""
    try:
        inside = os.path.realpath(root)
        return os.path.commonpath([inside, os.path.realpath(root / name)]) != inside
    except (OSError, ValueError):
        return True


def is_own_file(path: Path) -> bool:
    """Whether `path` is an ordinary file, or not there: no link, pipe or device that somebody put in its place."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (
        FileNotFoundError
    ):  # looked at once only: SQLite makes and deletes its -wal and -shm files all the time
        return True
    except (OSError, ValueError):
        return not os.path.lexists(path)


def is_link(path: Path) -> bool:
    """Whether `path` is a link, or (on Windows) a junction."""
    try:
        return path.is_symlink() or bool(getattr(path.lstat(), "st_reparse_tag", 0))
    except (OSError, ValueError):
        return False
