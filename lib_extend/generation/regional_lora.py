"""LoRAs that act in their characters' places only, exactly, in every layer of a UNet.

    y = Wx + Σ_r m_r(x) · s_r · f_r(x)              with Σ_r m_r = 1, r = 0 the background, outside of all boxes

in queries, self-attention, feed-forward, projections and convolutions (at the grid of what comes out), with the same
soft masks as the regions of `masks`, for a base weight of 0: inside one character's box its LoRA acts whole. What a
residual block adds of the time has no place; it gets one before it is added. Keys and values of the cross-attention
have no place either, but a prompt: a character's own prompt gets its LoRAs whole, and the base prompt's attention is,
inside the character's box, that of the base prompt with these LoRAs (`RegionalAttention` asks for both). So a LoRA
whose mask is 1 everywhere is the WebUI's own, and one whose mask is 0 changes no bit.

    loras = RegionalLoras(shares, {1: changes, 2: changes})
    hooks = LoraHooks(unet, loras, working)     # see `lora_hooks`; until hooks.remove()

Only the part of the grid that a box touches is computed. Nothing here knows a host.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.lora_deltas import LowRank
from lib_extend.generation.lora_weights import Change, Changes
from lib_extend.generation.masks import Shares, coverage, crop

Size = tuple[int, int]
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Attention of (rows, heads, tokens, dim) tensors, scaled by 1/√dim, without a mask."""
Prompt = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]
"""What a module's `to_k` was given and made of it, and the same of `to_v`."""
_OF_PROMPTS = ("to_k", "to_v")


class Mask:
    """Where a place is on a grid: `part`, its rows and columns, and how much of it is there (rows, columns)."""

    def __init__(self, of: Shares, place: int, size: Size, like: Tensor) -> None:
        top, bottom, left, right = crop(of.places[place - 1], *size) if place else (0, size[0], 0, size[1])
        down = torch.tensor(coverage(of.ys, size[0])[top:bottom], dtype=torch.float64)
        across = torch.tensor(coverage(of.xs, size[1])[left:right], dtype=torch.float64)
        table = torch.tensor(of.tables[place], dtype=torch.float64)
        whole = down @ table @ across.T
        self.part = (slice(top, bottom), slice(left, right))
        self.share: Tensor = whole.to(like)
        self.whole = bool((whole == 1).all())


