"""Download one file: continue after a break, verify the file, then give it its name in one step.

The bytes that have arrived lie in a separate file (`part`). A later attempt, also of another process, continues it by a
range request.
The file gets its name only when it is complete and verified. httpx is imported at the first request.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lib_extend.errors import PromptExtendError, Stopped

if TYPE_CHECKING:
    import httpx

ATTEMPTS = 4
"""How often in a row a connection may break, or the server be busy, without a new byte before it is given up."""

PAUSE = 1.0
"""Seconds between two attempts."""

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""

BUSY = frozenset({429, 500, 502, 503, 504})
"""Statuses that may pass."""

DISK_FULL = frozenset(getattr(errno, n) for n in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, n))
"""The numbers of an OSError that mean that there is no room."""

AGENT = "prompt-extend"

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and those of the whole file (0: nobody knows)."""


class DownloadError(PromptExtendError):
    """A download failed; the classes below say how. The bytes that have arrived are kept, unless the class says
    otherwise."""


class Refused(DownloadError):
    """The server answered with an error instead of the file.

    Attributes:
        host: that answered. status: its HTTP status. headers: of its answer, names in lower case.
    """

    def __init__(self, host: str, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"{host} answers {status}.")
        self.host, self.status, self.headers = host, status, headers


class BrokenOff(DownloadError):
    """The connection could not be made, or broke again and again.

    Attributes:
        here: bytes that have arrived. cause: httpx's error.
    """

    def __init__(self, here: int, cause: Exception) -> None:
        super().__init__(
            f"The connection broke off: {' '.join(str(cause).split())[:160] or type(cause).__name__}."
        )
        self.here, self.cause = here, cause


class WebPage(DownloadError):
    """The server sent a web page instead of the file, for example a login page. `host` sent it."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} sent a web page.")
        self.host = host


class Damaged(DownloadError):
    """The file that arrived is not the right one; it was deleted."""


@dataclass(frozen=True)
class Wanted:
    """A file to download.

    Attributes:
        url: where it is.
        size: its bytes; 0 where it is unknown. exact: whether `size` is exact or only approximate.
        proof: whether a file is the right one, checked by its hash or its structure.
        headers: sent with the request; login headers go to the first host only.
        name: for messages.
    """

    url: str
    size: int = 0
    exact: bool = True
    proof: Callable[[Path], bool] = lambda path: True
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = "The file"


def client(headers: Mapping[str, str] | None = None) -> httpx.Client:
    """A connection that follows redirects; `Authorization` is not sent to another host."""
    import httpx

    return httpx.Client(
        headers={"User-Agent": AGENT, **(headers or {})},
        timeout=TIMEOUT,
        follow_redirects=True,
        verify=_certificates(),
    )


def fetch(
    wanted: Wanted,
    part: Path,
    target: Path,
    *,
    progress: Progress = lambda here, total: None,
    stop: Callable[[], bool] = lambda: False,
    room: Callable[[int], None] = lambda needed: None,
) -> None:
    """Download a file to `target` through `part`. Both are on the same disk, and no one else may write `part`
    meanwhile.

    Args:
        stop: called between pieces; true ends the download and keeps the bytes that have arrived.
        room: called with the number of bytes that are still missing; it raises when the disk has no room for them.

    Raises:
        Refused, BrokenOff, WebPage, Damaged; Stopped: by `stop`; OSError: the disk.
    """
    receive(wanted, part, progress=progress, stop=stop, room=room)
    prove(wanted, part)
    os.replace(part, target)


def prove(wanted: Wanted, part: Path) -> None:
    """Raises Damaged and deletes `part` when its content is not the wanted file."""
    if not wanted.proof(part):
        part.unlink(missing_ok=True)
        raise Damaged(f"{wanted.name} arrived damaged and was deleted.")


def receive(
    wanted: Wanted,
    part: Path,
    *,
    progress: Progress = lambda here, total: None,
    stop: Callable[[], bool] = lambda: False,
    room: Callable[[int], None] = lambda needed: None,
) -> None:
    """Fill `part` and continue after the bytes it has. Arguments and errors are those of `fetch`; the file is not
    verified."""
    import httpx

    vain = 0
    with client(wanted.headers) as http:
        while True:
            before = _size(part)
            failure: DownloadError
            try:
                _receive(http, wanted, part, progress, stop, room)
                return
            except Refused as refused:
                if refused.status not in BUSY:
                    raise
                failure = refused
            except httpx.RequestError as error:
                failure = BrokenOff(_size(part), error)
                failure.__cause__ = error
            vain = 1 if _size(part) > before else vain + 1
            if vain >= ATTEMPTS or stop():
                raise failure
            time.sleep(PAUSE)


def _receive(
    http: httpx.Client,
    wanted: Wanted,
    part: Path,
    progress: Progress,
    stop: Callable[[], bool],
    room: Callable[[int], None],
) -> None:
    """One attempt."""
    import httpx

    here = _size(part)
    headers = {"Range": f"bytes={here}-"} if here else {}
    # The hash is that of the uncompressed bytes, so ask for no compression.
    with http.stream("GET", wanted.url, headers={**headers, "Accept-Encoding": "identity"}) as response:
        host = response.request.url.host
        if response.status_code == 416:
            # Either the file is complete (the check will say so), or these bytes belong to another file.
            if response.headers.get("content-range", "").endswith(f"/{here}"):
                return
            part.unlink()
            raise Damaged(f"{wanted.name} was begun with another file's bytes, which were deleted.")
        if not response.is_success:
            raise Refused(host, response.status_code, dict(response.headers))
        if response.headers.get("content-type", "").startswith("text/html"):
            raise WebPage(host)
        span = response.headers.get("content-range", "")
        goes_on = response.status_code == 206 and span.startswith(f"bytes {here}-")
        here = here if goes_on else 0
        length = _number(response.headers.get("content-length"))
        total = here + length if length else wanted.size
        room(length or max(0, total - here))
        with part.open("ab" if goes_on else "wb") as file:
            progress(here, total)
            for piece in response.iter_raw():
                file.write(piece)
                here += len(piece)
                progress(here, total)
                if wanted.exact and 0 < wanted.size < here:
                    break  # more bytes than the file has: the check will refuse it
                if stop():
                    raise Stopped(f"{wanted.name} is not complete yet; it goes on from here next time.")
            file.flush()
            os.fsync(file.fileno())
        if here < total and (length or wanted.exact):
            raise httpx.RemoteProtocolError("the connection ended early", request=response.request)


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    return _digest(path, hashlib.sha256())


def git_sha1(path: Path) -> str:
    """The name git gives a file's bytes, hexadecimal: the hub's ETag of files outside LFS."""
    return _digest(path, hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False))


def _digest(path: Path, state: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            state.update(piece)
    return state.hexdigest()


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 18 else 0


def _certificates() -> ssl.SSLContext | bool:
    """The certificate authorities to trust: from the variables that `requests` reads and httpx does not read."""
    if "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ:
        return True
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or ""
    if os.path.isdir(bundle):
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle) if os.path.isfile(bundle) else True
