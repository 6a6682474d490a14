"""The models known by name, and whether they are on this machine."""

from __future__ import annotations

import threading
import time
from pathlib import Path
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
        self._kept: dict[str, tuple[float, dict[str, Any], list[Path]]] = {}

    def get(self, models_dir: str) -> dict[str, Any]:
        """`taggers`, `vlms` and `detectors`: name, note, bytes, licence, gated, here. Raises WorkerError."""
        return self._asked(models_dir)[0]

    def label_files(self, models_dir: str) -> list[Path]:
        """The tables of tags of the taggers that are on this machine. Raises WorkerError."""
        return self._asked(models_dir)[1]

    def _asked(self, models_dir: str) -> tuple[dict[str, Any], list[Path]]:
        with self._lock:
            asked, rows, labels = self._kept.get(models_dir, (0.0, {}, []))
            if not rows or time.monotonic() - asked > MODELS_FRESH:
                rows, labels = _grouped(models_dir)
                self._kept = {models_dir: (time.monotonic(), rows, labels)}
            return rows, labels


def _grouped(models_dir: str) -> tuple[dict[str, Any], list[Path]]:
    try:
        rows = listing.models(models_dir)
    except WorkerError as error:
        raise messages.MODELS_FAILED.error(WorkerError, reason=str(error)) from None
    groups: dict[str, list[dict[str, Any]]] = {"tagger": [], "vlm": [], "detector": []}
    labels: list[Path] = []
    for row in rows:
        # a path of this machine, which the list must not show
        if table := row.pop("labels", ""):
            labels.append(Path(table))
        groups.setdefault(str(row.pop("kind", "")), []).append(row)
    return {f"{kind}s": found for kind, found in groups.items()}, labels
