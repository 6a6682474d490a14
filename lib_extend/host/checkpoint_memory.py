"""Unload the WebUI's checkpoint from the graphics card while our models run, and load it again.

Forge and its relatives load what they need at every generation. A1111 does not: it would fail with a model in main
memory. `bring_back` loads it again, at the latest when the script's `before_process` calls it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from lib_extend.host import webuis
from lib_extend.host.detect import module

_lock = threading.Lock()
_away: list[Callable[[], None]] = []
"""How to bring the checkpoint back; empty while it is where it belongs. One WebUI process has one checkpoint."""


def can_unload() -> bool:
    """Whether this process has a checkpoint that can be unloaded."""
    return _forge() is not None or hasattr(module("modules.sd_models"), "unload_model_weights")


def unload() -> bool:
    """Take the checkpoint out of the graphics card, after a generation that is running.

    Returns whether there was something to do. What the WebUI raises goes to the caller.
    """
    forge = _forge()
    if forge is not None:
        _on_main_thread(forge.unload_all_models)
        empty = getattr(forge, "soft_empty_cache", None)
        if empty is not None:
            _on_main_thread(empty)
        return True
    models = module("modules.sd_models")
    # Not `shared.sd_model`: reading that loads the checkpoint when none is loaded yet.
    model = getattr(getattr(models, "model_data", None), "sd_model", None)
    if models is None or model is None or not hasattr(models, "unload_model_weights"):
        return False
    with _queue(), _lock:
        if _away:
            return False
        models.unload_model_weights(model)
        _away.append(lambda: _send_back(models, model))
        return True


def bring_back() -> bool:
    """Undo `unload`. Returns whether there was something to do."""
    if not _away:
        return False
    # Take the queue first, as a generation does. In the other order the two would wait for each other (deadlock).
    with _queue(), _lock:
        if not _away:
            return False
        _away.pop()()
        return True


def before_generation() -> None:
    """The same inside a generation, which already holds the WebUI's queue."""
    if _away:  # the usual case is fast
        with _lock:
            if _away:
                _away.pop()()


def unloaded() -> bool:
    """Whether the checkpoint is unloaded and must be loaded again."""
    return bool(_away)


def _forge() -> Any:
    """The memory management of Forge and its kin; None where the WebUI has none of this kind."""
    host = webuis.current()
    found = module(host.memory) if host is not None and host.memory else None
    return found if hasattr(found, "unload_all_models") else None


def _on_main_thread(work: Callable[[], Any]) -> None:
    """Forge moves models on its main thread only, one task after the other."""
    host = webuis.current()
    main = module(host.main_thread) if host is not None and host.main_thread else None
    if main is not None and hasattr(main, "run_and_wait_result"):
        main.run_and_wait_result(work)
    else:
        with _queue():
            work()


def _send_back(models: Any, model: Any) -> None:
    if models.model_data.sd_model is model:  # another checkpoint was chosen meanwhile
        models.send_model_to_device(model)
    elif models.model_data.sd_model is None:  # older versions do not reset it
        models.reload_model_weights()


def _queue() -> contextlib.AbstractContextManager[Any]:
    """The lock every generation of the WebUI holds."""
    lock = getattr(module("modules.call_queue"), "queue_lock", None)
    return lock if lock is not None else contextlib.nullcontext()
