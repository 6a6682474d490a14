"""The WebUI's LoRAs for the routes: read at each request, but kept for some seconds between keystrokes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lib_extend.generation.lora_files import Library, LoraInfo

FRESH = 3.0
"""Seconds for which the folders are not looked through again, unless asked for."""


class LoraList:
    """The LoRAs in the folders that `folders` names at the time. A file is read once until it changes."""

    def __init__(self, folders: Callable[[], Sequence[Path]]) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._library = Library(())
        self._found: list[LoraInfo] = []
        self._looked = -FRESH

    def folders(self) -> list[Path]:
        """The WebUI's LoRA folders, the main one first; none outside of a WebUI."""
        return list(self._folders())

    def all(self, *, fresh: bool = False) -> list[LoraInfo]:
        """All LoRAs by name. `fresh`: look through the folders now."""
        with self._lock:
            folders = tuple(self._folders())
            if folders != self._library.folders:
                self._library, fresh = Library(folders), True
            if fresh or time.monotonic() - self._looked >= FRESH:
                self._found = self._library.scan()
                self._looked = time.monotonic()
            return list(self._found)

    def aliases(self) -> dict[str, str]:
        """Other names by which prompts may call a LoRA, in lower case, to its file's."""
        found = self.all()
        names = {x.name.lower() for x in found}
        return {x.alias.lower(): x.name for x in found if x.alias and x.alias.lower() not in names}
