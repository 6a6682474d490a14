"""Hook regions into this WebUI's UNet; each WebUI has its own adapter, see `host.webuis`.

adapter = regions.adapter(p)
if not adapter.unfit():
    adapter.begin(pictures, x, steps)     # before every sampling pass
    ...
    adapter.end()                         # after it
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from lib_extend.errors import PromptExtendError
from lib_extend.generation.batch_conditionings import Picture
from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.placed_loras import PlacedLoras
from lib_extend.host import webuis
from lib_extend.host.detect import module

UNKNOWN = "this WebUI's UNet is reached in a way that is not known here"


class Adapter(Protocol):
    """One run of a WebUI's `process_images`. It stores all hooks, and `end` removes them.

    Attributes:
        encode_again: gives the pictures anew, encoded by the checkpoint that is loaded then: for a refiner that
            takes over within a pass.
    """

    encode_again: Callable[[], Sequence[Picture | None]] | None

    def unfit(self) -> str:
        """Why no regions can be applied to the loaded model, in a clause; "" when they can."""

    def begin(
        self, pictures: Sequence[Picture | None], x: Any, steps: int, loras: PlacedLoras | None = None
    ) -> None:
        """Hooks in the regions for the sampling pass that starts now; they replace those of an earlier call.

        Args:
            pictures: one a picture of the batch. x: its latent (B, C, h, w). steps: of this pass. loras: those that act
                in places.

        Raises:
            RegionsError: they cannot be. UserError: a LoRA cannot be applied.
        """

    def end(self) -> None:
        """Removes all hooks; a second call does nothing. Never raises."""

    def refuse(self, error: PromptExtendError) -> None:
        """Makes the sampling pass that starts now fail with `error`: WebUIs ignore exceptions of a script."""


_begun: list[Adapter] = []
"""Those that may have something in the UNet. A process has one UNet, and one run at a time uses it."""


def adapter(p: Any) -> Adapter:
    """The adapter for a run of `process_images`."""
    host = webuis.current()
    made: Adapter = (host.adapter(p) if host is not None else None) or _None()
    _begun.append(made)
    return made


def end_all() -> None:
    """Removes the hooks that a broken-off run left behind."""
    while _begun:
        _begun.pop().end()


def end(one: Adapter) -> None:
    """Removes the hooks of one run."""
    one.end()
    with contextlib.suppress(ValueError):
        _begun.remove(one)


def unfit() -> str:
    """Why the loaded checkpoint takes no regions, in a clause; "" when it does, or when none is loaded yet."""
    host = webuis.current()
    if host is None or not host.takes_regions():
        return UNKNOWN
    model = loaded_model()
    return "" if model is None else host.unfit(model)


def family() -> str:
    """The loaded checkpoint's kind, a key of `generation.loras.FAMILIES`; "" for none or an unknown one."""
    model = loaded_model()
    for flag, name in (("is_sdxl", "sdxl"), ("is_sd3", "sd3"), ("is_sd2", "sd2"), ("is_sd1", "sd1")):
        if getattr(model, flag, False) is True:
            return name
    kind = type(model).__name__.lower()
    return next((name for name in ("flux", "anima") if name in kind), "")


def loaded_model() -> Any:
    """The WebUI's checkpoint if one is loaded; this loads nothing."""
    # Not `shared.sd_model`: reading that loads the checkpoint when none is loaded yet.
    model = getattr(getattr(module("modules.sd_models"), "model_data", None), "sd_model", None)
    # Forge has a placeholder until then
    return None if type(model).__name__ == "FakeInitialModel" else model


class _None:
    """For an unknown WebUI."""

    encode_again: Callable[[], Sequence[Picture | None]] | None = None

    def unfit(self) -> str:
        return UNKNOWN

    def begin(
        self, pictures: Sequence[Picture | None], x: Any, steps: int, loras: PlacedLoras | None = None
    ) -> None:
        raise RegionsError(UNKNOWN)

    def end(self) -> None:
        """There are no hooks to remove."""

    def refuse(self, error: PromptExtendError) -> None:
        """Does nothing: `unfit` has already given the reason."""
