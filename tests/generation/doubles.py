"""A cross-attention module as the hosts have it, and the regional formula written down plainly."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lib_extend.generation.cast import Place

CHANNELS, TOKENS = 24, 7


class CrossAttention(nn.Module):
    """`attn2` of a UNet: the hosts' names and shapes."""

    def __init__(self, channels: int = 16, heads: int = 2, context: int = CHANNELS) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context, channels, bias=False)
        self.to_v = nn.Linear(context, channels, bias=False)
        self.to_out = nn.Sequential(nn.Linear(channels, channels), nn.Dropout(0.0))

    def inner(self, x: Tensor, context: Tensor) -> Tensor:
        """Before `to_out`: softmax(q kᵀ / √d) v, written with einsum."""
        q, k, v = (
            t.view(t.shape[0], t.shape[1], self.heads, -1)
            for t in (self.to_q(x), self.to_k(context), self.to_v(context))
        )
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / q.shape[-1] ** 0.5
        return torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), v).flatten(2)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.to_out(self.inner(x, context))


def module(seed: int = 0, dtype: torch.dtype = torch.float64) -> CrossAttention:
    torch.manual_seed(seed)
    return CrossAttention().to(dtype).eval()


def cond(seed: int, tokens: int = TOKENS, dtype: torch.dtype = torch.float64) -> Tensor:
    """A conditioning (tokens, channels), large enough that prompts differ well above rounding."""
    return (
        torch.randn(tokens, CHANNELS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(
            dtype
        )
        * 3
    )


def hidden(rows: int, height: int, width: int, dtype: torch.dtype = torch.float64, seed: int = 9) -> Tensor:
    made = torch.randn(
        rows, height * width, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return made.to(dtype) * 2


def fine_masks(
    places: Sequence[Place], weights: Sequence[float], base: float, height: int, width: int, fine: int = 16
) -> list[Tensor]:
    """The masks of the base and the regions by sampling `fine` × `fine` points a cell: (height · width, 1)."""
    ys = (torch.arange(height * fine, dtype=torch.float64) + 0.5) / (height * fine)
    xs = (torch.arange(width * fine, dtype=torch.float64) + 0.5) / (width * fine)
    parts = []
    for (x0, y0, x1, y1), weight in zip(places, weights, strict=True):
        inside = ((ys >= y0) & (ys < y1))[:, None] & ((xs >= x0) & (xs < x1))[None]
        parts.append(inside.double() * ((1 - base) * weight))
    inside = sum(parts)
    total = torch.where(inside > 0, inside + base, 1.0)
    shares = [torch.where(inside > 0, base, 1.0) / total, *(p / total for p in parts)]
    return [s.view(height, fine, width, fine).mean((1, 3)).reshape(-1, 1).to(torch.float64) for s in shares]


def formula(attn: CrossAttention, x: Tensor, contexts: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
    """One row: Σ m_r · Attn(x, c_r) after to_out of each, which is the same as before it."""
    return sum(m * attn(x[None], c[None])[0] for m, c in zip(masks, contexts, strict=True))  # type: ignore[return-value]
