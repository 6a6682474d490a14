"""The hooks by which LoRAs act in their places in a UNet: `torch` hooks and nothing else, so that other code that
computes a layer (an optimizer, quantised weights, the WebUI's own LoRAs) still works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from lib_extend.generation.lora_weights import NO_PLACE
from lib_extend.generation.regional_lora import RegionalLoras, Size

_OF_PROMPTS = (".attn2.to_k", ".attn2.to_v")
"""What `RegionalAttention` asks for by itself."""


class LoraHooks:
    """The hooks in a UNet's modules. `remove` them when the pass is over, however it ended."""

    def __init__(self, unet: Any, loras: RegionalLoras, working: Callable[[], bool]) -> None:
        """
        Args:
            unet: in the checkpoints' own layout (transformers with `transformer_blocks`, residual blocks with
                `emb_layers`).
            working: whether the UNet call that is under way belongs to the run.

        Raises:
            UserError: a LoRA changes a module without a place.
        """
        self._loras, self._working = loras, working
        self._handles: list[Any] = []
        self._sizes: dict[str, Size] = {}
        modules = dict(unet.named_modules())
        try:
            for name in loras.modules():
                if not name.endswith(_OF_PROMPTS):
                    self._handles.append(self._hook(name, modules))
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Removes all hooks; a second call does nothing."""
        while self._handles:
            self._handles.pop().remove()
        self._sizes.clear()
        self._loras.forget()

    def _hook(self, name: str, modules: Mapping[str, Any]) -> Any:
        module = modules[name]
        if len(module.weight.shape) == 4 and hasattr(module, "kernel_size"):
            return module.register_forward_hook(self._of_grid(name))
        around, what = _surrounding(name, modules)
        if not around:
            change = next(self._loras.changes(name))[1]
            raise NO_PLACE.error(name=change.lora, module=name)
        if around not in self._sizes:
            self._sizes[around] = (0, 0)
            self._handles.append(
                modules[around].register_forward_pre_hook(self._entering(around), with_kwargs=True)
            )
        return module.register_forward_hook(
            self._of_tokens(name, around) if what == "tokens" else self._of_time(name, around)
        )

    def _entering(self, around: str) -> Callable[..., None]:
        def enter(module: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
            if self._working():
                x = given[0] if given else named["x"]
                self._sizes[around] = (int(x.shape[-2]), int(x.shape[-1]))

        return enter

    def _of_grid(self, name: str) -> Callable[..., Any]:
        @torch.no_grad()
        def add(module: Any, given: tuple[Any, ...], out: Tensor) -> Tensor | None:
            if not self._working():
                return None
            out = _own(out)
            self._loras.add_grid(name, module, given[0], out)
            return out

        return add

    def _of_tokens(self, name: str, around: str) -> Callable[..., Any]:
        @torch.no_grad()
        def add(module: Any, given: tuple[Any, ...], out: Tensor) -> Tensor | None:
            if not self._working():
                return None
            out = _own(out)
            self._loras.add_tokens(name, given[0], out, self._sizes[around])
            return out

        return add

    def _of_time(self, name: str, around: str) -> Callable[..., Any]:
        @torch.no_grad()
        def spread(module: Any, given: tuple[Any, ...], out: Tensor) -> Tensor | None:
            return self._loras.spread(name, given[0], out, self._sizes[around]) if self._working() else None

        return spread


def _own(out: Tensor) -> Tensor:
    """A module's result as one that may be written to; only those that carry gradients may not."""
    return out.detach().clone() if out.requires_grad else out.contiguous()


def _surrounding(name: str, modules: Mapping[str, Any]) -> tuple[str, str]:
    """The module around a linear one whose input has the grid, and what the linear one's input is: tokens of the grid,
    or of the time; ("", "") for none."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        outer = ".".join(parts[:end])
        if hasattr(modules[outer], "transformer_blocks"):
            return outer, "tokens"
        if hasattr(modules[outer], "emb_layers") and parts[end] == "emb_layers":
            return outer, "time"
    return "", ""
