"""The contents of a folder, found quickly, and the folders to choose from."""

from __future__ import annotations

import contextlib
import os
import string
import time
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError
from lib_extend.files.caption_forms import CAPTION_SUFFIXES, candidates
from lib_extend.files.scan import IMAGE_SUFFIXES, walk

SAMPLED = 200
"""Pictures whose size in pixels is read when a folder is opened."""
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
    for name, size, _ in walk(root, IMAGE_SUFFIXES | set(CAPTION_SUFFIXES), recursive=recursive):
        if name.lower().endswith(CAPTION_SUFFIXES):
            if size:
                texts.add(os.path.normcase(name))
        else:
            images.append((name, size))
    captions = sum(any(os.path.normcase(c) in texts for c in candidates(n)) for n, _ in images)
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
    """Width and height by the file's header, before turning; None when it is not a picture."""
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
    """The folders where a search starts: the user's home folder and the drives."""
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
