"""The hooks by which LoRAs act in the text encoders while a prompt of their own is encoded, and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lib_extend.generation.lora_weights import Change, Changes


class TextHooks:
    """The hooks in text encoders; `remove` them when the prompt is encoded."""

    def __init__(self, encoders: Sequence[Any], loras: Sequence[Mapping[int, Changes]]) -> None:
        """`loras`: what each changes, by the encoder's number, as `lora_weights.bind_text` gives it."""
        self._handles: list[Any] = []
        for i, encoder in enumerate(encoders):
            of: Changes = {}
            for lora in loras:
                for name, changes in lora.get(i, {}).items():
                    of.setdefault(name, []).extend(changes)
            modules = dict(encoder.named_modules()) if of else {}
            fused = {
                name: module
                for name, module in modules.items()
                if getattr(module, "in_proj_weight", None) is not None
            }
            for name, changes in of.items():
                if name in fused or name.rpartition(".")[0] in fused:
                    continue
                self._handles.append(modules[name].register_forward_hook(_adding(changes)))
            for name, module in fused.items():
                own, out = of.get(name, []), of.get(f"{name}.out_proj", [])
                if own or out:
                    self._handles.append(module.register_forward_hook(_again(own, out), with_kwargs=True))

    def remove(self) -> None:
        """Takes all hooks out; a second time does nothing."""
        while self._handles:
            self._handles.pop().remove()


def _adding(changes: Sequence[Change]) -> Callable[[Any, tuple[Any, ...], Tensor], Tensor]:
    @torch.no_grad()
    def add(module: Any, given: tuple[Any, ...], out: Tensor) -> Tensor:
        for change in changes:
            change.delta.to(out)
            out = out + change.factor * change.delta.of(given[0].to(out.dtype))
        return out

    return add


def _again(own: Sequence[Change], out: Sequence[Change]) -> Callable[..., Any]:
    """For attention whose queries, keys and values are one weight, which torch multiplies by itself: it is run once more
    with the changed weights. What lies over its `forward` (the WebUI's own LoRAs) has done its work by then."""

    @torch.no_grad()
    def again(module: Any, given: tuple[Any, ...], named: Mapping[str, Any], result: Any) -> Any:
        first, last = module.in_proj_weight, module.out_proj.weight
        try:
            module.in_proj_weight = torch.nn.Parameter(_changed(first, own), requires_grad=False)
            module.out_proj.weight = torch.nn.Parameter(_changed(last, out), requires_grad=False)
            return module.forward(*given, **named)
        finally:
            module.in_proj_weight, module.out_proj.weight = first, last

    return again


def _changed(weight: Tensor, changes: Sequence[Change]) -> Tensor:
    made = weight.detach().clone()
    for change in changes:
        change.delta.to(made)
        third = made.shape[0] // 3
        part = made if change.third is None else made[change.third * third : (change.third + 1) * third]
        part.add_(change.delta.matrix(), alpha=change.factor)
    return made
