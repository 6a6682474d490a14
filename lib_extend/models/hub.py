"""Download one file of a hub repository into the hub's cache: complete and verified by its hash, or not at all.

huggingface_hub finds the file, logs in and lays out the cache, so that other programs share the download.
`files.downloading` gets the bytes: it keeps the part that arrived before a break and continues it, also from another
process, while newer versions of huggingface_hub start again. It also hashes the bytes before they enter the cache;
huggingface_hub compares only the size.

Works with huggingface_hub 0.26 to 2.x, which raise `requests` errors in some versions and `httpx` errors in
others; huggingface_hub and the network are imported when a file is requested, not before.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lib_extend.errors import ModelError
from lib_extend.files import downloading
from lib_extend.files.downloading import BrokenOff, Damaged, Wanted, WebPage
from lib_extend.models.hub_errors import disk_full, existing, explained, readable
from lib_extend.models.hub_place import Place

_NAME = re.compile(r"\w[\w.+-]*")
_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")

Arrived = Callable[[int], None]
"""Called with the bytes of a file that are here, as they arrive."""


@dataclass(frozen=True)
class Remote:
    """A file as the hub describes it: its commit, its hash (`etag`) and its size in bytes (0: unknown)."""

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
    """The hub's description of a file. Raises ModelError."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    with explained(place, repo, path):
        url = hf_hub_url(repo, path, revision=revision, endpoint=place.endpoint)
        found = get_hf_file_metadata(url, timeout=30)
    if not found.commit_hash or not found.etag:
        raise ModelError(
            f"{place.endpoint} does not speak the hub's protocol (no commit or hash for {path} of {repo}): check "
            "HF_ENDPOINT, or log in to your network if it asks for that.",
            code="hub_foreign",
            hub=place.endpoint,
        )
    if not _NAME.fullmatch(found.commit_hash) or not _NAME.fullmatch(found.etag):
        # These values become file names: a server must not choose a place outside the cache.
        raise ModelError(
            f"{place.endpoint} describes {path} of {repo} by {found.etag!r}, which no hub does: check HF_ENDPOINT.",
            code="hub_foreign",
            hub=place.endpoint,
        )
    return Remote(repo, path, found.commit_hash, found.etag, int(found.size or 0))


def missing(place: Place, remote: Remote) -> int:
    """How many bytes of the file are still missing."""
    storage = place.storage(remote.repo)
    if (storage / "snapshots" / remote.commit / remote.path).exists():
        return 0
    if (storage / "blobs" / remote.etag).exists():
        return 0
    with contextlib.suppress(OSError):
        return max(0, remote.size - partial(place, remote).stat().st_size)
    return remote.size


def partial(place: Place, remote: Remote) -> Path:
    """The file with the bytes that have arrived so far. (Older versions of huggingface_hub use the same.)"""
    return place.storage(remote.repo) / "blobs" / f"{remote.etag}.incomplete"


def fetch(place: Place, remote: Remote, arrived: Arrived) -> Path:
    """The file's path in the cache, downloaded if it is not there.

    Raises ModelError: no network, access refused, disk full, or the bytes do not have the hub's hash.
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
                _receive(place, remote, blob, arrived)
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
    # Where links are not allowed, the blob was copied: delete the second copy.
    if not found.is_symlink() and blob.exists() and not os.path.samefile(found, blob):
        blob.unlink()
    return found


def remember(place: Place, repo: str, revision: str, commit: str) -> None:
    """Note that the branch was downloaded at this commit. This is done last, so that a noted branch is complete."""
    if revision == commit:
        return
    note = place.storage(repo) / "refs" / revision
    with explained(place, repo):
        note.parent.mkdir(parents=True, exist_ok=True)
        # two threads may download the same file, too
        fresh = note.with_name(f".{note.name}.{os.getpid()}-{threading.get_ident()}.tmp")
        fresh.write_text(commit, encoding="utf-8")
        os.replace(fresh, note)


# --- the bytes


def _receive(place: Place, remote: Remote, blob: Path, arrived: Arrived) -> None:
    """Download the file to `blob`; continue from the part that has arrived."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    part = partial(place, remote)
    with contextlib.suppress(FileNotFoundError):
        # The part belongs to another file, or the size is unknown: start again.
        if not remote.size or part.stat().st_size > remote.size:
            part.unlink()
    wanted = Wanted(
        hf_hub_url(remote.repo, remote.path, revision=remote.commit, endpoint=place.endpoint),
        remote.size,
        proof=lambda path: _proof(path, remote),
        headers=build_hf_headers(),
        name=f"{remote.path} of {remote.repo}",
    )
    try:
        if not (remote.size and part.exists() and part.stat().st_size == remote.size):
            downloading.receive(
                wanted,
                part,
                progress=lambda here, total: arrived(here),
                room=lambda needed: check_space(place, remote.repo, needed),
            )
        downloading.prove(wanted, part)
    except BrokenOff as error:
        raise ModelError(
            f"The connection to {place.endpoint} broke off while {remote.path} of {remote.repo} was "
            f"downloaded, {readable(error.here)} of {readable(remote.size)} are here: start again, it goes on from there.",
            code="download_broken",
            hub=place.endpoint,
            here=error.here,
            size=remote.size,
        ) from error
    except WebPage as error:
        raise ModelError(
            f"{error.host} sent a web page instead of {remote.path} of {remote.repo}: log in to your network if it "
            "asks for that, or check HF_ENDPOINT.",
            code="download_web_page",
            host=error.host,
        ) from error
    except Damaged as error:
        raise ModelError(
            f"{remote.path} of {remote.repo} arrived with wrong content (its checksum is not the hub's) and was "
            "deleted: start again; if it happens again, the network or the mirror changes files on their way.",
            code="download_damaged",
        ) from error
    os.replace(part, blob)


def _proof(path: Path, remote: Remote) -> bool:
    """Whether the bytes have the hub's hash."""
    etag = remote.etag.lower()
    if _SHA256.fullmatch(etag):
        return downloading.sha256(path) == etag
    if _SHA1.fullmatch(etag):
        return downloading.git_sha1(path) == etag
    # A mirror may have other ETags.
    return not remote.size or path.stat().st_size == remote.size


def check_space(place: Place, repo: str, needed: int) -> None:
    """Raises ModelError when the disk has fewer free bytes."""
    folder = existing(place.cache)
    if needed > shutil.disk_usage(folder).free:
        raise ModelError(disk_full(folder, repo, needed), code="disk_full", folder=str(folder), needed=needed)


@contextlib.contextmanager
def _locked(place: Place, remote: Remote) -> Iterator[None]:
    """One process at a time per file. This is huggingface_hub's own lock, so that huggingface_hub waits too."""
    from filelock import BaseFileLock, FileLock, SoftFileLock

    folder = place.cache / ".locks" / place.storage(remote.repo).name
    folder.mkdir(parents=True, exist_ok=True)
    name = str(folder / f"{remote.etag}.lock")
    lock: BaseFileLock = FileLock(name)
    try:
        lock.acquire()
    except NotImplementedError:  # a file system without locks
        lock = SoftFileLock(name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
