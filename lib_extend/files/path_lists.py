"""Names or folders in one text, with commas between them."""

from __future__ import annotations

from pathlib import Path


def listed(text: str) -> list[str]:
    """The names and folders, each once. A text that is a folder's path is one entry, also with commas in it."""
    try:
        if "," not in text or Path(text).expanduser().is_dir():
            return [text]
    except (OSError, ValueError, RuntimeError):  # too long for a path, a null byte, an unknown ~user
        pass
    return list(dict.fromkeys(n for name in text.split(",") if (n := name.strip()))) or [text]
