"""The extension's settings in a WebUI: its page of the Settings tab, and its command-line flags."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib_extend.host.detect import cmd_opts, hosted, module
from lib_extend.worker.environment import CPU_ONLY, OVERRIDE

SECTION = ("prompt_extend", "Prompt Extend")
IDLE_MINUTES = 10


@dataclass(frozen=True)
class Options:
    """The settings' values.

    Attributes:
        models_dir: folder for downloaded models; "" for the Hugging Face cache.
        idle_minutes: minutes without work after which the worker gives its memory back.
        unload: take the WebUI's checkpoint out of the graphics card while a folder is tagged.
        folders: dataset folders offered in the tab.
    """

    models_dir: str = ""
    idle_minutes: float = IDLE_MINUTES
    unload: bool = False
    folders: tuple[str, ...] = ()


def register() -> None:
    """Add the page to the WebUI's settings; called by `on_ui_settings`."""
    import gradio
    from modules import shared

    def add(name: str, default: Any, label: str, info: str, component: Any = None, **args: Any) -> None:
        option = shared.OptionInfo(default, label, component, args or None, section=SECTION)
        if hasattr(option, "info"):
            option.info(info)
        shared.opts.add_option(f"prompt_extend_{name}", option)

    add(
        "models_dir",
        "",
        "Folder for downloaded models",
        "empty: the Hugging Face cache; --prompt-extend-models goes first",
    )
    add(
        "idle_minutes",
        IDLE_MINUTES,
        "Minutes after which idle models are unloaded",
        "they run in a process of their own, which ends and gives all its memory back",
        gradio.Slider,
        minimum=1,
        maximum=120,
        step=1,
    )
    add(
        "unload",
        False,
        "Unload the WebUI's checkpoint while a folder is tagged",
        "it comes back afterwards, or when you generate",
        gradio.Checkbox,
    )
    add(
        "folders",
        "",
        "Dataset folders offered in the tab",
        "one a line; when the WebUI is shared, only those named by --prompt-extend-root can be used",
        gradio.Textbox,
        lines=3,
    )


def read() -> Options:
    """The present values; the defaults without a WebUI or a stored value. Flags have priority over settings."""
    data: Mapping[str, Any] = {}
    if hosted():
        data = getattr(getattr(module("modules.shared"), "opts", None), "data", None) or {}
    flags = cmd_opts()
    minutes = data.get("prompt_extend_idle_minutes", IDLE_MINUTES)
    return Options(
        models_dir=str(
            getattr(flags, "prompt_extend_models", None) or data.get("prompt_extend_models_dir", "") or ""
        ),
        idle_minutes=float(minutes) if isinstance(minutes, (int, float)) and minutes > 0 else IDLE_MINUTES,
        unload=data.get("prompt_extend_unload", False) is True,
        folders=tuple(
            line.strip() for line in str(data.get("prompt_extend_folders", "")).splitlines() if line.strip()
        ),
    )


def apply_flags() -> None:
    """Pass the worker's flags on as environment variables."""
    python = getattr(cmd_opts(), "prompt_extend_worker_python", None)
    if python:
        os.environ[OVERRIDE] = os.path.abspath(python)
    # `--use-cpu all` of A1111, `--always-cpu` of Forge: libraries for the graphics card would be of no use.
    flags = cmd_opts()
    if "all" in (getattr(flags, "use_cpu", None) or ()) or getattr(flags, "always_cpu", False):
        os.environ[CPU_ONLY] = "1"
