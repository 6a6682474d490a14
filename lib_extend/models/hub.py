"""One file of a hub repository into the hub's cache: whole, proved by its hash, or not at all.

huggingface_hub finds the file, proves who is asking, moves the bytes and lays out the cache, so that every
other program shares what was downloaded. Two things are done here. The part that arrived before a break is
kept and gone on from, also by another process: newer versions of huggingface_hub begin anew. And the bytes are
hashed before they enter the cache: huggingface_hub compares their number only.

Works with huggingface_hub 0.26 to 2.x, which raise `requests` errors in some versions and `httpx` errors in
others; huggingface_hub and the network are imported when a file is asked for, not before.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.errors import ModelError
from lib_extend.models.files import git_sha1, sha256

ATTEMPTS = 4
"""How often in a row a broken connection may bring nothing new before it is given up."""

PAUSE = 1.0
"""Seconds between two attempts."""

PIECE = 256 * 1024
"""Bytes handed on at a time."""

_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Arrived = Callable[[int], None]
"""Called with the bytes of a file that are here, as they arrive."""


class NoSuchFile(ModelError):
    """The repository is there, the file is not."""


@dataclass(frozen=True)
class Place:
    """Where files come from and go to.

    Attributes:
        cache: the hub cache's folder.
        endpoint: address of the hub or of a mirror.
    """

    cache: Path
    endpoint: str

    @classmethod
    def of(cls, models_dir: str) -> Place:
        """From the setting ("" is the Hugging Face cache) and the environment as it is now."""
        from huggingface_hub import constants

        cache = Path(models_dir).expanduser() if models_dir else Path(constants.HF_HUB_CACHE)
        # huggingface_hub itself reads the variable once, when it is imported.
        endpoint = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
        return cls(cache, endpoint.rstrip("/"))

    def storage(self, repo: str) -> Path:
        """The folder of a repository: `blobs`, `snapshots`, `refs`."""
        return self.cache / ("models--" + repo.replace("/", "--"))

    def snapshot(self, repo: str, revision: str) -> Path | None:
        """The folder of a branch's, tag's or commit's files, as far as they are here."""
        storage = self.storage(repo)
        commit = revision
        with contextlib.suppress(OSError, ValueError):
            commit = (storage / "refs" / revision).read_text(encoding="utf-8").strip() or revision
        folder = storage / "snapshots" / commit
        return folder if folder.is_dir() else None


@dataclass(frozen=True)
class Remote:
    """A file as the hub describes it: its commit, its hash (`etag`) and its size in bytes (0: not said)."""

    repo: str
    path: str
    commit: str
    etag: str
    size: int


def listing(place: Place, repo: str, revision: str) -> tuple[str, list[str]]:
    """The commit of a revision and the paths of all its files. Raises ModelError."""
    from huggingface_hub import HfApi

    with explained(place, repo):
        info = HfApi(endpoint=place.endpoint).model_info(repo, revision=revision, timeout=30)
    return str(info.sha), [s.rfilename for s in info.siblings or ()]


