"""Caption files: read whatever encoding is there, write UTF-8, always whole."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from lib_extend.errors import ImageError, StorageError
from lib_extend.files.scan import show

TEMP_PREFIX = ".prompt-extend-"
TEMP_SUFFIX = ".tmp"

LONGEST_CAPTION = 1_000_000
"""Characters of a caption, at the most: what is longer is some other text file."""

# Tried in this order; each is strict, so a wrong guess is caught by the next. cp1252 ends the list
# because it accepts nearly any bytes.
ENCODINGS = ("utf-8-sig", "cp932", "gb18030", "cp1252")


def read_bytes(path: Path) -> bytes | None:
    """The caption's bytes, or None where there is no file.

    Raises:
        ImageError: it is a folder or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise ImageError(f"{show(path.name)} is a folder where the caption should be: rename it.") from None
    except OSError as e:
        if path.is_dir():  # Windows answers PermissionError for a folder
            raise ImageError(
                f"{show(path.name)} is a folder where the caption should be: rename it."
            ) from None
        raise ImageError(f"The caption {show(path.name)} cannot be read ({e.strerror}).") from None


def decode(data: bytes, name: str) -> str:
    """A caption's text from its bytes: UTF-8 (with or without BOM), UTF-16 with BOM, CP932, GB18030.

    Raises:
        ImageError: the bytes are no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates: tuple[str, ...] = ("utf-16",)
    else:
        candidates = ENCODINGS
    if b"\0" not in data or candidates == ("utf-16",):
        for encoding in candidates:
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise ImageError(f"The caption {show(name)} is not text: look at it and delete or rename it.")


def encode(text: str) -> bytes:
    """The bytes of a caption file: UTF-8 without BOM, as sd-scripts reads it."""
    return text.encode("utf-8", "surrogatepass")


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
