"""Write a small file of the program completely, or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_text(file: Path, text: str) -> None:
    """Write a text in UTF-8; after a crash the file is either the new one, complete, or the old one. Raises OSError."""
    temporary = file.with_name(f".{secrets.token_hex(8)}.tmp")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, file)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_json(file: Path, value: Any) -> None:
    """Write a JSON value, readable by people. Raises OSError."""
    write_text(file, json.dumps(value, indent=1))
