"""Errors of a model's download, each as one sentence that says how to correct it.

huggingface_hub raises its own errors, those of its network library (`requests`, `httpx` or a successor), of Python and
of the disk. This module sorts them by what a user can do.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lib_extend.errors import ModelError
from lib_extend.files.downloading import DISK_FULL, Refused

if TYPE_CHECKING:
    from lib_extend.models.hub_place import Place


class NoSuchFile(ModelError):
    """The repository is there, the file is not."""


@contextlib.contextmanager
def explained(place: Place, repo: str, path: str = "", size: int = 0) -> Iterator[None]:
    """Turns errors of huggingface_hub, the network or the disk into a ModelError with one sentence."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        kind = NoSuchFile if _is_missing_file(error) else ModelError
        found = _sentence(error, place, repo, path, size)
        if found is None:
            raise
        code, sentence = found
        raise kind(sentence, code=code, hub=place.endpoint, repo=repo, path=path) from error


def _is_missing_file(error: Exception) -> bool:
    from huggingface_hub import errors

    return isinstance(error, errors.EntryNotFoundError) and not isinstance(
        error, errors.LocalEntryNotFoundError
    )


def _sentence(error: Exception, place: Place, repo: str, path: str, size: int) -> tuple[str, str] | None:
    """The code and the sentence of an error; None for a bug of this program."""
    from huggingface_hub import errors

    what = f"{path} of {repo}" if path else repo
    status = _status(error)
    if isinstance(error, errors.GatedRepoError):
        return (
            "gated",
            (
                f"{repo} is given only to people who accepted its licence: do so on {place.endpoint}/{repo}, then log "
                "in here with `hf auth login` (or set HF_TOKEN) and start again."
            ),
        )
    if _is_missing_file(error):
        return (
            "file_gone",
            f"{repo} has no file {path} any more: update Prompt Extend, or choose another model.",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return (
            "version_gone",
            f"{repo} has no such version any more: update Prompt Extend, or choose another model.",
        )
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)) or status == 404:
        return (
            "no_repository",
            (
                f"There is no {repo} on {place.endpoint}, or it is private: check the name, or log in with "
                "`hf auth login` (or set HF_TOKEN)."
            ),
        )
    if status in (401, 403) or isinstance(error, errors.LocalTokenNotFoundError):
        return (
            "login",
            (
                f"{place.endpoint} refuses {what} ({status or 'no login'}): log in with `hf auth login` or correct "
                "HF_TOKEN, then start again."
            ),
        )
    if status is not None:
        return (
            "hub_busy",
            f"{place.endpoint} cannot give {what} now (it answers {status}): try again later.",
        )
    if isinstance(error, errors.OfflineModeIsEnabled):
        return (
            "offline",
            f"{what} is not on this machine and HF_HUB_OFFLINE forbids the network: unset it, and start again.",
        )
    number = getattr(error, "errno", None)
    if number in DISK_FULL:
        here = 0
        with contextlib.suppress(OSError):
            here = max(p.stat().st_size for p in place.storage(repo).glob("blobs/*.incomplete"))
        return ("disk_full", disk_full(existing(place.cache), repo, size - here))
    if network_trouble(error):
        return (
            "network",
            (
                f"{place.endpoint} cannot be reached for {what} ({_brief(error)}): check the network, HF_ENDPOINT and "
                "the proxy, or work with models that are here (--offline)."
            ),
        )
    if isinstance(error, PermissionError) or number == errno.EROFS:
        return (
            "not_writable",
            (
                f"Models cannot be kept in {place.cache} ({error}): give yourself the right to write there, or choose "
                "another folder with --models-dir."
            ),
        )
    if isinstance(error, OSError):
        return (
            "download_failed",
            f"{what} cannot be downloaded into {place.cache} ({_brief(error)}): start again.",
        )
    return None


def _status(error: Exception) -> int | None:
    """The HTTP status behind an error."""
    if isinstance(error, Refused):
        return error.status
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def network_trouble(error: BaseException) -> bool:
    """Whether an error, or its cause, is a network error."""
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:
        seen.append(at)
        root = type(at).__module__.partition(".")[0]
        if root in ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3") and _status_free(at):
            return True
        # Errors of requests are OSErrors too; an invalid address or header is a bug of this program.
        if root == "requests" and isinstance(at, OSError) and _status_free(at):
            return True
        if isinstance(at, (ConnectionError, TimeoutError)):
            return True
        at = at.__cause__ or at.__context__
    return False


def _status_free(error: BaseException) -> bool:
    return getattr(error, "response", None) is None


def _brief(error: Exception) -> str:
    text = " ".join(str(error.__cause__ or error).split())
    return (text[:160] + "…" if len(text) > 160 else text).rstrip(".") or type(error).__name__


def existing(folder: Path) -> Path:
    """The folder, or the nearest parent that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def disk_full(folder: Path, repo: str, missing: int) -> str:
    """The sentence for a disk without room for `missing` bytes (0: unknown) in `folder`."""
    free = "little"
    with contextlib.suppress(OSError):
        free = readable(shutil.disk_usage(folder).free)
    need = f"{readable(missing)} more are needed and " if missing > 0 else ""
    return (
        f"The disk is too full for {repo}: {need}{free} are free in {folder}. Make room, or choose another "
        "folder with --models-dir."
    )


def readable(number: int) -> str:
    """A number of bytes in a readable unit."""
    if number >= 1_000_000_000:
        return f"{number / 1e9:,.2f} GB"
    if number >= 1_000_000:
        return f"{number / 1e6:,.1f} MB"
    return f"{number / 1e3:,.1f} kB"
