"""What jobs need of the rest of the server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lib_extend.api.kept import Kept


class Host(Protocol):
    """The WebUI's checkpoint, see `host.memory`."""

    def can_unload(self) -> bool: ...

    def unload(self) -> bool: ...

    def bring_back(self) -> bool: ...


class Away:
    """The WebUI's checkpoint is away while one job or more want it to be."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._wanted = 0
        self._gone = False

    def begin(self) -> None:
        """Unload it, unless it is away already. What the WebUI raises goes to the caller."""
        with self._lock:
            if not self._wanted:
                self._gone = self._host.can_unload() and self._host.unload()
            self._wanted += 1

    def end(self) -> None:
        """Bring it back when nobody else wants it away."""
        with self._lock:
            self._wanted -= 1
            if not self._wanted and self._gone:
                self._gone = False
                self._host.bring_back()


@dataclass
class Hooks:
    """What jobs need of the rest of the server.

    Attributes:
        away: unloads the WebUI's checkpoint. kept: where workers come from, and wait.
        changed: called with a folder and the names of images whose captions were written (None: look at all).
        unfinished: called with a folder and whether a tagging run on it is open.
    """

    away: Away
    kept: Kept
    changed: Callable[[Path, Sequence[str] | None], None] = lambda root, names: None
    unfinished: Callable[[Path, bool], None] = lambda root, unfinished: None
