"""The progress of the first scan of a folder, as numbered events."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from lib_extend.datasets.browse import Browser


class ScanEvents:
    """The events for one reader. It polls, because a folder sends no events. See `event_log.EventLog`."""

    poll_seconds = 0.2
    """Seconds between two looks."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._told: tuple[int, dict[str, Any]] = (0, {})  # the last event: its number and what it says

    @property
    def closed(self) -> bool:
        """Whether the scan has ended, also with an error."""
        status = self._browser.status()
        return bool(status.ready or status.error)

    def after(self, n: int) -> list[tuple[int, str]]:
        """The present progress as event number `n` + 1; nothing if event `n` was equal. May be called twice."""
        now = self._now()
        number, told = self._told
        if now == told and n >= number:
            return []
        self._told = (n + 1, now)
        return [(n + 1, json.dumps({"n": n + 1, **now}))]

    def listening(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Does nothing: the reader polls."""
        return contextlib.nullcontext()

    def _now(self) -> dict[str, Any]:
        status = self._browser.status()
        if status.error:
            return {"error": status.error}
        if status.ready:
            return {"ready": True, "images": status.images, "generation": status.generation}
        return {"done": status.done, "total": status.total}
