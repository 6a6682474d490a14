"""The WebUI's own list of LoRAs, which does not notice new files by itself."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from lib_extend.host.detect import hosted, module


def refresh() -> bool:
    """Let the WebUI list its LoRA folders anew; False where it has no such list.

    Waits until a running generation is done: the list is emptied before it is filled.
    """
    # The built-in extension of all hosts puts its folder on `sys.path`; its module is known by this name.
    networks = sys.modules.get("networks") if hosted() else None
    listing = getattr(networks, "list_available_networks", None)
    if not callable(listing) or not hasattr(networks, "available_networks"):
        return False
    with _queue():
        listing()
    return True


def _queue() -> contextlib.AbstractContextManager[Any]:
    """The lock every generation of the WebUI holds."""
    lock = getattr(module("modules.call_queue"), "queue_lock", None)
    return lock if lock is not None else contextlib.nullcontext()
