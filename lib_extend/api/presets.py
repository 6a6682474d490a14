"""Presets: named settings, one JSON file each, which the user owns, copies and shares."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from lib_extend.api import texts
from lib_extend.api.contents import write_json
from lib_extend.api.errors import ApiError, bad, missing
from lib_extend.config import TagConfig
from lib_extend.errors import UserError

_NAME = re.compile(r'[^/\\:*?"<>|\x00-\x1f\x7f\ud800-\udfff\ufffd]{1,64}')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices."""
_SUFFIX = ".json"
_LARGEST = 1_000_000


class Presets:
    """The presets in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[dict[str, Any]]:
        """`name` and `config` of each, by name; `problem` where its file cannot be read."""
        rows = []
        for name in self._names():
            try:
                rows.append(self.get(name))
            except ApiError as error:
                rows.append({"name": name, "config": {}, "problem": str(error)})
        return rows

    def get(self, name: str) -> dict[str, Any]:
        """`name` and `config` (the settings that differ from their defaults). Raises ApiError (404, 422)."""
        file = self._file(name)
        try:
            if file.stat().st_size > _LARGEST:
                raise ValueError("it is too large")
            data = json.loads(file.read_text(encoding="utf-8"))
            return {"name": name, "config": _settings(data)}
        except FileNotFoundError:
            raise missing(texts.NO_PRESET.format(name=name), "name") from None
        except (OSError, ValueError, RecursionError, UserError) as error:
            raise ApiError(422, texts.PRESET_DAMAGED.format(name=name, reason=error), "name") from None

    def put(self, name: str, config: TagConfig) -> dict[str, Any]:
        """Save a preset, replacing one of that name. Raises ApiError."""
        file = self._file(name)
        settings = config.changed()
        try:
            write_json(file, {"prompt_extend": 1, "config": settings})
        except OSError as error:
            raise ApiError(507, f"{file} cannot be written ({error.strerror}).") from None
        return {"name": name, "config": settings}

    def delete(self, name: str) -> None:
        """Remove a preset. Raises ApiError (404)."""
        try:
            self._file(name).unlink()
        except FileNotFoundError:
            raise missing(texts.NO_PRESET.format(name=name), "name") from None
        except OSError as error:
            raise ApiError(507, f"The preset {name!r} cannot be deleted ({error.strerror}).") from None

    def add(self, name: str, config: TagConfig) -> dict[str, Any]:
        """Save a preset from somewhere else under a name that is free: "mine", else "mine 2", …"""
        taken = {os.path.normcase(n) for n in self._names()}
        free, number = name, 2
        while os.path.normcase(free) in taken:
            free, number = f"{name} {number}", number + 1
        return self.put(free, config)

    def _names(self) -> list[str]:
        try:
            files = sorted(self._folder.iterdir(), key=lambda f: f.name.casefold())
        except OSError:
            return []
        return [f.stem for f in files if f.suffix == _SUFFIX and not f.name.startswith(".")]

    def _file(self, name: str) -> Path:
        plain = name.strip(" .") == name and _NAME.fullmatch(name)
        if not plain or RESERVED.fullmatch(name):
            raise bad(texts.PRESET_NAME, "name")
        return self._folder / f"{name}{_SUFFIX}"


def _settings(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict) or not isinstance(data.get("config"), dict):
        raise ValueError("it is no preset")
    return TagConfig.from_dict(data["config"]).changed()
