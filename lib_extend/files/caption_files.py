"""Caption files: only regular ones of bounded size are read, and a new one takes the old one's place whole."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from lib_extend.errors import ImageError, StorageError
from lib_extend.files.scan import show

TEMP_PREFIX = ".prompt-extend-"
TEMP_SUFFIX = ".tmp"

LONGEST_CAPTION = 1_000_000
"""Characters of a caption, at the most: what is longer is some other text file."""

MOST_BYTES = 4 * LONGEST_CAPTION
"""Bytes of a caption file that is read, at the most."""


def read_bytes(path: Path) -> bytes | None:
    """The caption's bytes, or None where there is no file.

    Raises:
        ImageError: it cannot be read, is too large, or is no regular file: a folder, a pipe, a device.
    """
    try:
        here = path.stat()
        if not stat.S_ISREG(here.st_mode):
            raise _no_file(path, here.st_mode)
        # it may have become a pipe since, and one without a writer must not hold us up
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            data = file.read(MOST_BYTES + 1) if here.st_size <= MOST_BYTES else None
    except FileNotFoundError:
        return None
    except OSError as e:
        raise ImageError(f"The caption {show(path.name)} cannot be read ({e.strerror}).") from None
    if data is None or len(data) > MOST_BYTES:
        raise ImageError(
            f"{show(path.name)} is too large to be a caption (more than {MOST_BYTES // 1_000_000} MB): rename it."
        )
    return data


def _no_file(path: Path, mode: int) -> ImageError:
    kind = "a folder" if stat.S_ISDIR(mode) else "no regular file (a pipe, a socket or a device)"
    return ImageError(f"{show(path.name)} is {kind} where the caption should be: rename it.")


def stage(path: Path, data: bytes) -> Path:
    """A temporary file beside `path` that holds `data` and is safe on the disk; `replace` puts it in place.

    Raises:
        ImageError: this file cannot be written. StorageError: the disk is full.
    """
    temp = path.with_name(f"{TEMP_PREFIX}{secrets.token_hex(8)}{TEMP_SUFFIX}")
    try:
        try:
            with temp.open("xb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())
            if path.exists():
                temp.chmod(path.stat().st_mode & 0o777)
        except BaseException:
            temp.unlink(missing_ok=True)
            raise
    except OSError as e:
        raise _explain(path, e) from e
    return temp


def replace(path: Path, temp: Path | None) -> None:
    """Put a staged file in place (None deletes `path`): a reader sees the old file or the new one.

    Raises:
        ImageError: this file cannot be written. StorageError: the disk is full.
    """
    try:
        if temp is None:
            path.unlink(missing_ok=True)
        else:
            temp.replace(path)
    except OSError as e:
        discard(temp)
        raise _explain(path, e) from e


def discard(temp: Path | None) -> None:
    """Delete a staged file that is not wanted."""
    if temp is not None:
        with contextlib.suppress(OSError):
            temp.unlink()


def _explain(path: Path, e: OSError) -> ImageError | StorageError:
    if e.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"The disk of {show(str(path.parent))} is full: free some space and start again, the run "
            "continues where it stopped."
        )
    if not path.parent.exists():
        return ImageError(f"The folder {show(str(path.parent))} is gone: bring it back and start again.")
    if path.is_dir():
        return ImageError(f"{show(path.name)} is a folder where the caption should be: rename it.")
    return ImageError(f"The caption {show(path.name)} cannot be written ({e.strerror}).")


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files a killed run left in `folder`."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith(TEMP_PREFIX) and name.endswith(TEMP_SUFFIX):
            (folder / name).unlink(missing_ok=True)
