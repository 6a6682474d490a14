"""A few threads that do the newest request first, because older ones are for pictures that were scrolled away."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

MOST_WAITING = 500


class LifoExecutor:
    """`submit` like an executor's. Threads are made when needed and end with the process."""

    def __init__(self, threads: int, *, most_waiting: int = MOST_WAITING) -> None:
        self._threads = threads
        self._most = most_waiting
        self._running = 0
        self._idle = 0
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """The future result of `work`; cancelled when too much newer work came in between."""
        future: Future[T] = Future()
        dropped = None
        with self._changed:
            self._waiting.append((future, work))
            if len(self._waiting) > self._most:
                dropped = self._waiting.popleft()[0]
            if not self._idle and self._running < self._threads:
                self._running += 1
                threading.Thread(target=self._work, name="prompt-extend-thumbnails", daemon=True).start()
            self._changed.notify()
        if dropped is not None:
            dropped.cancel()
        return future

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._waiting:
                    self._changed.wait()
                self._idle -= 1
                future, work = self._waiting.pop()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except Exception as e:  # noqa: BLE001 - handed to whoever waits
                future.set_exception(e)
            del future, work
