"""Whether this process is a WebUI, and which modules it offers."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any


def hosted() -> bool:
    """Whether this process is a WebUI: then the module of its callbacks is already loaded."""
    return "modules.script_callbacks" in sys.modules


def offers(module: str) -> bool:
    """Whether the WebUI has this module; only its parent packages are imported for the check."""
    if module in sys.modules:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a parent package is missing, or was inserted into sys.modules
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
