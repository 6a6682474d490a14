"""Whether this process is a WebUI, and which modules it offers."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any


def hosted() -> bool:
    """Whether this process is a WebUI: it has loaded its extensions' callbacks long before us."""
    return "modules.script_callbacks" in sys.modules


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
