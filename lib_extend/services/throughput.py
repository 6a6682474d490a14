"""Measure a speed: a job's images or a download's bytes a second."""

from __future__ import annotations

import time
from collections import deque

WINDOW = 20.0
"""Seconds over which it is measured."""


class Throughput:
    """The amount a second, over the last 20 seconds."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()
        self._count = 0

    def add(self, count: int = 1) -> None:
        """Add an amount."""
        self.reach(self._count + count)

    def reach(self, total: int) -> None:
        """Set the total amount."""
        self._count = total
        now = time.monotonic()
        if not self._marks or now - self._marks[-1][0] > 0.25:
            self._marks.append((now, total))
        while len(self._marks) > 2 and now - self._marks[0][0] > WINDOW:
            self._marks.popleft()

    def value(self) -> float | None:
        """None until there is something to measure."""
        marks = list(self._marks)
        if len(marks) < 2:
            return None
        (start, before), now = marks[0], time.monotonic()
        return (self._count - before) / max(now - start, 0.25)