class RegionalLoras:
    """The changes of a UNet by place.

    Attributes:
        of: the places' shares, for a base weight of 0.
        by_place: number of the place (0 is the background) to the changes of its LoRAs.
    """

    def __init__(self, of: Shares, by_place: Mapping[int, Changes]) -> None:
        self.of = of
        self.by_place = {place: changes for place, changes in by_place.items() if changes and of.acts(place)}
        self._masks: dict[Any, Mask] = {}

    def __bool__(self) -> bool:
        return bool(self.by_place)

    def forget(self) -> None:
        """Lets the masks go."""
        self._masks.clear()

    def modules(self) -> list[str]:
        """The names of all modules that are changed anywhere."""
        return sorted({name for changes in self.by_place.values() for name in changes})

    def places_of(self, module: str) -> tuple[int, ...]:
        """The places whose LoRAs change a module."""
        return tuple(place for place, changes in self.by_place.items() if module in changes)

    def mask(self, place: int, size: Size, like: Tensor) -> Mask:
        """A place on a grid, in a tensor's type."""
        key = (place, size, like.dtype, like.device)
        if key not in self._masks:
            self._masks[key] = Mask(self.of, place, size, like)
        return self._masks[key]

    def projected(self, place: int, module: str, x: Tensor, out: Tensor) -> Tensor:
        """`out`, what a linear module made of `x`, with a place's LoRAs whole; a new tensor where there are any."""
        for change in self.by_place.get(place, {}).get(module, ()):
            change.delta.to(out)
            out = out + change.factor * change.delta.of(x.to(out.dtype))
        return out

    def keys_and_values(self, place: int, attention: Hashable, prompt: Prompt) -> list[Tensor]:
        """Keys and values of a prompt, (rows, tokens, channels), with a place's LoRAs whole."""
        return [
            self.projected(place, f"{attention}.{name}", seen, made)
            for name, (seen, made) in zip(_OF_PROMPTS, prompt, strict=True)
        ]

    def attend(
        self,
        attention: Hashable,
        planes: tuple[Tensor, Tensor, Tensor | None],
        prompt: Prompt | None,
        heads: int,
        attend: Attend,
    ) -> None:
        """Makes the base prompt's attention that of the base prompt with a place's LoRAs, in the place, where they
        change its keys or values.

        Args:
            attention: full name of the module with `to_k` and `to_v`.
            planes: the queries, the attention before `to_out` (changed in place), and that alone where others have added
                to it: (rows, h, w, channels) each.
            prompt: of the base, needed where they do.
        """
        q, out, plain = planes
        names = [f"{attention}.{name}" for name in _OF_PROMPTS]
        places = sorted({place for name in names for place in self.places_of(name)})
        if not places:
            return
        if prompt is None:
            raise RegionsError(f"the attention module {attention} does not show its keys and values")
        size = (int(out.shape[1]), int(out.shape[2]))
        masks = {place: self.mask(place, size, out) for place in places}
        if plain is None:
            rest = torch.ones(size, dtype=out.dtype, device=out.device)
            for mask in masks.values():
                rest[mask.part] -= mask.share
            out.mul_(rest[..., None])
        for place, mask in masks.items():
            here = (slice(None), *mask.part)
            asking = q[here]
            k, v = (split(t, heads) for t in self.keys_and_values(place, attention, prompt))
            answer = attend(split(asking.flatten(1, 2), heads), k, v).transpose(1, 2)
            answer = answer.reshape(asking.shape).to(out.dtype)
            if plain is not None:
                answer = answer - plain[here].to(out.dtype)
            out[here].addcmul_(answer, mask.share[..., None])

    def add_tokens(self, module: str, x: Tensor, out: Tensor, size: Size) -> None:
        """Adds to `out` (rows, h · w, channels), what a linear module made of `x`, in place."""
        rows, positions = out.shape[:2]
        if positions != size[0] * size[1]:
            raise RegionsError(
                f"the LoRAs' layer {module} has {positions:,} positions on a grid of {size[1]} × {size[0]} (turn off what "
                "merges tokens or cuts them into tiles)"
            )
        planes = x.view(rows, *size, x.shape[2]), out.view(rows, *size, out.shape[2])
        for place, change in self.changes(module):
            mask = self.mask(place, size, out)
            change.delta.to(out)
            seen, here = (plane[:, mask.part[0], mask.part[1]] for plane in planes)
            _add_linear(change, seen, here, mask)

    def add_grid(self, module: str, conv: Any, x: Tensor, out: Tensor) -> None:
        """Adds to `out` (rows, channels, h, w), what a convolution made of `x`, in place."""
        size = (int(out.shape[2]), int(out.shape[3]))
        for place, change in self.changes(module):
            mask = self.mask(place, size, out)
            change.delta.to(out)
            seen = _seen_by(conv, x, mask.part).to(out.dtype)
            made = change.delta.of_grid(seen, pair(conv.stride), pair(conv.dilation))
            here = out[:, :, mask.part[0], mask.part[1]]
            if mask.whole:
                here.add_(made, alpha=change.factor)
            else:
                here.addcmul_(made, mask.share, value=change.factor)

    def spread(self, module: str, x: Tensor, out: Tensor, size: Size) -> Tensor:
        """What a linear module without a place made of `x`: (rows, channels) as (rows, channels, h, w), with the LoRAs
        in their places."""
        grid = out[:, :, None, None].repeat(1, 1, *size)
        for place, change in self.changes(module):
            mask = self.mask(place, size, out)
            change.delta.to(out)
            made = change.factor * change.delta.of(x.to(out.dtype))
            grid[:, :, mask.part[0], mask.part[1]] += made[:, :, None, None] * mask.share
        return grid

    def changes(self, module: str) -> Iterator[tuple[int, Change]]:
        """All changes of a module, each with its place."""
        for place, changes in self.by_place.items():
            for change in changes.get(module, ()):
                yield place, change


def split(x: Tensor, heads: int) -> Tensor:
    """(rows, tokens, heads · dim) → (rows, heads, tokens, dim)."""
    return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def _add_linear(change: Change, x: Tensor, out: Tensor, mask: Mask) -> None:
    """Adds a change of (rows, h, w, channels) in a box to another of them, in place."""
    delta = change.delta
    if not isinstance(delta, LowRank):
        out.addcmul_(delta.of(x.to(out.dtype)), mask.share[..., None], value=change.factor)
        return
    h = delta.inner(x.to(out.dtype))
    if not mask.whole:
        h *= mask.share[..., None]
    out.add_(delta.outer(h), alpha=change.factor)


def _seen_by(conv: Any, x: Tensor, part: tuple[slice, slice]) -> Tensor:
    """What of `x` a convolution looks at for a part of its result, zeros beyond the edges as its padding has them."""
    if isinstance(conv.padding, str) or getattr(conv, "padding_mode", "zeros") != "zeros" or conv.groups != 1:
        raise RegionsError("a convolution of the UNet is not made as a LoRA in a place needs it")
    kernel, stride, dilation, padding = (
        pair(v) for v in (conv.kernel_size, conv.stride, conv.dilation, conv.padding)
    )
    cuts, beyond = [], []
    for i, along in enumerate(part):
        start = along.start * stride[i] - padding[i]
        end = (along.stop - 1) * stride[i] - padding[i] + dilation[i] * (kernel[i] - 1) + 1
        length = x.shape[2 + i]
        cuts.append(slice(max(start, 0), min(end, length)))
        beyond.append((max(-start, 0), max(end - length, 0)))
    seen = x[:, :, cuts[0], cuts[1]]
    return pad(seen, (*beyond[1], *beyond[0])) if any(map(any, beyond)) else seen


def pair(value: Any) -> tuple[int, int]:
    first, second = value if isinstance(value, (tuple, list)) else (value, value)
    return int(first), int(second)
