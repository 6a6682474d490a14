"""What a folder holds, told at once; the folders one can go to; the folders used last."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import string
import threading
import time
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError
from lib_extend.files.scan import CAPTION_SUFFIX, IMAGE_SUFFIXES, walk

SAMPLED = 200
"""Pictures whose size in pixels is read when a folder is opened."""
RECENT = 20
FOLDERS = 2000
"""Subfolders listed at the most."""
_LOOK = 0.5
"""Seconds spent on counting pictures in the subfolders of one folder."""


def contents(root: Path, *, recursive: bool) -> dict[str, Any]:
    """`images`, `captions` (images that have one), `bytes` and `sizes` of a folder.

    `sizes`: smallest, median and largest [width, height] of up to 200 pictures, by area; `sampled` says how many.
    """
    images: list[tuple[str, int]] = []
    texts: set[str] = set()
    for name, size, _ in walk(root, IMAGE_SUFFIXES | {CAPTION_SUFFIX}, recursive=recursive):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() == CAPTION_SUFFIX:
            texts.add(os.path.normcase(stem))
        else:
            images.append((name, size))
    captions = sum(os.path.normcase(os.path.splitext(n)[0]) in texts for n, _ in images)
    return {
        "images": len(images),
        "captions": captions,
        "bytes": sum(size for _, size in images),
        "sizes": _sizes(root, sorted(n for n, _ in images)),
    }


def _sizes(root: Path, names: list[str]) -> dict[str, Any]:
    step = max(1, len(names) // SAMPLED)
    found = [s for s in (_pixels(root / n) for n in names[::step][:SAMPLED]) if s is not None]
    found.sort(key=lambda s: s[0] * s[1])
    if not found:
        return {"sampled": 0}
    middle = found[len(found) // 2]
    return {"sampled": len(found), "smallest": found[0], "median": middle, "largest": found[-1]}


def _pixels(path: Path) -> list[int] | None:
    """Width and height by the file's head, upright or not; None when it is no picture."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return [int(picture.width), int(picture.height)]
    except Exception:  # noqa: BLE001 - whatever a damaged file makes of Pillow, it is one picture less
        return None


def subfolders(path: Path) -> list[dict[str, Any]]:
    """The folders in a folder: `name`, `path`, and `images` in each (None where counting would take long).

    Raises UserError when it cannot be listed.
    """
    try:
        with os.scandir(path) as entries:
            names = sorted((e.name for e in entries if _is_folder(e)), key=lambda n: (n.casefold(), n))
    except OSError as error:
        raise UserError(f"{path} cannot be listed ({error.strerror}): choose another folder.") from None
    end = time.monotonic() + _LOOK
    return [
        {"name": n, "path": str(path / n), "images": _count(path / n, end)} for n in names[:FOLDERS]
    ]  # fmt: skip


def starts(home: Path) -> list[dict[str, Any]]:
    """Where looking for a folder begins: the user's own and the drives."""
    places = [home]
    if os.name == "nt":
        places += [
            Path(f"{letter}:\\") for letter in string.ascii_uppercase if os.path.exists(f"{letter}:\\")
        ]
    else:
        places.append(Path("/"))
    return [{"name": str(p), "path": str(p), "images": None} for p in places]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with contextlib.suppress(OSError):
        return not entry.name.startswith(".") and entry.is_dir()
    return False


def _count(folder: Path, end: float) -> int | None:
    count = 0
    try:
        with os.scandir(folder) as entries:
            for i, entry in enumerate(entries):
                if i % 256 == 0 and time.monotonic() > end:
                    return None
                count += os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES
    except OSError:
        return None
    return count


class Recent:
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
        """Take a folder off the list; nothing of it is touched."""
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
        with contextlib.suppress(OSError):  # that a folder is not remembered is no reason to fail
            write_json(self._file, rows)


def write_json(file: Path, value: Any) -> None:
    """Write a small file of ours as JSON, whole or not at all. Raises OSError."""
    write_text(file, json.dumps(value, indent=1))


def write_text(file: Path, text: str) -> None:
    """Write a small file of ours, whole or not at all. Raises OSError."""
    temp = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temp.write_text(text, encoding="utf-8")
        temp.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            temp.unlink()
        raise
