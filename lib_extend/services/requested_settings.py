"""The settings that a request names: a description of all settings, and checks of who may set which."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib_extend.captions.style import Style
from lib_extend.captions.style_table import styles
from lib_extend.config import LETTERED, TEMPLATE_FIELDS, Setting, TagConfig, format_names, settings
from lib_extend.errors import ForbiddenError, UserError
from lib_extend.services import messages
from lib_extend.services.open_folders import FolderBook

_TYPES = {str: "text", int: "integer", float: "number", bool: "flag", list: "list"}


def described() -> dict[str, Any]:
    """Every setting with all that a form needs, the groups in their order, and what the caption's format may be."""
    all_settings = settings(TagConfig)
    used = dict.fromkeys(s.group for s in all_settings)
    return {
        "settings": [_described(s) for s in all_settings],
        "groups": [{"name": g, "title": messages.GROUPS.get(g, g)} for g in used],
        "formats": {
            "names": format_names(),
            "lettered": LETTERED,
            "fields": TEMPLATE_FIELDS,
            "styles": [_style(s) for s in styles().values()],
        },
    }


def _style(style: Style) -> dict[str, Any]:
    return {
        "name": style.name,
        "title": style.title,
        "example": style.help,
        "needs": list(style.needs),
        "fallback": style.fallback,
        "protection": dataclasses.asdict(style.protection),
    }


def _described(s: Setting) -> dict[str, Any]:
    return {
        "name": s.name,
        "type": _TYPES[s.type],
        "optional": s.optional,
        "default": list(s.default) if isinstance(s.default, tuple) else s.default,
        "label": s.label,
        "help": s.help,
        "group": s.group,
        "low": s.low,
        "high": s.high,
        "choices": None if s.choices is None else list(s.choices),
        "metavar": s.metavar,
        "recompose": s.recompose,
    }


def config_of(values: Mapping[str, Any], folders: FolderBook, models_dir: str = "") -> TagConfig:
    """The settings a request names, over the defaults.

    Args:
        models_dir: where downloads are, unless the request says.

    Raises UserError naming the setting: unknown, wrong, or a path that may not be used here.
    """
    config = TagConfig.from_dict(values)
    _check_paths(config, folders)
    return config if config.models_dir or not models_dir else config.with_(models_dir=models_dir)


def _check_paths(config: TagConfig, folders: FolderBook) -> None:
    """On a server that others can reach, settings may name no file, folder or address of its owner's."""
    if folders.free:
        return
    for name in ("tagger", "vlm", "detector"):
        check_model(folders, getattr(config, name), name)
    if config.models_dir:
        _resolve(folders, config.models_dir, "models_dir")
    for name in ("blacklist", "overlap", "character_tags", "aliases"):
        for file in getattr(config, name):
            _resolve(folders, file, name)
    if config.core_file:
        _resolve(folders, config.core_file, "core_file")
    for file in config.question_file:
        if not folders.is_ours(file):
            _resolve(folders, file, "question_file")


def check_model(folders: FolderBook, value: str, name: str) -> None:
    """Raises ForbiddenError where `value` names a model by a place that the setting `name` may not name here."""
    if folders.free:
        return
    if "://" in value:
        raise messages.SHARED_MODEL.error(ForbiddenError, name=name, field=name)
    looks_like_path = any(c in value for c in "/\\~:") or value.startswith(".")
    if looks_like_path and not _is_repository(value):
        _resolve(folders, value, name)


def _is_repository(value: str) -> bool:
    """`owner/name`, and no folder of that name in the working directory."""
    return re.fullmatch(r"[\w-]+/[\w.-]+", value) is not None and not Path(value).exists()


def _resolve(folders: FolderBook, value: str, name: str) -> None:
    try:
        folders.resolve(value)
    except UserError as error:
        raise ForbiddenError(f"{name}: {error}", field=name) from None
