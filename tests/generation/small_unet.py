"""A UNet in Stable Diffusion's own layout with small sizes, and LoRA files for it in every usual way of writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, scaled_dot_product_attention, silu

CHANNELS, CONTEXT, TIME, HEADS = 8, 12, 6, 2


class Attention(nn.Module):
    def __init__(self, channels: int, context: int) -> None:
        super().__init__()
        self.heads = HEADS
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k, self.to_v = (nn.Linear(context, channels, bias=False) for _ in range(2))
        self.to_out = nn.Sequential(nn.Linear(channels, channels), nn.Dropout(0.0))

    def forward(self, x: Tensor, context: Tensor | None = None, **_: Any) -> Tensor:
        context = x if context is None else context
        q, k, v = (
            t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for t in (self.to_q(x), self.to_k(context), self.to_v(context))
        )
        return self.to_out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class GEGLU(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Linear(channels, 4 * channels)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, -1)
        return value * gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(GEGLU(channels), nn.Dropout(0.0), nn.Linear(2 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attn1, self.attn2 = Attention(channels, channels), Attention(channels, CONTEXT)
        self.ff = FeedForward(channels)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(channels) for _ in range(3))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context=context)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    """`proj_in` and `proj_out` are linear in SDXL, convolutions in Stable Diffusion 1.5."""

    def __init__(self, channels: int, linear: bool) -> None:
        super().__init__()
        self.linear = linear
        make: Callable[..., nn.Module] = nn.Linear if linear else (lambda i, o: nn.Conv2d(i, o, 1))
        self.proj_in, self.proj_out = make(channels, channels), make(channels, channels)
        self.transformer_blocks = nn.ModuleList([Block(channels)])

    def forward(self, x: Tensor, context: Tensor, transformer_options: Any = None) -> Tensor:
        h, w = x.shape[2:]
        y = x if self.linear else self.proj_in(x)
        y = y.flatten(2).mT
        y = self.proj_in(y) if self.linear else y
        for block in self.transformer_blocks:
            y = block(y, context)
        y = self.proj_out(y) if self.linear else y
        y = y.mT.unflatten(2, (h, w))
        return x + (y if self.linear else self.proj_out(y))


class ResBlock(nn.Module):
    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(nn.GroupNorm(2, into), nn.SiLU(), nn.Conv2d(into, out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(TIME, out))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(2, out), nn.SiLU(), nn.Dropout(0.0), nn.Conv2d(out, out, 3, padding=1)
        )
        self.skip_connection = nn.Conv2d(into, out, 1) if into != out else nn.Identity()

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = self.in_layers(x)
        emb_out = self.emb_layers(emb).type(h.dtype)
        while len(emb_out.shape) < len(h.shape):
            emb_out = emb_out[..., None]
        return self.skip_connection(x) + self.out_layers(h + emb_out)


class Downsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, size: Any) -> Tensor:
        return self.conv(interpolate(x, size=size))


class UNet(nn.Module):
    """Two levels: blocks 0 to 3 in, a middle, blocks 0 to 2 out (the last level's, with the upsampler)."""

    def __init__(self, seed: int = 0, linear: bool = True) -> None:
        super().__init__()
        torch.manual_seed(seed)
        c = CHANNELS
        self.time_embed = nn.Sequential(nn.Linear(4, TIME), nn.SiLU(), nn.Linear(TIME, TIME))
        self.input_blocks = nn.ModuleList(
            [
                nn.ModuleList([nn.Conv2d(4, c, 3, padding=1)]),
                nn.ModuleList([ResBlock(c, c), SpatialTransformer(c, linear)]),
                nn.ModuleList([ResBlock(c, c), SpatialTransformer(c, linear)]),
                nn.ModuleList([Downsample(c)]),
            ]
        )
        self.middle_block = nn.ModuleList([ResBlock(c, c), SpatialTransformer(c, linear), ResBlock(c, c)])
        self.output_blocks = nn.ModuleList(
            [
                nn.ModuleList([ResBlock(2 * c, c), SpatialTransformer(c, linear)]),
                nn.ModuleList([ResBlock(c, c), SpatialTransformer(c, linear)]),
                nn.ModuleList([ResBlock(c, c), SpatialTransformer(c, linear), Upsample(c)]),
            ]
        )
        self.out = nn.Sequential(nn.GroupNorm(2, c), nn.SiLU(), nn.Conv2d(c, 4, 3, padding=1))
        self.double().eval()

    def forward(
        self, x: Tensor, timesteps: Any = None, context: Tensor | None = None, transformer_options: Any = None
    ) -> Tensor:
        assert context is not None
        emb = self.time_embed(torch.ones(x.shape[0], 4, dtype=x.dtype))
        hs: list[Tensor] = []
        h, size = x, x.shape[2:]
        for parts in [*self.input_blocks, self.middle_block, *self.output_blocks]:
            if parts is self.output_blocks[0]:
                h = torch.cat([h, hs[-1]], 1)
            for part in parts:
                if isinstance(part, ResBlock):
                    h = part(h, emb)
                elif isinstance(part, SpatialTransformer):
                    h = part(h, context, transformer_options)
                else:
                    h = part(h, size) if isinstance(part, Upsample) else part(h)
            hs.append(h)
        return self.out(silu(h))


Tensors = dict[str, Tensor]


def changeable(unet: nn.Module) -> dict[str, tuple[int, ...]]:
    """The modules that LoRAs are trained on, with their weights' shapes."""
    return {
        name: tuple(module.weight.shape)
        for name, module in unet.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d)) and not name.startswith("time_embed")
    }


