"""Download a LoRA into the host's folder: complete and verified, or not at all.

The part that has arrived is in a separate folder beside the LoRAs until it is complete; a broken-off download continues
from it. Then its hash (if known) and its structure are checked, and it gets its name in one step: a host never sees
half a file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from lib_extend.errors import StorageError, UserError
from lib_extend.files.downloading import (
    DISK_FULL,
    BrokenOff,
    Damaged,
    Progress,
    Refused,
    Wanted,
    WebPage,
    fetch,
    sha256,
)
from lib_extend.files.safetensors_header import check_whole
from lib_extend.generation.lora_files import SUFFIX
from lib_extend.generation.lora_sources import Offer, file_name, refused, unreachable

WORKSHOP = ".prompt-extend"
"""Folder within the LoRA folder for what is under way; the hosts look for `.safetensors` only."""


def download(
    offer: Offer,
    folder: Path,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    token: str = "",
) -> Path:
    """The file of an offer in a folder, downloaded if it is not there.

    Where another file of that name is there, the version becomes part of the name.

    Args:
        stop: called between pieces; true ends the download and keeps the bytes that have arrived.
        token: sent to the offer's host, for sites that require a login.

    Raises:
        UserError: offline, access refused, download damaged. StorageError: the disk. Stopped: by `stop`.
    """
    progress = progress or (lambda here, total: None)
    stop = stop or (lambda: False)
    with _storing(folder):
        target = _target(folder, offer)
        if target.exists():
            progress(target.stat().st_size, target.stat().st_size)
            return target
        identity = offer.sha256 or hashlib.sha256(f"{offer.url} {offer.size}".encode()).hexdigest()
        with _workshop(folder, identity[:24]) as part:
            _fetch(offer, part, target, progress, stop, token)
    return target


def import_file(path: Path, folder: Path) -> Path:
    """A LoRA file from elsewhere on this machine, copied into a folder; returns where it is now.

    Raises:
        UserError: it is not a complete LoRA file, or another file has this name. StorageError: the disk.
    """
    name = file_name(path.name)
    if not name:
        raise UserError(f"{path.name} does not end in {SUFFIX}: choose a LoRA in that format.")
    check_whole(path)
    target = folder / name
    with _storing(folder):
        if target.exists():
            if os.path.samefile(path, target) or sha256(path) == sha256(target):
                return target
            raise UserError(f"{folder} has another file called {name}: rename one of the two.")
        with _workshop(folder, hashlib.sha256(str(path).encode("utf-8", "replace")).hexdigest()[:24]) as part:
            shutil.copyfile(path, part)
            check_whole(part)
            os.replace(part, target)
    return target


def _target(folder: Path, offer: Offer) -> Path:
    """The target path: a free name, or the name of this same file."""
    stem = offer.name[: -len(SUFFIX)]
    version = re.sub(r"[^\w.+-]+", "-", offer.version).strip("-.")
    names = [offer.name, *([f"{stem}-{version}{SUFFIX}"] if version else [])]
    for name in names:
        target = folder / name
        if not target.exists() or _is(target, offer):
            return target
    raise UserError(f"{folder} has another file called {names[-1]}: rename it, then start again.")


def _is(path: Path, offer: Offer) -> bool:
    """Whether a file is the offered one, as far as the offer says."""
    if offer.sha256:
        return sha256(path) == offer.sha256
    with contextlib.suppress(UserError):
        return check_whole(path).size == offer.size
    return False


def _fetch(
    offer: Offer, part: Path, target: Path, progress: Progress, stop: Callable[[], bool], token: str
) -> None:
    """Has the offer's file at `target`, through `part`."""
    wanted = Wanted(
        offer.url,
        offer.size,
        exact=False,  # Civitai gives rounded kilobytes
        proof=lambda path: _is_good(path, offer),
        headers={"Authorization": f"Bearer {token}"} if token else {},
        name=offer.name,
    )
    try:
        fetch(
            wanted,
            part,
            target,
            progress=progress,
            stop=stop,
            room=lambda needed: _check_space(folder=part.parent, needed=needed, offer=offer),
        )
    except Refused as error:
        raise refused(error) from None
    except BrokenOff as error:
        raise unreachable(offer.url, error.cause) from None
    except WebPage as error:
        raise UserError(
            f"{error.host} sent a web page instead of {offer.name} (a login?): enter an API key of yours, or get the "
            "file with a browser and import it."
        ) from None
    except Damaged:
        raise _damaged(offer) from None


def _is_good(path: Path, offer: Offer) -> bool:
    """Whether the file is what was offered: by its hash where one is known, and by its structure."""
    if offer.sha256 and sha256(path) != offer.sha256:
        return False
    with contextlib.suppress(UserError):
        check_whole(path)
        return True
    return False


def _damaged(offer: Offer) -> UserError:
    return UserError(
        f"{offer.name} arrived damaged and was deleted: start again; if it happens again, get it with a browser and "
        "import it."
    )


@contextlib.contextmanager
def _workshop(folder: Path, identity: str) -> Iterator[Path]:
    """The path of a file during its download, locked until the end; one download of a file at a time."""
    from filelock import FileLock, Timeout

    shop = folder / WORKSHOP
    shop.mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(shop / f"{identity}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError("This file is being downloaded already: wait until that is done.") from None
    try:
        yield shop / f"{identity}.part"
    finally:
        lock.release()
        with contextlib.suppress(OSError):
            (shop / f"{identity}.lock").unlink()
        with contextlib.suppress(OSError):
            shop.rmdir()  # only when nothing is left in it


@contextlib.contextmanager
def _storing(folder: Path) -> Iterator[None]:
    """Turns errors of the disk into one sentence."""
    try:
        yield
    except OSError as e:
        if e.errno in DISK_FULL:
            raise StorageError(f"The disk of {folder} is full: make room and start again.") from None
        raise UserError(f"{folder} cannot be written to ({e.strerror or e}): check the folder.") from None


def _check_space(folder: Path, needed: int, offer: Offer) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            f"{offer.name} needs {needed / 1e6:,.0f} MB more and the disk of {folder.parent} has {free / 1e6:,.0f}: "
            "make room and start again."
        )
