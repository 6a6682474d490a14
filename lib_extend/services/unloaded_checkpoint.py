"""Keep the WebUI's checkpoint unloaded while jobs need the memory."""

from __future__ import annotations

import threading
from typing import Protocol


class HostMemory(Protocol):
    """The WebUI's checkpoint, see `host.checkpoint_memory`."""

    def can_unload(self) -> bool: ...

    def unload(self) -> bool: ...

    def bring_back(self) -> bool: ...


class UnloadedCheckpoint:
    """Keeps the WebUI's checkpoint unloaded while at least one job needs that."""

    def __init__(self, host: HostMemory) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._wanted = 0
        self._gone = False

    def begin(self) -> None:
        """Unload it, unless it is unloaded already. Errors of the WebUI go to the caller."""
        with self._lock:
            if not self._wanted:
                self._gone = self._host.can_unload() and self._host.unload()
            self._wanted += 1

    def end(self) -> None:
        """Load it again when no other job needs it unloaded."""
        with self._lock:
            self._wanted -= 1
            if not self._wanted and self._gone:
                self._gone = False
                self._host.bring_back()
