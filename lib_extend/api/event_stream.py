"""Server-sent events over HTTP, until the events end, the reader leaves or the server closes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from lib_extend.api.calls import Events

HEADERS = {
    "Cache-Control": "no-cache, no-store",
    # A1111 compresses answers without a stated encoding, and then delays events until a block is full.
    "Content-Encoding": "identity",
    "X-Accel-Buffering": "no",
}
RETRY = 1000
"""Milliseconds after which a browser connects anew."""
QUIET = 15.0
"""Seconds after which a sign of life is sent."""
GATHER = 0.05
"""Seconds between two writes: many events in a row go out together."""


async def follow(log: Events, after: int, closing: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The events after number `after`, as they come.

    Args:
        closing: whether the server is about to end; it waits for open connections, so they must end themselves.
    """
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(woken.set)

    with log.listening(wake):
        yield f"retry: {RETRY}\n\n".encode()
        said = time.monotonic()
        while not closing():
            woken.clear()
            over = log.closed
            entries = log.after(after)
            if entries:
                after = entries[-1][0]
                said = time.monotonic()
                yield "".join(f"id: {n}\ndata: {text}\n\n" for n, text in entries).encode()
            if over:
                return
            if time.monotonic() - said > QUIET:
                said = time.monotonic()
                yield b": still here\n\n"
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(woken.wait(), log.poll_seconds)
                await asyncio.sleep(GATHER)