def factors(shape: tuple[int, ...], seed: int, kind: str, rank: int = 2) -> Tensors:
    """A module's tensors of a kind, by part, large enough to be seen."""
    g = torch.Generator().manual_seed(seed)
    out, into, *kernel = shape

    def made(*size: int) -> Tensor:
        return torch.randn(*size, generator=g, dtype=torch.float64) * 0.4

    alpha = torch.tensor(1.5, dtype=torch.float64)
    if kind == "lora":
        return {
            "down": made(rank, into, *kernel),
            "up": made(out, rank, *(1 for _ in kernel)),
            "alpha": alpha,
        }
    if kind == "tucker" and kernel and kernel != [1, 1]:
        return {"down": made(rank, into, 1, 1), "mid": made(rank, rank, *kernel), "up": made(out, rank, 1, 1)}
    if kind == "tucker":
        return factors(shape, seed, "lora")
    if kind == "loha":
        flat = into * (kernel[0] * kernel[1] if kernel else 1)
        return {
            "hada_w1_a": made(out, rank), "hada_w1_b": made(rank, flat),
            "hada_w2_a": made(out, rank), "hada_w2_b": made(rank, flat), "alpha": alpha,
        }  # fmt: skip
    if kind == "loha tucker" and kernel and kernel != [1, 1]:
        return {
            "hada_t1": made(rank, rank, *kernel), "hada_w1_a": made(rank, out), "hada_w1_b": made(rank, into),
            "hada_t2": made(rank, rank, *kernel), "hada_w2_a": made(rank, out), "hada_w2_b": made(rank, into),
        }  # fmt: skip
    if kind == "loha tucker":
        return factors(shape, seed, "loha")
    a = 2
    if kind == "lokr":
        return {"lokr_w1": made(a, a), "lokr_w2": made(out // a, into // a, *kernel)}
    assert kind == "lokr factored"
    two: Tensors = {"lokr_w2_a": made(out // a, rank), "lokr_w2_b": made(rank, into // a, *kernel)}
    if kernel and kernel != [1, 1]:
        two = {
            "lokr_t2": made(rank, rank, *kernel),
            "lokr_w2_a": made(rank, out // a),
            "lokr_w2_b": made(rank, into // a),
        }
    return {"lokr_w1_a": made(a, 1), "lokr_w1_b": made(1, a), **two, "alpha": alpha}


def matrix(parts: Mapping[str, Tensor], shape: tuple[int, ...]) -> Tensor:
    """The change as one weight, with alpha, written down plainly."""

    def cp(t: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return torch.einsum("rsxy,ro,si->oixy", t, a, b)

    rank = None
    if "mid" in parts:
        down, up = parts["down"][:, :, 0, 0], parts["up"][:, :, 0, 0]
        made = torch.einsum("or,rsxy,si->oixy", up, parts["mid"], down)
        rank = down.shape[0]
    elif "down" in parts:
        rank = parts["down"].shape[0]
        made = parts["up"].reshape(-1, rank) @ parts["down"].reshape(rank, -1)
    elif "hada_w1_a" in parts:
        rank = parts["hada_w1_b"].shape[0]
        one, two = (
            cp(parts[f"hada_t{n}"], parts[f"hada_w{n}_a"], parts[f"hada_w{n}_b"])
            if f"hada_t{n}" in parts
            else parts[f"hada_w{n}_a"] @ parts[f"hada_w{n}_b"]
            for n in (1, 2)
        )
        made = one * two
    else:
        one = parts["lokr_w1"] if "lokr_w1" in parts else parts["lokr_w1_a"] @ parts["lokr_w1_b"]
        if "lokr_w2" in parts:
            two = parts["lokr_w2"]
        else:
            a, b = parts["lokr_w2_a"], parts["lokr_w2_b"]
            rank = b.shape[0]
            two = cp(parts["lokr_t2"], a, b) if "lokr_t2" in parts else torch.tensordot(a, b, 1)
        blocks = [torch.cat([one[i, j] * two for j in range(one.shape[1])], 1) for i in range(one.shape[0])]
        made = torch.cat(blocks, 0)
    scale = float(parts["alpha"]) / rank if "alpha" in parts and rank else 1.0
    return (made * scale).reshape(shape)
