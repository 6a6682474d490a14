"""Caption files: only regular ones of bounded size are read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from lib_extend.errors import ImageError
from lib_extend.files.scan import show

LONGEST_CAPTION = 1_000_000
"""Characters of a caption, at the most: what is longer is some other text file."""

MOST_BYTES = 4 * LONGEST_CAPTION
"""Bytes of a caption file that is read, at the most."""


def read_bytes(path: Path) -> bytes | None:
    """The caption's bytes, or None where there is no file.

    Raises:
        ImageError: the file cannot be read, is too large, or is not a regular file (a folder, a pipe, a device).
    """
    try:
        here = path.stat()
        if not stat.S_ISREG(here.st_mode):
            raise _no_file(path, here.st_mode)
        # the file may have become a pipe since; opening a pipe without a writer must not block
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
