"""What the routes of browsing answer: JSON values of runs and changes, and how far a scan is."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from lib_extend.api.streams import QUIET
from lib_extend.datasets.browse import Browser, image_id
from lib_extend.datasets.caption_encodings import CaptionEncodings
from lib_extend.datasets.index_reading import caption_name
from lib_extend.datasets.run_rows import Change, Run
from lib_extend.errors import ImageError

if TYPE_CHECKING:
    from starlette.requests import Request

_STEP = 0.2
"""Seconds between two looks at how far a scan is."""


async def follow(browser: Browser, n: int, closing: Callable[[], bool]) -> AsyncIterator[bytes]:
    """How far a browser is, as server-sent events after number `n`, until the folder is known."""
    before: dict[str, Any] = {}
    said = time.monotonic()
    while not closing():
        event = progress(browser, n + 1)
        if {**event, "n": 0} != before:
            n, said, before = n + 1, time.monotonic(), {**event, "n": 0}
            yield f"id: {n}\ndata: {json.dumps(event)}\n\n".encode()
        elif time.monotonic() - said > QUIET:
            said = time.monotonic()
            yield b": still here\n\n"
        if event.get("ready") or event.get("error"):
            return
        await asyncio.sleep(_STEP)


def names_in(request: Request, ending: str) -> list[str]:
    """The image's name in the address: from the bytes that were sent, then as the server decoded them.

    Decoded as text, bytes that are no UTF-8 are lost; but what was sent may have been rewritten on its way here.
    """
    decoded = str(request.path_params["image"])
    raw = request.scope.get("raw_path")
    where = f"/datasets/{request.path_params['folder']}/".encode("utf-8", "surrogateescape")
    if not isinstance(raw, bytes) or where not in raw:
        return [decoded]
    sent = raw.split(b"?", 1)[0].split(where, 1)[1].partition(b"/")[2]
    return [os.fsdecode(unquote_to_bytes(sent.removesuffix(ending.encode()))), decoded]


def progress(browser: Browser, n: int) -> dict[str, Any]:
    """How far it is, as event number `n`."""
    status = browser.status()
    if status.error:
        return {"n": n, "error": status.error}
    if status.ready:
        return {"n": n, "ready": True, "images": status.images, "generation": status.generation}
    return {"n": n, "done": status.done, "total": status.total}


def stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file, zeros when it is gone."""
    try:
        s = path.stat()
    except OSError:
        return 0, 0  # gone: the placeholder says so
    return s.st_size, s.st_mtime_ns


def run_json(run: Run) -> dict[str, Any]:
    """A run as JSON values."""
    return asdict(run)


def change_json(change: Change, image: str, encodings: CaptionEncodings) -> dict[str, Any]:
    """A change as JSON values; `image` is the caption's image, "" when it is gone."""
    return {
        "name": change.name,
        "image": image or None,
        "id": image_id(image) if image else None,
        "before": _text(change.before, encodings),
        "after": _text(change.after, encodings),
    }


def _text(data: bytes | None, encodings: CaptionEncodings) -> str | None:
    if data is None:
        return None
    try:
        return encodings.decode(data, "")
    except ImageError:
        return data.decode("utf-8", "replace")


def images_of(browser: Browser, captions: set[str]) -> dict[str, str]:
    """The image of each caption, the first by name where there are several."""
    with browser.lock:
        names = [n for n in browser.index.names if n and caption_name(n) in captions]
    return {caption_name(n): n for n in sorted(names, reverse=True)}
