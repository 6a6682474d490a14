"""The parts of an analysis, found by their folder."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lib_extend import parts as folder
from lib_extend.parts.part import Part

if TYPE_CHECKING:
    from lib_extend.analysis.making import Maker, Workplace


@functools.cache
def parts() -> Mapping[str, Part]:
    """Every part by its name; those that a part needs come before it.

    Raises ValueError when a part needs one that there is not, or parts need each other in a circle.
    """
    found: dict[str, Part] = {}
    for module in sorted(pkgutil.iter_modules(folder.__path__), key=lambda m: m.name):
        part = getattr(importlib.import_module(f"{folder.__name__}.{module.name}"), "PART", None)
        if isinstance(part, Part):
            found[part.name] = part
    ordered: dict[str, Part] = {}
    while len(ordered) < len(found):
        free = [p for p in found.values() if p.name not in ordered and all(n in ordered for n in p.needs)]
        if not free:
            rest = ", ".join(sorted(found.keys() - ordered.keys()))
            raise ValueError(f"The parts {rest} need each other in a circle, or a part that there is not.")
        ordered.update((p.name, p) for p in free)
    return MappingProxyType(ordered)


def to_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of parts, by the parts' names, as JSON values."""
    table = parts()
    return {name: table[name].to_json(value) for name, value in values.items()}


def from_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `to_json`. Raises KeyError for a part that there is not."""
    table = parts()
    return {name: table[name].from_json(value) for name, value in data.items()}


def makers(workplace: Workplace) -> dict[str, Maker]:
    """What makes each part with the models at hand, in the parts' order. In the worker's process only."""
    made = ((name, part.maker(workplace)) for name, part in parts().items())
    return {name: maker for name, maker in made if maker is not None}
