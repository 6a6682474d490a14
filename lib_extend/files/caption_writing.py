"""Write a caption file so that after a crash it is either the old one or the new one, complete.

The new text is written to a file beside it, flushed to the disk and renamed over it. A link stays a link: what it
points
to is replaced. Owner, mode, and extended attributes go over to the new file. Where a new file would not do (the file
has a second name by a hard link, or its owner cannot be set), the file itself is rewritten. If the program crashes
while it rewrites, the journal repairs the file: it has both texts (`torn`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat as modes
from collections.abc import Collection, Iterable
from pathlib import Path

from lib_extend.errors import ImageError, StorageError
from lib_extend.files.scan import show

TEMP_PREFIX = ".prompt-extend-"
TEMP_SUFFIX = ".tmp"


def in_place(path: Path) -> bool:
    """Whether `path` has to be rewritten itself, because a new file would lose a hard link or its owner."""
    try:
        here = path.stat()
    except OSError:
        return False
    if here.st_nlink > 1:
        return os.access(path, os.W_OK)
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return False
    given = here.st_uid == os.geteuid() and (here.st_gid == os.getegid() or here.st_gid in os.getgroups())
    return not given and os.access(path, os.W_OK)


def stage(path: Path, data: bytes, owner: str = "") -> Path:
    """A file beside `path` that holds `data` and is safe on the disk; `replace` puts it in place.

    Args:
        owner: whose it is (letters and digits), for `remove_leftovers`.

    Raises:
        ImageError: this file cannot be written. StorageError: the disk is full.
    """
    try:
        real = _real(path)
        temp = real.with_name(
            f"{TEMP_PREFIX}{owner}{'-' if owner else ''}{secrets.token_hex(8)}{TEMP_SUFFIX}"
        )
        try:
            with temp.open("xb") as f:
                f.write(data)
                f.flush()
                _take_over(real, temp)
                os.fsync(f.fileno())
        except BaseException:
            discard(temp)
            raise
    except OSError as e:
        raise explain(path, e) from e
    return temp


def replace(path: Path, temp: Path | None) -> None:
    """Put a staged file in place (None deletes `path`): a reader sees the old file or the new one.

    Raises:
        ImageError: this file cannot be written. StorageError: the disk is full.
    """
    try:
        real = _real(path)
        if temp is None:
            real.unlink(missing_ok=True)
        else:
            temp.replace(real)
    except OSError as e:
        discard(temp)
        raise explain(path, e) from e


def rewrite(path: Path, data: bytes) -> None:
    """Write `data` into the file itself. If the program is killed meanwhile, the file is `torn`.

    Raises:
        ImageError: this file cannot be written. StorageError: the disk is full; the file then has its old text.
    """
    try:
        with path.open("r+b", buffering=0) as f:
            old = f.read()
            try:
                _overwrite(f.fileno(), data)
            except OSError:
                _overwrite(f.fileno(), old)
                raise
    except OSError as e:
        raise explain(path, e) from e


def torn(now: bytes | None, before: bytes | None, after: bytes | None) -> bool:
    """Whether `now` is what a `rewrite` from `before` to `after` (or back) leaves when it is ended in between."""
    if now is None or before is None or after is None:
        return False
    return any(_begun(now, old, new) for old, new in ((before, after), (after, before)))


def _begun(now: bytes, old: bytes, new: bytes) -> bool:
    if len(now) < len(old):
        return False
    same = next(
        (i for i, (a, b) in enumerate(zip(now, new, strict=False)) if a != b), min(len(now), len(new))
    )
    return now[same:] == old[same:]


def _overwrite(file: int, data: bytes) -> None:
    os.lseek(file, 0, os.SEEK_SET)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.ftruncate(file, len(data))
    os.fsync(file)


def discard(temp: Path | None) -> None:
    """Delete a staged file that is not wanted."""
    if temp is not None:
        with contextlib.suppress(OSError):
            temp.unlink()


def settle_folders(paths: Iterable[Path]) -> None:
    """Flush the folders of `paths` to the disk, so that a power cut does not undo a `replace`."""
    if os.name == "nt":  # this system cannot flush folders
        return
    for folder in {_folder(p) for p in paths}:
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def remove_leftovers(folder: Path, owner: str | None = None) -> None:
    """Delete the staged files that a killed run left in `folder`; those of `owner` only, where it is given.

    One that cannot be deleted stays: it is tried again at the next start.
    """
    beginning = TEMP_PREFIX + (f"{owner}-" if owner else "")
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(beginning) and name.endswith(TEMP_SUFFIX):
                discard(folder / name)


def leftover_folders(paths: Collection[Path]) -> set[Path]:
    """The folders in which files staged for `paths` lie."""
    return {_folder(p) for p in paths}


def _folder(path: Path) -> Path:
    with contextlib.suppress(OSError):
        return _real(path).parent
    return path.parent


def _real(path: Path) -> Path:
    """The file that is written: where links lead to."""
    if not path.is_symlink():
        return path
    real = Path(os.path.realpath(path))
    if real.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return real


def _take_over(old: Path, new: Path) -> None:
    """Owner, mode and extended attributes of the file that is replaced, as far as the system allows."""
    try:
        here = old.stat()
    except OSError:
        return
    if hasattr(os, "chown"):
        made = new.stat()
        if (made.st_uid, made.st_gid) != (here.st_uid, here.st_gid):
            with contextlib.suppress(OSError):
                os.chown(new, here.st_uid, here.st_gid)
    with contextlib.suppress(OSError):
        new.chmod(modes.S_IMODE(here.st_mode) & 0o777)
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for name in os.listxattr(old):
                with contextlib.suppress(OSError):
                    os.setxattr(new, name, os.getxattr(old, name))


def explain(path: Path, e: OSError) -> ImageError | StorageError:
    """The sentence for a caption that cannot be written."""
    if e.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"The disk of {show(str(path.parent))} is full: free some space and start again, the run "
            "continues where it stopped."
        )
    if e.errno == errno.ELOOP:
        return ImageError(f"The caption {show(path.name)} is a link that leads in a circle: delete it.")
    if not path.parent.exists():
        return ImageError(f"The folder {show(str(path.parent))} is gone: bring it back and start again.")
    if path.is_symlink() and not path.exists():
        return ImageError(
            f"The caption {show(path.name)} is a link to a place that is not there: mend or delete it."
        )
    if path.is_dir():
        return ImageError(f"{show(path.name)} is a folder where the caption should be: rename it.")
    return ImageError(f"The caption {show(path.name)} cannot be written ({e.strerror}).")
