"""Regions in AUTOMATIC1111 and in WebUIs with the same sampling: one run of `process_images`. See `a1111_pass`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from lib_extend.errors import PromptExtendError
from lib_extend.generation.batch_conditionings import Picture
from lib_extend.generation.placed_loras import PlacedLoras
from lib_extend.host.a1111_pass import Pass, denoiser_of, unfit
from lib_extend.host.detect import module, offers

__all__ = ["A1111", "can_apply", "unfit"]

_CFG = "modules.sd_samplers_cfg_denoiser"


def can_apply() -> bool:
    """Whether this WebUI samples as A1111 does and has torch hooks that see keyword arguments."""
    if not offers(_CFG) or offers("modules_forge"):  # the Forge family batches the rows its own way
        return False
    denoiser = getattr(module(_CFG), "CFGDenoiser", None)
    script = getattr(module("modules.scripts"), "Script", None)
    hook = getattr(denoiser, "register_forward_pre_hook", None)
    if hook is None or not hasattr(script, "process_before_every_sampling"):
        return False
    return "with_kwargs" in inspect.signature(hook).parameters


class A1111:
    """One run of `process_images`; see `host.regions.Adapter`.

    Attributes:
        encode_again: the pictures' regions, encoded by the checkpoint that is loaded now; asked when a refiner
            takes over within a pass. Without it that is an error.
    """

    def __init__(self, p: Any) -> None:
        self.p = p
        self._pass: Pass | None = None
        self._refusal: Any = None
        self.encode_again: Callable[[], Sequence[Picture | None]] | None = None

    def unfit(self) -> str:
        return unfit(self.p.sd_model)

    def begin(
        self, pictures: Sequence[Picture | None], x: Any, steps: int, loras: PlacedLoras | None = None
    ) -> None:
        self.end()
        if loras or any(picture is not None for picture in pictures):
            self._pass = Pass(self, pictures, steps, loras)
            try:
                self._pass.start()
            except BaseException:
                self.end()
                raise

    def end(self) -> None:
        if self._pass is not None:
            self._pass.end()
            self._pass = None
        if self._refusal is not None:
            self._refusal.remove()
            self._refusal = None

    def refuse(self, error: PromptExtendError) -> None:
        self.end()

        def fail(*given: Any) -> None:
            raise error

        self._refusal = denoiser_of(self.p).register_forward_pre_hook(fail)
