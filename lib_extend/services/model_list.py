"""The models known by name, and whether they are on this machine."""

from __future__ import annotations

import threading
import time
from typing import Any

from lib_extend.errors import WorkerError
from lib_extend.services import messages
from lib_extend.worker import listing

MODELS_FRESH = 20.0
"""Seconds for which the list of models is not asked for again."""


class ModelList:
    """The models known by name, asked for once in a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def get(self, models_dir: str) -> dict[str, Any]:
        """`taggers`, `vlms` and `detectors`: name, note, bytes, licence, gated, here. Raises WorkerError."""
        with self._lock:
            asked, rows = self._kept.get(models_dir, (0.0, {}))
            if not rows or time.monotonic() - asked > MODELS_FRESH:
                rows = _grouped(models_dir)
                self._kept = {models_dir: (time.monotonic(), rows)}
            return rows


def _grouped(models_dir: str) -> dict[str, Any]:
    try:
        rows = listing.models(models_dir)
    except WorkerError as error:
        raise messages.MODELS_FAILED.error(WorkerError, reason=str(error)) from None
    groups: dict[str, list[dict[str, Any]]] = {"tagger": [], "vlm": [], "detector": []}
    for row in rows:
        groups.setdefault(str(row.pop("kind", "")), []).append(row)
    return {f"{kind}s": found for kind, found in groups.items()}
