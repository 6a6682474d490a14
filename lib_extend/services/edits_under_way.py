"""Running edits of many captions: their progress, and stopping them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Writing:
    """An edit that is being written: how many captions are done, and whether it was told to stop."""

    done: int = 0
    total: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class EditsUnderWay:
    """The edits that are being written, one a folder. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writing: dict[Path, Writing] = {}

    @contextlib.contextmanager
    def writing(self, root: Path) -> Iterator[Writing]:
        """An edit of a folder, while it is written. A second one is refused by the folder's own lock."""
        mine = Writing()
        with self._lock:
            shown = self._writing.setdefault(root, mine)
        try:
            yield mine
        finally:
            with self._lock:
                if shown is mine:
                    del self._writing[root]

    def state(self, root: Path) -> dict[str, Any]:
        """How far the edit of a folder is, as JSON values."""
        with self._lock:
            now = self._writing.get(root)
        if now is None:
            return {"running": False, "done": 0, "total": 0, "stopping": False}
        return {"running": True, "done": now.done, "total": now.total, "stopping": now.stop.is_set()}

    def stop(self, root: Path) -> dict[str, Any]:
        """Stop the edit before the next captions; written captions stay. Returns its state."""
        with self._lock:
            now = self._writing.get(root)
        if now is not None:
            now.stop.set()
        return self.state(root)
