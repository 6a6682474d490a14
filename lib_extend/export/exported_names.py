"""Safe names for exported files: they work in every trainer, system and archive."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)
_LONGEST = 100
MASKS = ("-masklabel", "-condlabel")
"""Endings that OneTrainer takes for masks."""


def plain(text: str, fallback: str) -> str:
    """A text in letters, digits, `-`, `_` and `.` that every system takes for a name."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    name = _ODD.sub("-", folded).strip("-._")[:_LONGEST].strip("-._")
    if len(folded.strip()) * 2 < len(text.strip()):
        name = ""  # if the letters cannot be kept, digits alone are not a useful name
    return fallback if not name or _DEVICES.match(name) else name


class Names:
    """Gives each picture of a folder a stem of its own, whatever case its letters have."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def stem(self, name: str) -> str:
        """A stem for the picture `name` that none had yet, as near to its own as can be."""
        stem = plain(PurePosixPath(name).stem, "picture")
        if len(stem.split("_")) >= 5:
            stem = stem.replace("_", "-")  # sd-scripts takes four parts at the end for a face's place
        for ending in MASKS:
            stem = stem.removesuffix(ending) or "picture"
        unique, n = stem, 1
        while unique.lower() in self._taken:
            n += 1
            unique = f"{stem}-{n}"
        self._taken.add(unique.lower())
        return unique
