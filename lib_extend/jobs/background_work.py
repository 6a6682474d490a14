"""Run work in a thread while another thread takes its results in batches and may leave at any time."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from lib_extend.errors import Stopped

Put = Callable[[Any], None]


def pump(
    work: Callable[[Put], None], stop: threading.Event, most: int, gather: float = 0.0
) -> Iterator[list[Any]]:
    """Run `work(put)` in a thread and yield the items it puts, as lists of up to `most` items.

    Args:
        gather: seconds that the first item of a list waits for others, so that there are fewer lists.

    Raises:
        Stopped: `stop` was set; the thread is left to end by itself.
        whatever `work` raises, after what it had put.
    """
    end = object()
    items: queue.Queue[Any] = queue.Queue(maxsize=4 * most)
    failure: list[BaseException] = []

    def put(item: Any) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                items.put(item, timeout=0.1)
                return

    def target() -> None:
        try:
            work(put)
        except BaseException as e:  # noqa: BLE001 - raised again by whoever takes the results
            failure.append(e)
        finally:
            put(end)

    thread = threading.Thread(target=target, name="prompt-extend-job", daemon=True)
    thread.start()
    ended = False
    while not ended:
        if stop.is_set():
            raise Stopped("Stopped; what is done is kept.")
        try:
            # short, so that a stop is noticed soon, on Windows too
            batch = [items.get(timeout=0.1)]
        except queue.Empty:
            continue
        until = time.monotonic() + gather
        while len(batch) < most and batch[-1] is not end and not stop.is_set():
            left = until - time.monotonic()
            try:
                batch.append(items.get(block=left > 0, timeout=max(0.0, min(left, 0.1))))
            except queue.Empty:
                if left <= 0:
                    break
        ended = batch[-1] is end
        if ended:
            batch.pop()
        if batch:
            yield batch
    thread.join()
    if failure:
        raise failure[0]
