"""This extension's axes in the WebUI's XYZ plot.

An axis writes what its value is to `p.prompt_extend_overrides`, and the run reads it (`overridden`): the plot makes
a copy of `p` for each picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from lib_extend.generation.cast import LETTERS
from lib_extend.generation.expansion import LENGTHS
from lib_extend.generation.library import Library
from lib_extend.generation.overrides import LORA_WEIGHTS, length_of, mode_of
from lib_extend.generation.overrides import overridden as with_overrides
from lib_extend.generation.panel import Panel
from lib_extend.host import paths
from lib_extend.host.detect import module

ATTRIBUTE = "prompt_extend_overrides"
PREFIX = "[Prompt Extend] "
SWITCH = ("on", "off")
_FILES = ("xyz_grid.py", "xy_grid.py")
_WEIGHTS = {
    "background weight": ("background_weight", -5.0, 5.0),
    "separation weight": ("separation_weight", -5.0, 5.0),
    "base weight": ("base_weight", 0.0, 1.0),
    "expansion temperature": ("expansion_temperature", 0.01, 10.0),
    **{
        f"LoRA weight of {letter}": (name, -5.0, 5.0)
        for letter, name in zip(LETTERS, LORA_WEIGHTS, strict=True)
    },
}
"""Label → name of the value, lowest, highest."""
_ROUNDING = 1e-6
"""By so much the plot's ranges (`0-1 (+0.1)`) may end beyond."""


def register() -> bool:
    """Add the axes to the plot, once for each loading of its script; False where the WebUI has none.

    Call it when all scripts are loaded (`on_before_ui`), again at every "Reload UI".
    """
    plot = _plot()
    if plot is None:
        return False
    here = {getattr(option, "label", "") for option in plot.axis_options}
    plot.axis_options.extend(axis for axis in _axes(plot.AxisOption) if axis.label not in here)
    return True


def overridden(panel: Panel, p: Any) -> Panel:
    """The panel with the running plot's values for this picture. Raises FieldError."""
    overrides = getattr(p, ATTRIBUTE, None)
    return with_overrides(panel, overrides, _library()) if overrides else panel


def _axes(option: Any) -> list[Any]:
    """`option` is the plot's AxisOption(label, type, apply, confirm=…, choices=…)."""
    axes = [
        option(f"{PREFIX}{label}", float, _put(name, _cut(low, high)), confirm=_between(label, low, high))
        for label, (name, low, high) in _WEIGHTS.items()
    ]
    axes.append(
        option(
            f"{PREFIX}regions", str, _put("mode", mode_of), confirm=_switches, choices=lambda: list(SWITCH)
        )
    )
    axes.append(
        option(f"{PREFIX}cast", str, _put("cast"), confirm=_saved, choices=lambda: _library().casts.names())
    )
    axes.append(
        option(
            f"{PREFIX}expansion length",
            str,
            _put("expansion_length", length_of),
            confirm=_lengths,
            choices=lambda: list(LENGTHS),
        )
    )
    axes.append(option(f"{PREFIX}expander", str, _put("expander")))
    return axes


def _put(name: str, value_of: Callable[[Any], Any] = lambda x: x) -> Callable[[Any, Any, Any], None]:
    def apply(p: Any, x: Any, xs: Any) -> None:
        # not into the existing dict, because copies of `p` share it
        setattr(p, ATTRIBUTE, {**(getattr(p, ATTRIBUTE, None) or {}), name: value_of(x)})

    return apply


def _cut(low: float, high: float) -> Callable[[Any], Any]:
    return lambda x: min(max(x, low), high)


def _between(label: str, low: float, high: float) -> Callable[[Any, Any], None]:
    def confirm(p: Any, xs: Any) -> None:
        for x in xs:
            if not low - _ROUNDING <= x <= high + _ROUNDING:
                raise ValueError(f"{PREFIX}{label} is {x:g}, but must be {low:g} to {high:g}.")

    return confirm


def _switches(p: Any, xs: Any) -> None:
    for x in xs:
        mode_of(x)


def _lengths(p: Any, xs: Any) -> None:
    for x in xs:
        length_of(x)


def _saved(p: Any, xs: Any) -> None:
    for x in xs:
        _library().casts.load(x)


def _library() -> Library:
    return Library(paths.data_folder())


def _plot() -> Any:
    """The module of the plot's script."""
    for data in getattr(module("modules.scripts"), "scripts_data", ()):
        found = getattr(data, "module", None)
        if os.path.basename(str(getattr(data, "path", ""))) in _FILES and _is_plot(found):
            return found
    return None


def _is_plot(found: Any) -> bool:
    return isinstance(getattr(found, "axis_options", None), list) and callable(
        getattr(found, "AxisOption", None)
    )
