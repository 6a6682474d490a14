"""Remove the invisible marks of a cast's texts (`generation.marks`) from other code's copies of a prompt.

While a run's prompts carry the cast, other code may copy them: the WebUI's comments, or a script that restores the
earlier prompts. The marks and the text between them are removed from such copies, in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from lib_extend.generation import marks

Plain = Callable[[str], str]


def plain(text: str) -> str:
    """A prompt without the cast that it carries: the user's own."""
    return marks.taken(text)


def clean(owner: Any, *, but: Iterable[str] = (), only: slice | None = None) -> list[str]:
    """Takes the marks out of an object's texts, lists of texts and mappings to texts.

    Args:
        but: names of attributes that are left alone. only: of lists, these places alone.

    Returns:
        the new texts, each that was changed.
    """
    changed: list[str] = []
    left = set(but)
    for name, value in list(_attributes(owner).items()):
        if name in left:
            continue
        if isinstance(value, str) and marks.is_carrying(value):
            changed.append(plain(value))
            setattr(owner, name, changed[-1])
        elif isinstance(value, list):
            changed += _clean_list(value, only)
        elif isinstance(value, MutableMapping):
            changed += clean_mapping(value)
    return changed


def clean_mapping(values: MutableMapping[Any, Any]) -> list[str]:
    """The same for the values of a mapping."""
    changed = []
    for key, value in list(values.items()):
        if isinstance(value, str) and marks.is_carrying(value):
            values[key] = plain(value)
            changed.append(values[key])
    return changed


def clean_scripts(runner: Any, *, only: slice | None = None) -> dict[str, str]:
    """Removes the marks from the attributes of the scripts in a WebUI's runner (`p.scripts`).

    Returns:
        new text → the title of the script that has it.
    """
    kept: dict[str, str] = {}
    for script in getattr(runner, "scripts", None) or ():
        for text in clean(script, only=only):
            kept.setdefault(text, _title(script))
    return kept


def _clean_list(values: list[Any], only: slice | None) -> list[str]:
    places = range(len(values))[only] if only is not None else range(len(values))
    changed = []
    for i in places:
        if isinstance(values[i], str) and marks.is_carrying(values[i]):
            values[i] = plain(values[i])
            changed.append(values[i])
    return changed


def _attributes(owner: Any) -> Mapping[str, Any]:
    return getattr(owner, "__dict__", {})


def _title(script: Any) -> str:
    try:
        return str(script.title()) or type(script).__name__
    except Exception:  # noqa: BLE001 - somebody else's code, and only a name
        return type(script).__name__
