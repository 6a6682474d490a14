"""Settings as the text of a file, by the libraries for its format."""

from __future__ import annotations

import json
from typing import Any

from lib_extend.errors import Message

NEEDS_TOMLKIT = Message("needs_tomlkit", "Writing a trainer's TOML needs tomlkit here: pip install tomlkit.")


def toml(value: dict[str, Any]) -> str:
    """A TOML file. Raises UserError where no library writes it (an old WebUI's python)."""
    try:
        import tomlkit
    except ImportError:
        raise NEEDS_TOMLKIT.error() from None
    return tomlkit.dumps(value)


def json_text(value: Any) -> str:
    """A JSON file that people can read and change."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
