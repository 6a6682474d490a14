"""What an XYZ plot changes, and its axes in a WebUI's plot script."""

from __future__ import annotations

import copy
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.errors import UserError
from lib_extend.generation.cast import Lora
from lib_extend.generation.expansion import Expansion
from lib_extend.generation.library import Library
from lib_extend.generation.overrides import EXPANSION, NAMES, overridden
from lib_extend.generation.panel import OFF, Panel
from lib_extend.generation.value_checks import FieldError
from lib_extend.host import xyz
from tests.generation.casts import TWO, casts

BOTH = Panel(replace(TWO, background_lora=Lora("bg", 0.5)), check=True, keep_trying=2, main="a cat")
NONE = Library(Path("/nowhere"))


def test_values() -> None:
    values = {"background_weight": 0.7, "separation_weight": -1, "base_weight": 0.1, "mode": "prompt"}
    made = overridden(BOTH, values, NONE)
    assert made.cast == replace(
        BOTH.cast,
        background_lora=Lora("bg", 0.7),
        separation_lora=Lora("separation", -1),
        base_weight=0.1,
        mode="prompt",
    )
    assert replace(made, cast=BOTH.cast) == BOTH
    assert overridden(OFF, values, NONE) == OFF


def test_the_weight_of_a_characters_loras() -> None:
    first, second = TWO.characters
    cast = replace(TWO, characters=(first, replace(second, loras=(Lora("a", 1), Lora("b", 0.5)))))
    made = overridden(Panel(cast), {"lora_weight_2": -0.25}, NONE)
    assert made.cast.characters[1].loras == (Lora("a", -0.25), Lora("b", -0.25))
    assert made.cast.characters[0] == first
    for number, field in ((1, r"characters\[0\]"), (5, r"characters\[4\]")):
        with pytest.raises(FieldError, match=f"{field}.loras has none"):
            overridden(Panel(cast), {f"lora_weight_{number}": 1}, NONE)


def test_a_saved_cast_switches_on_and_is_changed(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.casts.save("tea", replace(TWO, scene="tea party"))
    made = overridden(OFF, {"base_weight": 0.9, "cast": "Tea"}, library)
    assert made.enabled and made.cast == replace(TWO, scene="tea party", base_weight=0.9)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"background_weight": 0.5}, "background_lora"),
        ({"separation_weight": 9}, "separation_lora.weight"),
        ({"base_weight": "x"}, "base_weight"),
        ({"base_weight": float("nan")}, "base_weight"),
        ({"mode": "off"}, "mode"),
        ({"cast": "nothing"}, "cast"),
        ({"end_step": 0.5}, "end_step"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as raised:
        overridden(Panel(TWO), values, NONE)
    assert raised.value.field == field and "\n" not in str(raised.value)


@given(casts(), st.floats(0, 1), st.sampled_from(["regions", "prompt"]))
def test_only_what_is_named_is_changed(cast: Any, weight: float, mode: str) -> None:
    made = overridden(Panel(cast), {"base_weight": weight, "mode": mode}, NONE).cast
    assert replace(made, base_weight=cast.base_weight, mode=cast.mode) == cast
    assert made.base_weight == round(weight, 3) and made.mode == mode
    assert overridden(Panel(cast), {}, NONE) == Panel(cast)


# the plot of a WebUI

ScriptClassData = namedtuple("ScriptClassData", ["script_class", "path", "basedir", "module"])


class AxisOption:
    """As all hosts have it."""

    def __init__(
        self, label: str, type: Any, apply: Any, format_value: Any = None, confirm: Any = None,
        cost: float = 0.0, choices: Any = None, prepare: Any = None,
    ) -> None:  # fmt: skip
        self.label, self.type, self.apply, self.confirm, self.choices = label, type, apply, confirm, choices


def plot_module() -> ModuleType:
    plot = ModuleType("xyz_grid.py")
    plot.AxisOption = AxisOption  # type: ignore[attr-defined]
    plot.axis_options = [AxisOption("Nothing", str, None)]  # type: ignore[attr-defined]
    return plot


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ScriptClassData]:
    """A WebUI's `scripts_data`."""
    scripts = ModuleType("modules.scripts")
    data: list[ScriptClassData] = []
    scripts.scripts_data = data  # type: ignore[attr-defined]
    for name, made in (
        ("modules", ModuleType("modules")),
        ("modules.script_callbacks", ModuleType("modules.script_callbacks")),
        ("modules.scripts", scripts),
    ):
        monkeypatch.setitem(sys.modules, name, made)
    monkeypatch.setenv("PROMPT_EXTEND_DATA", str(tmp_path))
    return data


