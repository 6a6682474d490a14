"""Apply the values of an XYZ plot to the panel.

overridden(panel, {"base_weight": 0.2, "cast": "tea"}, library)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib_extend.errors import UserError
from lib_extend.generation.cast import MAX_CHARACTERS, MODES, Cast, Lora
from lib_extend.generation.expansion import LENGTHS, Expansion
from lib_extend.generation.library import Library
from lib_extend.generation.panel import Panel
from lib_extend.generation.value_checks import FieldError

LORA_WEIGHTS = tuple(f"lora_weight_{number}" for number in range(1, MAX_CHARACTERS + 1))
EXPANSION = ("expander", "expansion_length", "expansion_temperature")
NAMES = ("background_weight", "separation_weight", "base_weight", "mode", "cast", *LORA_WEIGHTS, *EXPANSION)
"""`lora_weight_1` …: of a character's LoRAs, -5…5. `background_weight`, `separation_weight`: of the panel's LoRAs, -5…5. `base_weight`: 0…1. `mode`: one of
`cast.MODES`. `cast`: the name of a saved one. `EXPANSION`: with one of these each picture draws its own tags."""


def overridden(panel: Panel, overrides: Mapping[str, Any], library: Library) -> Panel:
    """The panel with these values in place of its own.

    A saved cast switches the panel on; the other values change that cast, or the panel's own where none is named. A
    panel that is off stays off if no saved cast is named.

    Raises:
        FieldError: unknown, out of range, a LoRA's weight without that LoRA, a cast that is not saved.
    """
    for name in overrides:
        if name not in NAMES:
            raise FieldError(str(name)[:40], f"cannot be plotted; these can: {', '.join(NAMES)}")
    if "cast" in overrides:
        panel = replace(panel, cast=_saved(overrides["cast"], library), enabled=True)
    if not panel.enabled:
        return panel
    cast = panel.cast
    changes: dict[str, Any] = {n: overrides[n] for n in ("base_weight", "mode") if n in overrides}
    how = {name.removeprefix("expansion_"): overrides[name] for name in EXPANSION if name in overrides}
    if how:
        try:
            changes["expansion"] = replace(cast.expansion or Expansion(), when="generation", **how)
        except FieldError as error:
            raise error.within("expansion") from None
    for name, lora in (("background", cast.background_lora), ("separation", cast.separation_lora)):
        if f"{name}_weight" in overrides:
            changes[f"{name}_lora"] = _weighted(f"{name}_lora", lora, overrides[f"{name}_weight"])
    characters = list(cast.characters)
    for i, name in enumerate(LORA_WEIGHTS):
        if name in overrides:
            if i >= len(characters) or not characters[i].loras:
                raise FieldError(
                    f"characters[{i}].loras", "has none, so that its LoRA's weight cannot be plotted"
                )
            loras = tuple(
                _weighted(f"characters[{i}].loras", lora, overrides[name]) for lora in characters[i].loras
            )
            characters[i] = replace(characters[i], loras=loras)
    return replace(panel, cast=replace(cast, characters=tuple(characters), **changes))


def _saved(name: Any, library: Library) -> Cast:
    try:
        return library.casts.load(str(name))
    except UserError as error:
        raise FieldError("cast", f"cannot be plotted: {str(error).rstrip('.')}") from None


def _weighted(field: str, lora: Lora | None, weight: Any) -> Lora:
    if lora is None:
        raise FieldError(field, "is not chosen, so that its weight cannot be plotted")
    try:
        return replace(lora, weight=weight)
    except FieldError as error:
        raise error.within(field) from None


def length_of(text: str) -> str:
    """The length for `very short`, `very_short` and the like. Raises FieldError."""
    name = text.strip().lower().replace(" ", "_")
    if name not in LENGTHS:
        raise FieldError("expansion length", f"is {text!r}, but must be one of: {', '.join(LENGTHS)}")
    return name


def mode_of(text: str) -> str:
    """The mode for `on` or `off`. Raises FieldError."""
    modes = dict(zip(("on", "off"), MODES, strict=True))
    found = modes.get(text.strip().lower())
    if found is None:
        raise FieldError("regions", f"is {text!r}, but must be on or off")
    return found
