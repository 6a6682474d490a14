"""A numbered, bounded log of events, which many readers may follow from any point.

Events are stored as JSON text, which takes a tenth of the memory of Python objects.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

IMAGES_KEPT = 500
FAILURES_KEPT = 500
OTHERS_KEPT = 200

Entry = tuple[int, str]
"""An event's number and its JSON."""


class EventLog:
    """The events of one job or task, numbered from 1. Safe to use from any thread.

    The last 500 images, the last 500 failures and the last 200 other events are kept.
    """

    poll_seconds = 1.0
    """After how long a reader looks again, should nobody have woken it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._images: deque[Entry] = deque(maxlen=IMAGES_KEPT)
        self._failures: deque[Entry] = deque(maxlen=FAILURES_KEPT)
        self._others: deque[Entry] = deque(maxlen=OTHERS_KEPT)
        self._last_kind = ""
        self._listeners: list[Callable[[], None]] = []
        self.last = 0
        self.closed = False

    def append(self, event: Mapping[str, Any], *, replace: bool = False) -> int:
        """Add an event (JSON values, `event` says of which kind); returns its number, which it carries as `n`.

        `replace`: it replaces the event before it if that has the same kind (progress).
        """
        kind = str(event.get("event", ""))
        with self._lock:
            n = self.last + 1
            text = json.dumps({**event, "n": n}, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
            where = {"image": self._images, "failed": self._failures, "incomplete": self._failures}.get(
                kind, self._others
            )
            if replace and kind == self._last_kind and where:
                where.pop()
            where.append((n, text))
            self.last, self._last_kind = n, kind
        self._wake()
        return n

    def close(self, keep: int = IMAGES_KEPT) -> None:
        """No more events come. `keep`: how many images are remembered from now on."""
        with self._lock:
            self.closed = True
            self._images = deque(self._images, maxlen=max(1, keep))
            self._failures = deque(self._failures, maxlen=max(1, keep))
        self._wake()

    def trim(self, keep: int) -> None:
        """Remember fewer images and failures of a job that is over."""
        self.close(keep)

    def after(self, n: int) -> list[Entry]:
        """The stored events after number `n`, in order."""
        with self._lock:
            if n >= self.last:
                return []
            found = [e for where in (self._images, self._failures, self._others) for e in where if e[0] > n]
        return sorted(found)

    @contextmanager
    def listening(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call `wake()` after each event and at the end, from any thread."""
        with self._lock:
            self._listeners.append(wake)
        try:
            yield
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._listeners.remove(wake)

    def _wake(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for wake in listeners:
            wake()
