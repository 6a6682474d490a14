"""The models used last, for requests that name no models."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.errors import UserError
from lib_extend.files.atomic_writing import write_json

NAMES = (
    "tagger",
    "device",
    "offline",
    "models_dir",
    "threshold",
    "character_threshold",
    "detector",
    "person_threshold",
    "person_tag_threshold",
    "person_max_overlap",
    "person_min_size",
)
"""The settings that say how persons are found and tagged."""
_LARGEST = 100_000


class LastSettings:
    """These settings in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def remember(self, config: TagConfig) -> None:
        """Store the settings in use."""
        if config.tagger == "none":
            return
        values = _differing(config)
        with self._lock:
            if values != self._read():
                with contextlib.suppress(OSError):  # next time the defaults are taken
                    write_json(self._file, values)

    def values(self) -> dict[str, Any]:
        """Those that differ from their defaults; none where nothing can be read."""
        with self._lock:
            found = self._read()
        try:
            return _differing(TagConfig.from_dict(found))
        except UserError:
            return {}

    def _read(self) -> dict[str, Any]:
        try:
            if self._file.stat().st_size > _LARGEST:
                return {}
            data = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return {k: v for k, v in data.items() if k in NAMES} if isinstance(data, dict) else {}


def _differing(config: TagConfig) -> dict[str, Any]:
    default = TagConfig()
    return {n: getattr(config, n) for n in NAMES if getattr(config, n) != getattr(default, n)}