def describe(place: Place, repo: str, path: str, revision: str) -> Remote:
    """What the hub knows of a file. Raises ModelError."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    with explained(place, repo, path):
        url = hf_hub_url(repo, path, revision=revision, endpoint=place.endpoint)
        found = get_hf_file_metadata(url, timeout=30)
    if not found.commit_hash or not found.etag:
        raise ModelError(
            f"{place.endpoint} does not speak the hub's protocol (no commit or hash for {path} of {repo}): check "
            "HF_ENDPOINT, or log in to your network if it asks for that."
        )
    return Remote(repo, path, found.commit_hash, found.etag, int(found.size or 0))


def present(place: Place, remote: Remote) -> bool:
    """Whether the very file is in the cache."""
    storage = place.storage(remote.repo)
    pointer = storage / "snapshots" / remote.commit / remote.path
    return pointer.exists() or (storage / "blobs" / remote.etag).exists()


def partial(place: Place, remote: Remote) -> Path:
    """The file that holds what has arrived so far. (Older versions of huggingface_hub use the same.)"""
    return place.storage(remote.repo) / "blobs" / f"{remote.etag}.incomplete"


def fetch(place: Place, remote: Remote, arrived: Arrived) -> Path:
    """The file's path in the cache, downloaded if it is not there.

    Raises ModelError: no network, refused, disk full, or the bytes are not those the hub describes.
    """
    storage = place.storage(remote.repo)
    blob = storage / "blobs" / remote.etag
    pointer = storage / "snapshots" / remote.commit / remote.path
    if pointer.exists():
        arrived(remote.size)
        return pointer
    with explained(place, remote.repo, remote.path, remote.size):
        blob.parent.mkdir(parents=True, exist_ok=True)
        with _locked(place, remote):
            if not blob.exists():
                _download(place, remote, arrived)
                _verify(partial(place, remote), remote)
                os.replace(partial(place, remote), blob)
        arrived(remote.size or blob.stat().st_size)
        return _link(place, remote, blob)


def _link(place: Place, remote: Remote, blob: Path) -> Path:
    """Have huggingface_hub enter the downloaded blob into the snapshot."""
    from huggingface_hub import hf_hub_download

    found = Path(
        hf_hub_download(
            remote.repo,
            remote.path,
            revision=remote.commit,
            cache_dir=str(place.cache),
            endpoint=place.endpoint,
        )
    )
    # Where links are not allowed the blob was copied: one copy is enough.
    if not found.is_symlink() and blob.exists() and not os.path.samefile(found, blob):
        blob.unlink()
    return found


def remember(place: Place, repo: str, revision: str, commit: str) -> None:
    """Note that the branch is here at this commit: done when all files are, so that a branch that is
    noted is whole."""
    if revision == commit:
        return
    note = place.storage(repo) / "refs" / revision
    with explained(place, repo):
        note.parent.mkdir(parents=True, exist_ok=True)
        fresh = note.with_name(f".{note.name}.{os.getpid()}.tmp")
        fresh.write_text(commit, encoding="utf-8")
        os.replace(fresh, note)


# --- the bytes


class _Counted(io.BufferedWriter):
    """A file that tells how far it has been written."""

    def __init__(self, path: Path, arrived: Arrived) -> None:
        super().__init__(io.FileIO(path, "ab"), PIECE)
        self._arrived, self._at = arrived, path.stat().st_size

    def write(self, data: Any, /) -> int:
        written = super().write(data)
        self._at += written
        self._arrived(self._at)
        return written

    def truncate(self, size: int | None = None, /) -> int:
        # The server would not go on from the middle.
        self._at = super().truncate(size)
        return self._at


def _download(place: Place, remote: Remote, arrived: Arrived) -> None:
    """Fill the partial file, going on from what it holds."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    path = partial(place, remote)
    url = hf_hub_url(remote.repo, remote.path, revision=remote.commit, endpoint=place.endpoint)
    vain = 0
    while True:
        with contextlib.suppress(FileNotFoundError):
            # Not of this file, or nobody knows where it should end: nothing to go on from.
            if not remote.size or path.stat().st_size > remote.size:
                path.unlink()
        before = path.stat().st_size if path.exists() else 0
        if remote.size and before == remote.size:
            return
        _check_space(path.parent, remote, before)
        try:
            with _our_way(), _Counted(path, arrived) as file:
                # Its own check of the size is left out: what has arrived is kept if the server ends early.
                http_get(url, file, resume_size=before, headers=build_hf_headers())
            if not remote.size or path.stat().st_size >= remote.size:
                return
            error: Exception = ModelError("")
        except Exception as caught:
            if not _network_trouble(caught):
                raise
            error = caught
        vain = vain + 1 if path.stat().st_size <= before else 1
        if vain >= ATTEMPTS:
            here = path.stat().st_size
            raise ModelError(
                f"The connection to {place.endpoint} broke off while {remote.path} of {remote.repo} was "
                f"downloaded, {_size(here)} of {_size(remote.size)} are here: start again, it goes on from there."
            ) from error
        time.sleep(PAUSE)


def _verify(path: Path, remote: Remote) -> None:
    """Compare the bytes with the hub's hash; what is wrong is deleted and said."""
    etag = remote.etag.lower()
    if _SHA256.fullmatch(etag):
        good = sha256(path) == etag
    elif _SHA1.fullmatch(etag):
        good = git_sha1(path) == etag
    else:  # a mirror with tags of its own
        good = not remote.size or path.stat().st_size == remote.size
    if not good:
        path.unlink(missing_ok=True)
        raise ModelError(
            f"{remote.path} of {remote.repo} arrived with wrong content (its checksum is not the hub's) and was "
            "deleted: start again; if it happens again, the network or the mirror changes files on their way."
        )


def _check_space(folder: Path, remote: Remote, before: int) -> None:
    free = shutil.disk_usage(folder).free
    if remote.size - before > free:
        raise ModelError(_full(folder, remote.repo, remote.size - before))


def _full(folder: Path, repo: str, missing: int) -> str:
    free = "little"
    with contextlib.suppress(OSError):
        free = _size(shutil.disk_usage(folder).free)
    need = f"{_size(missing)} more are needed and" if missing > 0 else ""
    return (
        f"The disk is too full for {repo}: {need} {free} are free in {folder}. Make room, or choose another "
        "folder with --models-dir."
    ).replace(":  ", ": ")


