"""How a picture of the extensions z-tipo and DanTagGen was expanded, out of its infotext: settings for ours.

Their entry is JSON with its quotes swapped. The picture's prompt stays as it is: it has the added tags already.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lib_extend.generation.expansion import LENGTHS, Expansion
from lib_extend.generation.value_checks import FieldError

KEYS = ("TIPO Parameters", "DTG Parameters")
_LONGEST = 20_000
_SWAPPED = str.maketrans("'\"", "\"'")
_MODEL = re.compile(r"tipo-\d+m(?:-ft2?)?(?![a-z0-9])|dantaggen-(?:alpha|beta|gamma|delta(?:-rev2)?)")


def expansion_of(entries: Mapping[str, Any]) -> Expansion | None:
    """How a picture was expanded by one of these extensions, as far as it can be read; None where it was not.

    Args:
        entries: the host's parsed infotext.
    """
    text = next((entries[key] for key in KEYS if isinstance(entries.get(key), str)), None)
    if text is None:
        return None
    given = _parsed(text)
    made = Expansion()
    for name, value in (
        ("when", "generation" if "after" in str(given.get("timing", "")).lower() else "shown"),
        ("length", _length(given.get("tag_length", given.get("total_tag_length")))),
        ("to", _wanted(str(given.get("format_selected", "")))),
        ("ban", given.get("ban_tags")),
        ("temperature", given.get("temperature")),
        ("top_p", given.get("top_p")),
        ("top_k", given.get("top_k")),
        ("expander", _expander(str(given.get("model", "")))),
    ):
        made = _with(made, name, value)
    return made


def _parsed(text: str) -> dict[str, Any]:
    if len(text) <= _LONGEST:
        # a ban list with an apostrophe breaks theirs: what can be read is better than nothing
        for candidate in (text.translate(_SWAPPED), text):
            try:
                found = json.loads(candidate)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                return found
    return {}


def _with(expansion: Expansion, name: str, value: Any) -> Expansion:
    """The expansion with a value, or as it is where the value is none of ours."""
    if value in (None, ""):
        return expansion
    try:
        return Expansion.from_json({**expansion.to_json(), name: value})
    except FieldError:
        return expansion


def _length(value: Any) -> str:
    name = str(value or "").strip().lower().replace(" ", "_")
    return name if name in LENGTHS else ""


def _wanted(form: str) -> str:
    form = form.lower()
    if form.startswith("nl only"):
        return "prose"
    return "both" if form.startswith("both") else "tags" if form.startswith("tag") else ""


def _expander(model: str) -> str:
    match = _MODEL.search(model.lower())
    return match[0] if match else ""
