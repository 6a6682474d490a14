"""The WebUI's own list of LoRAs, which does not notice new files by itself."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from typing import Any

from lib_extend.generation import syntax
from lib_extend.host.detect import hosted, module


def refresh() -> bool:
    """Let the WebUI list its LoRA folders again; False if it has no such list.

    Waits for the end of a running generation, because the list is emptied before it is filled.
    """
    # The built-in extension of all hosts puts its folder on `sys.path`; its module is known by this name.
    networks = sys.modules.get("networks") if hosted() else None
    listing = getattr(networks, "list_available_networks", None)
    if not callable(listing) or not hasattr(networks, "available_networks"):
        return False
    with _queue():
        listing()
    return True


def missing(tags: Iterable[str]) -> list[str]:
    """Of extra networks as prompts have them (`<lora:name:1>`), the names of LoRAs that the WebUI does not have.

    Call it within a generation. If the WebUI has no list, nothing is missing.
    """
    wanted = dict.fromkeys(
        name for tag in tags if syntax.network_name(tag)[0] == "lora" and (name := _written_name(tag))
    )
    networks = sys.modules.get("networks") if hosted() else None
    listing = getattr(networks, "list_available_networks", None)
    if not wanted or not callable(listing):
        return []
    if _unlisted(networks, wanted):
        # new files may not be listed yet; a WebUI also looks a second time
        listing()
    return _unlisted(networks, wanted)


def _unlisted(networks: Any, names: Iterable[str]) -> list[str]:
    known: set[str] = set()
    for listed in ("available_networks", "available_network_aliases"):
        known.update(getattr(networks, listed, None) or ())
    return [name for name in names if name not in known]


def _written_name(tag: str) -> str:
    """The name in a tag, with its capitals."""
    return tag.strip("<>").split(":")[1].strip()


def _queue() -> contextlib.AbstractContextManager[Any]:
    """The lock every generation of the WebUI holds."""
    lock = getattr(module("modules.call_queue"), "queue_lock", None)
    return lock if lock is not None else contextlib.nullcontext()
