"""How far the first look through a folder is, as numbered events."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from lib_extend.datasets.browse import Browser


class ScanEvents:
    """The events of one reader: looked for, as a folder says nothing of its own accord. See `event_log.EventLog`."""

    poll_seconds = 0.2
    """Seconds between two looks."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._told: tuple[int, dict[str, Any]] = (0, {})  # the last event: its number and what it says

    @property
    def closed(self) -> bool:
        """Whether the folder is known, or cannot be."""
        status = self._browser.status()
        return bool(status.ready or status.error)

    def after(self, n: int) -> list[tuple[int, str]]:
        """How far it is now, as event number `n` + 1; nothing where event `n` said the same. May be asked twice."""
        now = self._now()
        number, told = self._told
        if now == told and n >= number:
            return []
        self._told = (n + 1, now)
        return [(n + 1, json.dumps({"n": n + 1, **now}))]

    def listening(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Nobody wakes the reader: it looks."""
        return contextlib.nullcontext()

    def _now(self) -> dict[str, Any]:
        status = self._browser.status()
        if status.error:
            return {"error": status.error}
        if status.ready:
            return {"ready": True, "images": status.images, "generation": status.generation}
        return {"done": status.done, "total": status.total}
