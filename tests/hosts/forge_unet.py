"""Forge's sampling as far as regions meet it: a UNet with its patches, the denoiser and the calls of its steps.

Written from the contract: who calls what with which arguments, in which order; the numbers are small.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.generation.doubles import CHANNELS, CrossAttention

Chunk = tuple[int, Tensor]
"""0 for a prompt or 1 for the negative one, and its conditioning (pictures, tokens, channels)."""


class Attention(CrossAttention):
    def forward(  # type: ignore[override]
        self, x: Tensor, context: Tensor | None = None, value: Tensor | None = None, **_: Any
    ) -> Tensor:
        assert context is not None
        return self.to_out(self.inner(x, context))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn1, self.attn2 = Attention(context=16), Attention()

    def forward(self, x: Tensor, context: Tensor, transformer_options: dict[str, Any]) -> Tensor:
        options = {k: v for k, v in transformer_options.items() if not k.startswith("patches")}
        options |= {"n_heads": 2, "dim_head": 8}
        patches = transformer_options.get("patches", {})
        x = x + self.attn1(x, x)
        n, value = x, context
        for patch in patches.get("attn2_patch", []):
            n, context, value = patch(n, context, value, options)
        replace = transformer_options.get("patches_replace", {}).get("attn2", {})
        block = transformer_options["block"]
        block = (*block, options["block_index"]) if (*block, options["block_index"]) in replace else block
        if block in replace:
            q, k, v = self.attn2.to_q(n), self.attn2.to_k(context), self.attn2.to_v(value)
            n = self.attn2.to_out(replace[block](q, k, v, options))
        else:
            n = self.attn2(n, context=context, value=value, transformer_options=options)
        for patch in patches.get("attn2_output_patch", []):
            n = patch(n, options)
        return x + n


class SpatialTransformer(nn.Module):
    def __init__(self, depth: int = 1) -> None:
        super().__init__()
        self.transformer_blocks = nn.ModuleList([Block() for _ in range(depth)])

    def forward(self, x: Tensor, context: Tensor, transformer_options: dict[str, Any]) -> Tensor:
        rows, channels, height, width = x.shape
        x = x.flatten(2).mT
        for i, block in enumerate(self.transformer_blocks):
            transformer_options["block_index"] = i
            x = block(x, context, transformer_options)
        return x.mT.reshape(rows, channels, height, width)


class UNet(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.into, self.out = nn.Conv2d(4, 16, 1), nn.Conv2d(16, 4, 1)
        self.down = nn.ModuleList([nn.Conv2d(16, 16, 3, 2, 1) for _ in range(2)])
        self.transformers = nn.ModuleList([SpatialTransformer(1 + i % 2) for i in range(3)])
        self.double().eval()

    def forward(
        self, x: Tensor, timesteps: Any, context: Tensor, transformer_options: dict[str, Any]
    ) -> Tensor:
        transformer_options["original_shape"] = list(x.shape)
        size, h = x.shape[2:], self.into(x)
        for i, transformer in enumerate(self.transformers):
            transformer_options["block"] = ("input", i)
            h = transformer(h, context, transformer_options)
            for patch in transformer_options.get("patches", {}).get("input_block_patch", []):
                h = patch(h, transformer_options)
            if i < len(self.down):
                h = self.down[i](h)
        return self.out(nn.functional.interpolate(h, size=size))


class Patcher:
    """`forge_objects.unet`."""

    def __init__(self, unet: Any) -> None:
        self.model = SimpleNamespace(diffusion_model=unet)
        self.model_options: dict[str, Any] = {"transformer_options": {}}

    def clone(self) -> Patcher:
        made = Patcher(self.model.diffusion_model)
        made.model_options = copy.deepcopy(self.model_options)
        return made

    def patch(self, name: str, patch: Callable[..., Any]) -> None:
        self.model_options["transformer_options"].setdefault("patches", {}).setdefault(name, []).append(patch)

    def replace(self, block: tuple[Any, ...], patch: Callable[..., Any]) -> None:
        options = self.model_options["transformer_options"].setdefault("patches_replace", {})
        options.setdefault("attn2", {})[block] = patch


class Checkpoint:
    def __init__(self, unet: Any) -> None:
        self.forge_objects = SimpleNamespace(unet=Patcher(unet))


class CFGDenoiser(nn.Module):
    """`sampler.model_wrap_cfg`: a step of `chunks`, which are run together or one by one."""

    def __init__(self, p: Any) -> None:
        super().__init__()
        self.p, self.step = p, 0
        self.refiner: Checkpoint | None = None
        self.prompts_made_anew = 0

    def forward(self, x: Tensor, *calls: Sequence[Chunk]) -> Tensor:
        if self.refiner is not None:  # apply_refiner
            self.p.sd_model, self.refiner = self.refiner, None
            self.update_inner_model()
        results = [self.call(x, chunks) for chunks in calls]
        self.step += 1
        return torch.cat(results)

    def update_inner_model(self) -> None:
        self.prompts_made_anew += 1

    def call(self, x: Tensor, chunks: Sequence[Chunk]) -> Tensor:
        unet = self.p.sd_model.forge_objects.unet
        kinds, rows = [kind for kind, _ in chunks], x.shape[0]
        options = unet.model_options["transformer_options"].copy()
        options |= {"cond_or_uncond": kinds, "sigmas": torch.ones(rows)}
        for name, wanted in (("cond_indices", 0), ("uncond_indices", 1)):
            options[name] = [i * rows + j for i, k in enumerate(kinds) if k == wanted for j in range(rows)]
        context = torch.cat([cond for _, cond in chunks])
        made: Tensor = unet.model.diffusion_model(
            torch.cat([x] * len(chunks)), None, context=context, transformer_options=options
        )
        return made


class Sampler:
    def __init__(self, p: Any) -> None:
        self.model_wrap_cfg: Any = CFGDenoiser(p)

    def sample(self, *given: Any, **named: Any) -> str:
        return "sampled"

    sample_img2img = sample


def run(sd_model: Checkpoint) -> Any:
    """`p` when a sampling pass starts."""
    p = SimpleNamespace(sd_model=sd_model, sampler_name="Euler")
    p.sampler = Sampler(p)
    return p


def webui(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this process a Forge."""
    for name in ("modules", "modules.script_callbacks", "modules.sd_samplers_cfg_denoiser", "modules_forge"):
        made: Any = ModuleType(name)
        made.__path__ = []
        made.CFGDenoiser = CFGDenoiser
        monkeypatch.setitem(sys.modules, name, made)


def latent(rows: int, height: int, width: int, seed: int = 3) -> Tensor:
    made = torch.randn(rows, 4, height, width, generator=torch.Generator().manual_seed(seed))
    return made.double()


def conds(*seeds: int, tokens: int = 7) -> Tensor:
    """A conditioning a picture."""
    rows = [torch.randn(tokens, CHANNELS, generator=torch.Generator().manual_seed(s)) * 3 for s in seeds]
    return torch.stack(rows).double()