def load(host: list[ScriptClassData]) -> ModuleType:
    """The WebUI loads its scripts, as at a "Reload UI"."""
    plot = plot_module()
    other = SimpleNamespace(axis_options=[], AxisOption=AxisOption)
    host[:] = [
        ScriptClassData(object, "/webui/scripts/img2imgalt.py", "/webui", other),
        ScriptClassData(object, str(Path("/webui/scripts/xyz_grid.py")), "/webui", plot),
    ]
    return plot


def test_axes_are_added_once(host: list[ScriptClassData]) -> None:
    assert not xyz.register()
    plot = load(host)
    assert xyz.register() and xyz.register()
    labels = [a.label for a in plot.axis_options]
    assert labels == ["Nothing", *(f"[Prompt Extend] {n}" for n in (
        "background weight", "separation weight", "base weight", "expansion temperature", *(f"LoRA weight of {x}" for x in "αβγδε"),
        "regions", "cast", "expansion length", "expander",
    ))]  # fmt: skip
    again = load(host)
    assert xyz.register() and [a.label for a in again.axis_options] == labels


def test_an_axis_of_the_expansion_lets_each_picture_draw(host: list[ScriptClassData]) -> None:
    plot = load(host)
    xyz.register()
    axis = {a.label.removeprefix("[Prompt Extend] "): a for a in plot.axis_options}
    p = SimpleNamespace()
    axis["expansion length"].apply(p, "very long", [])
    axis["expansion temperature"].apply(p, 1.5, [])
    axis["expander"].apply(p, "dantaggen-delta", [])
    expansion = xyz.overridden(Panel(), p).cast.expansion
    assert expansion == Expansion(
        "generation", expander="dantaggen-delta", length="very_long", temperature=1.5
    )
    with pytest.raises(FieldError, match="very_short, short"):
        axis["expansion length"].confirm(p, ["huge"])


def test_a_plot_over_two_axes(host: list[ScriptClassData], tmp_path: Path) -> None:
    Library(tmp_path).casts.save("tea", TWO)
    plot = load(host)
    xyz.register()
    axes = {a.label.removeprefix("[Prompt Extend] "): a for a in plot.axis_options}
    weight, cast, regions = axes["base weight"], axes["cast"], axes["regions"]
    assert cast.choices() == ["tea"] and regions.choices() == ["on", "off"]
    p = SimpleNamespace()
    seen = []
    for x in (0.1, 0.6):
        for y in ("on", "off"):
            one = copy.copy(p)  # the plot makes a copy for each picture
            weight.apply(one, x, [0.1, 0.6])
            cast.apply(one, "tea", ["tea"])
            regions.apply(one, y, ["on", "off"])
            made = xyz.overridden(OFF, one).cast
            seen.append((made.base_weight, made.mode, len(made.characters)))
    assert seen == [(0.1, "regions", 2), (0.1, "prompt", 2), (0.6, "regions", 2), (0.6, "prompt", 2)]
    assert xyz.overridden(BOTH, p) is BOTH
    names = set()
    weights = ("background weight", "separation weight", *(f"LoRA weight of {x}" for x in "αβγδε"))
    for label, value in ((label, 1.0) for label in weights):
        axes[label].apply(one, value, [value])
        names |= set(one.prompt_extend_overrides)
    assert names == set(NAMES) - set(EXPANSION)


def test_values_are_confirmed_before_anything_is_generated(host: list[ScriptClassData]) -> None:
    plot = load(host)
    xyz.register()
    axes = {a.label.removeprefix("[Prompt Extend] "): a for a in plot.axis_options}
    p = SimpleNamespace()
    for label, good, wrong in (
        ("base weight", [0.0, 0.5, 1.0, 1.0 + 1e-12], [0.5, 1.1]),
        ("separation weight", [-5.0, 5.0], [6.0]),
        ("regions", ["on", "Off"], ["on", "maybe"]),
    ):
        axes[label].confirm(p, good)
        with pytest.raises((ValueError, UserError)):
            axes[label].confirm(p, wrong)
    with pytest.raises(UserError, match="no saved cast called gone"):
        axes["cast"].confirm(p, ["gone"])
    assert not vars(p)
    # the plot's ranges are sums
    axes["base weight"].apply(p, 0.1 + 0.2 + 0.7 + 1e-12, [])
    assert xyz.overridden(Panel(TWO), p).cast.base_weight == 1.0


def test_without_a_webui() -> None:
    assert not xyz.register()
