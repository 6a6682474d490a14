"""Presets: named settings, one JSON file each, which the user owns, copies and shares."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.errors import UserError
from lib_extend.files.named_files import RESERVED, FileFormat, NamedFiles
from lib_extend.services import messages

_NAME = re.compile(r'[^/\\:*?"<>|\x00-\x1f\x7f\ud800-\udfff\ufffd]{1,64}')


class PresetStore:
    """The presets in a folder."""

    def __init__(self, folder: Path) -> None:
        format: FileFormat[TagConfig] = FileFormat("preset", ".json", _write, _read, _clean)
        self._files = NamedFiles(folder, format)

    def all(self) -> list[dict[str, Any]]:
        """`name` and `config` of each, by name; `problem` where its file cannot be used."""
        return [
            {"name": name, "config": {}, "problem": str(found)}
            if isinstance(found, UserError)
            else _row(name, found)
            for name, found in self._files.all()
        ]

    def get(self, name: str) -> dict[str, Any]:
        """`name` and `config` (the settings that differ from their defaults). Raises as `NamedFiles.load` does."""
        return _row(name, self._files.load(name))

    def put(self, name: str, config: TagConfig) -> dict[str, Any]:
        """Save a preset, replacing one of that name. Raises as `NamedFiles.save` does."""
        self._files.save(name, config, overwrite=True)
        return _row(name, config)

    def add(self, name: str, config: TagConfig) -> dict[str, Any]:
        """Save a preset from somewhere else under a name that is free: "mine", else "mine 2", …"""
        return _row(self._files.add(name, config), config)

    def delete(self, name: str) -> None:
        """Remove a preset. Raises NotFoundError."""
        self._files.delete(name)


def _row(name: str, config: TagConfig) -> dict[str, Any]:
    return {"name": name, "config": config.changed()}


def _write(name: str, config: TagConfig) -> str:
    return json.dumps({"prompt_extend": 1, "config": config.changed()}, indent=1) + "\n"


def _read(text: str, stem: str) -> tuple[str, TagConfig]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("cannot be read (it is no JSON)") from None
    if not isinstance(data, dict) or not isinstance(data.get("config"), dict):
        raise ValueError("cannot be read (it is no preset)")
    return stem, TagConfig.from_dict(data["config"])


def _clean(name: str) -> str:
    plain = name.strip(" .") == name and _NAME.fullmatch(name)
    if not plain or RESERVED.fullmatch(name):
        raise messages.PRESET_NAME.error(field="name")
    return name
