"""How fast a job is."""

from __future__ import annotations

import time
from collections import deque

WINDOW = 20.0
"""Seconds over which images a second are measured."""


class Rate:
    """Images a second over the last 20 seconds."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()
        self._count = 0

    def add(self, images: int = 1) -> None:
        """So many images more."""
        self._count += images
        now = time.monotonic()
        if not self._marks or now - self._marks[-1][0] > 0.25:
            self._marks.append((now, self._count))
        while len(self._marks) > 2 and now - self._marks[0][0] > WINDOW:
            self._marks.popleft()

    def value(self) -> float | None:
        """None until there is something to measure."""
        if len(self._marks) < 2:
            return None
        (start, before), now = self._marks[0], time.monotonic()
        return (self._count - before) / max(now - start, 0.25)
