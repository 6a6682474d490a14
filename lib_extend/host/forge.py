"""The regions in the UNet of Forge and its kin (reForge, Forge classic, neo).

Their patches cannot be used here: `attn2_replace` has one slot a block, which an image adapter needs too, and a patch
is lost when another extension uses an older copy of the UNet patcher. So the patcher stays unchanged and no callback is
registered: torch hooks work with any patches.

WebUIs ignore exceptions of a script; exceptions of the hooks, in the denoiser or in the UNet, end the generation.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from lib_extend.errors import PromptExtendError
from lib_extend.generation.batch_conditionings import Picture
from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.placed_loras import PlacedLoras
from lib_extend.host.detect import module, offers
from lib_extend.host.forge_pass import Pass, unfit

__all__ = ["Forge", "can_apply", "unfit"]

_SAMPLES = ("sample", "sample_img2img")
_OF_A_DENOISER = ("register_forward_pre_hook", "update_inner_model", "step")


def can_apply() -> bool:
    """Whether this WebUI is one of them, and has torch hooks that see keyword arguments."""
    if not offers("modules_forge"):
        return False
    denoiser = getattr(module("modules.sd_samplers_cfg_denoiser"), "CFGDenoiser", None)
    hook = getattr(denoiser, "register_forward_pre_hook", None)
    return hook is not None and "with_kwargs" in inspect.signature(hook).parameters


class Forge:
    """One run of `process_images`; see `host.regions.Adapter`.

    Attributes:
        encode_again: the pictures, encoded by the checkpoint that is loaded now; asked when a refiner takes over
            within a pass. Without it that is an error.
    """

    def __init__(self, p: Any) -> None:
        self.encode_again: Callable[[], Sequence[Picture | None]] | None = None
        self._p = p
        self._put_in: Pass | _Refusal | None = None

    def unfit(self) -> str:
        """Why no regions can be applied to the loaded model, in a clause; "" when they can."""
        return unfit(self._p.sd_model)

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
        self.end()
        if reason := self.unfit():
            raise RegionsError(reason)
        if len(pictures) != x.shape[0]:
            raise RegionsError(f"{len(pictures)} pictures were announced, a batch of {x.shape[0]} came")
        if loras or any(picture is not None for picture in pictures):
            size = (int(x.shape[-2]), int(x.shape[-1]))
            self._put_in = Pass(_denoiser(self._p), pictures, size, steps, self._refined, loras)
            self._put_in.hook_in(self._p.sd_model)

    def end(self) -> None:
        """Removes all hooks; a second call does nothing."""
        if self._put_in is not None:
            self._put_in.remove()
            self._put_in = None

    def refuse(self, error: PromptExtendError) -> None:
        """Makes the sampling pass that starts now fail with `error`."""
        self.end()
        self._put_in = _Refusal(self._p.sampler, error)

    def _refined(self) -> tuple[Any, Sequence[Picture | None]]:
        if self.encode_again is None:
            raise RegionsError("a refiner takes over in the midst of the steps")
        return self._p.sd_model, self.encode_again()


class _Refusal:
    """Put into the pass's own sampler."""

    def __init__(self, sampler: Any, error: PromptExtendError) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise error

        self._sampler = sampler
        for name in _SAMPLES:
            setattr(sampler, name, refuse)

    def remove(self) -> None:
        for name in _SAMPLES:
            vars(self._sampler).pop(name, None)


def _denoiser(p: Any) -> Any:
    """The sampler's CFGDenoiser: it is this run's own, and this pass's."""
    denoiser = getattr(getattr(p, "sampler", None), "model_wrap_cfg", None)
    if not all(hasattr(denoiser, name) for name in _OF_A_DENOISER):
        raise RegionsError(f"the sampler {getattr(p, 'sampler_name', '')} does not say at which step it is")
    return denoiser
