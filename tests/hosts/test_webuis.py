"""What a `Host` does where WebUIs differ, without one running."""

from __future__ import annotations

import copy
import functools
import json
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from lib_extend.generation import marks
from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.cast import Cast
from lib_extend.host import leftovers, other_extensions, webuis
from lib_extend.host import lora_reload as loras
from lib_extend.host.entries import Entry


class Modules:
    """`modules` as far as encoding a prompt needs it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encode: Any) -> None:
        self.monkeypatch = monkeypatch
        self.put("modules")
        self.put("modules.script_callbacks")
        self.put("modules.shared", opts=types.SimpleNamespace(use_old_scheduling=True))
        self.put("modules.prompt_parser", get_learned_conditioning=encode)

    def put(self, name: str, **values: Any) -> None:
        made = types.ModuleType(name)
        made.__path__ = []
        vars(made).update(values)
        self.monkeypatch.setitem(sys.modules, name, made)
        above, _, last = name.rpartition(".")
        if above:
            self.monkeypatch.setattr(sys.modules[above], last, made, raising=False)


def host(name: str) -> webuis.Host:
    return next(h for h in webuis.all_hosts() if h.name == name)


def test_each_is_asked_with_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """neo's function has no `use_old_scheduling`; the others' has."""
    asked: list[tuple[Any, ...]] = []

    def new(model: Any, prompts: Any, steps: int, hires_steps: int | None = None) -> str:
        asked.append((model, prompts, steps, hires_steps))
        return "new"

    def old(
        model: Any,
        prompts: Any,
        steps: int,
        hires_steps: int | None = None,
        use_old_scheduling: bool = False,
    ) -> str:
        asked.append((model, prompts, steps, hires_steps, use_old_scheduling))
        return "old"

    Modules(monkeypatch, new)
    assert host("Forge neo").encode("model", ["a"], 20, 10) == "new"
    Modules(monkeypatch, old)
    assert host("AUTOMATIC1111").encode("model", ["a"], 20, None) == "old"
    assert asked == [("model", ["a"], 20, 10), ("model", ["a"], 20, None, True)]


@pytest.mark.parametrize(
    ("name", "module", "holder"),
    [
        ("AUTOMATIC1111", "modules.sd_hijack", "model_hijack"),
        ("Forge neo", "backend.args", "dynamic_args"),
        ("Forge", "backend.text_processing.classic_engine", ""),
    ],
)
def test_what_encoding_a_region_notes_is_not_the_pictures(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str, holder: str
) -> None:
    noted = {"TI hashes": "the picture's"}

    def encode(model: Any, prompts: Any, steps: int, hires_steps: int | None = None) -> str:
        noted.update({"TI hashes": "a region's", "Emphasis": "No norm"})
        return "made"

    modules = Modules(monkeypatch, encode)
    parts = module.split(".")
    for i in range(1, len(parts)):
        modules.put(".".join(parts[:i])) if parts[:i] != ["modules"] else None
    last = {"extra_generation_params": noted, "last_extra_generation_params": noted}
    modules.put(module, **({holder: types.SimpleNamespace(**last)} if holder else last))
    assert host(name).encode("model", ["a"], 20, None) == "made"
    assert noted == {"TI hashes": "the picture's"}


def test_an_unknown_webui_has_no_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert webuis.recognised(lambda module: module != "modules.hypernetworks") is not None
    assert webuis.current() is None  # outside of one
    Modules(monkeypatch, None)
    found = webuis.current()
    assert found is not None and found.name == "AUTOMATIC1111"
    assert not found.takes_regions() and found.adapter(None) is None


def test_an_entry_is_a_text_and_can_be_called() -> None:
    """Forge classic writes all entries as JSON without a way for what is none; all WebUIs call what can be called."""
    of: list[int] = []

    def value(index: int = 0, **others: Any) -> str:
        of.append(index)
        return f"picture {index}"

    entry = Entry("picture 0", value)
    assert json.dumps({"a": entry}) == '{"a": "picture 0"}'
    assert callable(entry) and entry(index=3, p=None) == "picture 3"
    assert copy.copy(entry) is entry and copy.deepcopy({"a": entry})["a"] is entry
    assert pickle.loads(pickle.dumps(entry)) == "picture 0" and of == [3]


CAST = Cast.from_json({"characters": [{"prompt": "hat"}, {"prompt": "bow"}], "negative": "ugly"})


def test_copies_lose_their_marks_in_place() -> None:
    carrying, negative = marks.carry(CAST, "park", "dog")

    class Script:
        def title(self) -> str:
            return "Keeper"

    keeper, silent = Script(), types.SimpleNamespace()
    texts = [carrying, "park", carrying]
    vars(keeper).update(all_prompts=texts, template=carrying, entries={"a": carrying, "b": 3}, size=3)
    vars(silent).update(negatives=[negative], nothing=None)
    runner = types.SimpleNamespace(scripts=[keeper, silent])
    assert leftovers.clean_scripts(runner, only=slice(0, 2)) == {"park": "Keeper", "dog": "SimpleNamespace"}
    assert texts == ["park", "park", carrying]  # the same list, and other batches' prompts as they were
    assert vars(keeper)["template"] == "park" and vars(keeper)["entries"] == {"a": "park", "b": 3}
    leftovers.clean_scripts(runner)
    assert texts == ["park"] * 3
    assert leftovers.clean_scripts(runner) == {} and leftovers.clean_scripts(None) == {}


def test_a_prompt_taken_apart_is_noticed() -> None:
    carrying, _ = marks.carry(CAST, "park BREAK lake", "")
    assert marks.is_carrying(carrying) and not marks.is_torn(carrying)
    assert marks.is_torn(carrying[:-3]) and marks.is_torn(carrying.replace("\u2063", "", 1))
    assert not marks.is_torn("park")


def test_who_works_on_the_same_attention_is_named(tmp_path: Path) -> None:
    def defined_in(path: Path, name: str) -> Any:
        path.parent.mkdir(parents=True)
        path.write_text(f"def {name}(*given): pass\nclass Patch:\n    def __call__(self): pass\n", "utf-8")
        space: dict[str, Any] = {"__name__": "couple"}
        exec(compile(path.read_text("utf-8"), str(path), "exec"), space)
        return space[name]

    couple = defined_in(tmp_path / "extensions" / "sd-forge-couple" / "scripts" / "couple.py", "patch")
    builtin = defined_in(tmp_path / "extensions-builtin" / "sd_forge_ipadapter" / "ip.py", "replace")
    own = defined_in(tmp_path / "backend" / "nn" / "unet.py", "forward")
    options = {
        "patches": {"attn2_patch": [functools.partial(couple, 1), couple, own]},
        "patches_replace": {"attn2": {("input", 1): builtin}},
    }
    names = other_extensions.of_patches(options)
    assert names == ("sd-forge-couple", "sd_forge_ipadapter")
    assert other_extensions.of_patches({}) == () and other_extensions.extension_of(len) == ""
    assert other_extensions.of_modules([types.SimpleNamespace(forward=couple)]) == ("sd-forge-couple",)

    class Call:
        idle = False

        def blend(self, *given: Any) -> None:
            raise RegionsError("4 rows came where 2 were announced")

    with pytest.raises(
        RegionsError, match=r"announced\. sd-forge-couple works on .*: turn one of the two off"
    ):
        other_extensions.NamingCall(Call(), ("sd-forge-couple",)).blend()
    error = RegionsError("x")
    assert other_extensions.with_names(error, ()) is error


def test_loras_that_the_webui_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = ["<lora:Here:1>", "<lora:alias:0.5>", "<lora:gone:1:2>", "<hypernet:x:1>", "<lora:new:1>"]
    assert loras.missing(tags) == []  # no WebUI
    Modules(monkeypatch, None)
    assert loras.missing(tags) == []  # one without a list
    networks: Any = types.ModuleType("networks")
    networks.available_networks = {"Here": 1}
    networks.available_network_aliases = {"Here": 1, "alias": 1}

    def listing() -> None:
        networks.available_networks["new"] = 1

    networks.list_available_networks = listing
    monkeypatch.setitem(sys.modules, "networks", networks)
    assert loras.missing(tags) == ["gone"]
    assert loras.missing(["<lora:here:1>"]) == ["here"]  # WebUIs look at capitals
