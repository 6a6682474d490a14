"""The WebUIs that are known: one file each, with one `Host` named `HOST`. A new one is one file here.

host = current()
if host is not None:
    adapter = host.adapter(p)
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from lib_extend.host import detect
from lib_extend.host.webuis.webui import Host

__all__ = ["Host", "all_hosts", "current", "recognised"]


def all_hosts() -> list[Host]:
    """Every host of this folder, by its file's name."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__) if found.name != "webui")
    return [importlib.import_module(f"{__name__}.{name}").HOST for name in names]


def recognised(has: Callable[[str], bool]) -> Host | None:
    """The host that has these modules, None for an unknown one.

    Args:
        has: whether the WebUI has a module, by its full name.
    """
    return next((host for host in all_hosts() if host.recognises(has)), None)


def current() -> Host | None:
    """The WebUI this process is; None outside of one."""
    return recognised(detect.offers) if detect.hosted() else None
