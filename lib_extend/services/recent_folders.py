"""The folders used last."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path
from typing import Any

from lib_extend.files.atomic_writing import write_json

RECENT = 20


class RecentFolders:
    """The folders used last, newest first, kept in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def rows(self) -> list[dict[str, Any]]:
        """`path`, `name`, `images`, `captions`, `opened` (seconds since the epoch), `recursive`, `unfinished`."""
        with self._lock:
            return self._read()

    def add(self, path: Path, *, recursive: bool, images: int, captions: int) -> None:
        """Put a folder first."""
        row = {
            "path": str(path),
            "name": path.name or str(path),
            "images": images,
            "captions": captions,
            "opened": round(time.time(), 3),
            "recursive": recursive,
            "unfinished": False,
        }
        with self._lock:
            rows = self._read()
            for old in rows:
                if old["path"] == row["path"]:
                    row["unfinished"] = old.get("unfinished", False)
            self._write([row, *(r for r in rows if r["path"] != row["path"])][:RECENT])

    def mark(self, path: Path, *, unfinished: bool) -> None:
        """Note that a job on a folder has begun, or has ended in good order."""
        with self._lock:
            rows = self._read()
            for row in rows:
                if row["path"] == str(path):
                    row["unfinished"] = unfinished
            self._write(rows)

    def forget(self, path: str) -> None:
        """Remove a folder from the list; the folder itself is not changed."""
        with self._lock:
            self._write([r for r in self._read() if r["path"] != path])

    def _read(self) -> list[dict[str, Any]]:
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        rows = rows if isinstance(rows, list) else []
        return [r for r in rows if isinstance(r, dict) and isinstance(r.get("path"), str)]

    def _write(self, rows: list[dict[str, Any]]) -> None:
        with contextlib.suppress(OSError):  # failing to store the list is no error
            write_json(self._file, rows)