def _size(number: int) -> str:
    """A number of bytes as a person reads it."""
    if number >= 1_000_000_000:
        return f"{number / 1e9:,.2f} GB"
    if number >= 1_000_000:
        return f"{number / 1e6:,.1f} MB"
    return f"{number / 1e3:,.1f} kB"


@contextlib.contextmanager
def _locked(place: Place, remote: Remote) -> Iterator[None]:
    """One process at a time per file: huggingface_hub's own lock, so that it keeps away too."""
    from filelock import FileLock

    folder = place.cache / ".locks" / place.storage(remote.repo).name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(str(folder / f"{remote.etag}.lock")):
        yield


_settings = threading.Lock()


@contextlib.contextmanager
def _our_way() -> Iterator[None]:
    """huggingface_hub draws no progress bar (ours does) and hands on what arrives in small pieces: of its
    usual pieces of 10 MB, one that breaks in the middle would be lost, and progress would stand still."""
    from huggingface_hub import constants
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    with _settings:
        # Where the environment decides about bars, any call here would be answered with a warning.
        hide = "HF_HUB_DISABLE_PROGRESS_BARS" not in os.environ and not are_progress_bars_disabled()
        usual = constants.DOWNLOAD_CHUNK_SIZE
        constants.DOWNLOAD_CHUNK_SIZE = PIECE
        if hide:
            disable_progress_bars()
        try:
            yield
        finally:
            constants.DOWNLOAD_CHUNK_SIZE = usual
            if hide:
                enable_progress_bars()


# --- what went wrong, in one sentence


@contextlib.contextmanager
def explained(place: Place, repo: str, path: str = "", size: int = 0) -> Iterator[None]:
    """Turns whatever huggingface_hub, the network or the disk raise into a ModelError with one sentence."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        kind = NoSuchFile if _is_missing_file(error) else ModelError
        sentence = _sentence(error, place, repo, path, size)
        if sentence is None:
            raise
        raise kind(sentence) from error


def _is_missing_file(error: Exception) -> bool:
    from huggingface_hub import errors

    return isinstance(error, errors.EntryNotFoundError) and not isinstance(
        error, errors.LocalEntryNotFoundError
    )


def _sentence(error: Exception, place: Place, repo: str, path: str, size: int) -> str | None:
    from huggingface_hub import errors

    what = f"{path} of {repo}" if path else repo
    status = _status(error)
    if isinstance(error, errors.GatedRepoError):
        return (
            f"{repo} is given only to people who accepted its licence: do so on {place.endpoint}/{repo}, then log "
            "in here with `hf auth login` (or set HF_TOKEN) and start again."
        )
    if _is_missing_file(error):
        return f"{repo} has no file {path} any more: update Prompt Extend, or choose another model."
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{repo} has no such version any more: update Prompt Extend, or choose another model."
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)) or status == 404:
        return (
            f"There is no {repo} on {place.endpoint}, or it is private: check the name, or log in with "
            "`hf auth login` (or set HF_TOKEN)."
        )
    if status in (401, 403) or isinstance(error, errors.LocalTokenNotFoundError):
        return (
            f"{place.endpoint} refuses {what} ({status or 'no login'}): log in with `hf auth login` or correct "
            "HF_TOKEN, then start again."
        )
    if status is not None:
        return f"{place.endpoint} cannot give {what} now (it answers {status}): try again later."
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"{what} is not on this machine and HF_HUB_OFFLINE forbids the network: unset it, and start again."
    number = getattr(error, "errno", None)
    if number in _FULL:
        here = 0
        with contextlib.suppress(OSError):
            here = max(p.stat().st_size for p in place.storage(repo).glob("blobs/*.incomplete"))
        return _full(_existing(place.cache), repo, size - here)
    if _network_trouble(error):
        return (
            f"{place.endpoint} cannot be reached for {what} ({_brief(error)}): check the network, HF_ENDPOINT and "
            "the proxy, or work with models that are here (--offline)."
        )
    if isinstance(error, PermissionError) or number == errno.EROFS:
        return (
            f"Models cannot be kept in {place.cache} ({error}): give yourself the right to write there, or choose "
            "another folder with --models-dir."
        )
    if isinstance(error, OSError):
        return f"{what} cannot be downloaded into {place.cache} ({_brief(error)}): start again."
    return None


def _status(error: Exception) -> int | None:
    """The HTTP status behind an error."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _network_trouble(error: BaseException) -> bool:
    """Whether an error, or what caused it, is the network's."""
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:
        seen.append(at)
        root = type(at).__module__.partition(".")[0]
        if root in ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3") and _status_free(at):
            return True
        # Errors of requests are OSErrors too; those about an address or a header are ours.
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


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
