"""The caption styles, found by their folder, and those that a user's template makes."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections.abc import Mapping
from types import MappingProxyType

from lib_extend.captions import styles as folder
from lib_extend.captions.json_objects import template_style
from lib_extend.captions.style import Style
from lib_extend.config import is_json_template

FIRST = "plain"


@functools.cache
def styles() -> Mapping[str, Style]:
    """Every style by its name, the one that is used where nothing is said first, then by name."""
    modules = [
        importlib.import_module(f"{folder.__name__}.{m.name}") for m in pkgutil.iter_modules(folder.__path__)
    ]
    found = [m.STYLE for m in modules if isinstance(getattr(m, "STYLE", None), Style)]
    found.sort(key=lambda s: (s.name != FIRST, s.name))
    return MappingProxyType({s.name: s for s in found})


@functools.lru_cache(maxsize=64)
def style_of(format: str) -> Style:
    """The style that the setting `format` names, or that its template makes."""
    style = styles().get(format)
    if style is not None:
        return style
    if is_json_template(format):
        return template_style(format)
    return Style(
        format,
        "My own",
        format,
        template=format,
        lettered="{persons}" in format,
    )


def marks_of(format: str) -> tuple[str, ...]:
    """What stands between the fields of a template and is no word: ` | ` gives `|`, a comma nothing."""
    between = re.split(r"\{\w+\}", format)[1:-1]
    found = {m.strip() for m in between} - {"", ","}
    return tuple(sorted(m for m in found if not any(c.isalnum() or c == "_" for c in m)))
