"""Which WebUI this is: told by what it offers, never by a version number."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class WebUI:
    """The WebUI around us.

    Attributes:
        name: for display, such as "Forge".
        version: for display; "" when it does not say.
        gradio: the version of its Gradio.
    """

    name: str
    version: str
    gradio: str


def hosted() -> bool:
    """Whether this process is a WebUI: it has loaded its extensions' callbacks long before us."""
    return "modules.script_callbacks" in sys.modules


def detect() -> WebUI | None:
    """The WebUI this process is, None for the standalone page and the command line."""
    if not hosted():
        return None
    import gradio

    return WebUI(_name(), _version(), str(getattr(gradio, "__version__", "")))


def offers(module: str) -> bool:
    """Whether the WebUI has this module; nothing is imported to find out but its packages."""
    if module in sys.modules:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a package above it is missing, or was put there by hand
        return False


def module(name: str) -> ModuleType | None:
    """The WebUI's module, None where this WebUI has no such one."""
    if not hosted() or not offers(name):
        return None
    return importlib.import_module(name)


def cmd_opts() -> Any:
    """The WebUI's command-line options, None outside of one."""
    shared = module("modules.shared")
    return getattr(shared, "cmd_opts", None)


def _name() -> str:
    if offers("backend.memory_management"):
        return "Forge neo" if offers("modules_forge.presets") else "Forge"
    if offers("ldm_patched.modules.model_management"):
        return "reForge" if offers("modules_forge.alter_samplers") else "Forge classic"
    return "AUTOMATIC1111"


def _version() -> str:
    # it was asked at the WebUI's start, and the answer kept: no process is started here
    launch = sys.modules.get("modules.launch_utils")
    with contextlib.suppress(Exception):  # it is for display only, and somebody else's code
        return str(launch.git_tag()) if launch is not None else ""
    return ""
