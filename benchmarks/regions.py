"""Regions in an SDXL UNet: the time they add to a sampling step, ours beside the peers' way, in one run.

    python -m benchmarks regions [--json] [--rounds 5] [--side 1024] [--device cpu] [--dtype float32]

What is measured is a step of classifier-free guidance on one picture: two rows, the prompt's and the negative one's.
Regions are columns that cover the picture; their prompts have 77 tokens and act on the prompt's row, as in the peers.

The UNet is not a model but SDXL's parts, with random weights of its sizes: the 70 transformer blocks (10 of 640
channels on the grid of a quarter of the latent's cells, 60 of 1280 on that of a sixteenth) with self-attention,
cross-attention, gated feed-forward and their norms, the projections around them, and all convolutions. Parts of one
shape share one set of weights. Each part is timed by itself and counted as often as SDXL has it; embeddings, the
residual blocks' norms and the sampler are left out, so that a real step is somewhat longer and both percentages are
somewhat smaller.

`added_percent` is what our blending adds to a step, as the hooks run it, with the regions' keys and values, which are
computed once a pass, shared out over 20 steps. `peer_added_percent` is the same for the usual way, written plainly: the prompt's row
is repeated before `to_q` for the base and each region, keys and values of all are projected in every step, `to_out`
runs on all, and then the masks blend. The results of both are compared before they are timed.

On a CPU it is one thread's processor time that counts, so that what else a machine does changes little; on a GPU
(`--device cuda --dtype float16`) it is the time on the clock.

`unequal` is the case of three regions whose prompts have 2, 3 and 5 chunks of 77 tokens: the peers repeat all of them,
and the negative prompt, up to their least common multiple of 30 chunks.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from lib_extend.generation.attention import RegionalAttention
from lib_extend.generation.batch_conditionings import Picture, Schedule
from lib_extend.generation.batch_rows import Layout
from lib_extend.generation.masks import levels, mask, shares
from lib_extend.generation.places import columns

COUNTS = (2, 3, 5)
CONTEXT, TOKENS, STEPS = 2048, 77, 20
CHUNKS = (2, 3, 5)
BLOCKS = ((640, 10, 1, 10), (1280, 20, 2, 60))
"""Channels, heads, level and number of SDXL's transformer blocks."""
CONVOLUTIONS = (
    # in, out, kernel, level of the result, number
    (4, 320, 3, 0, 1), (320, 320, 3, 0, 7), (960, 320, 3, 0, 1), (640, 320, 3, 0, 2), (640, 640, 3, 0, 1),
    (320, 4, 3, 0, 1), (960, 320, 1, 0, 1), (640, 320, 1, 0, 2),
    (320, 320, 3, 1, 1), (320, 640, 3, 1, 1), (640, 640, 3, 1, 6), (1920, 640, 3, 1, 1), (1280, 640, 3, 1, 1),
    (960, 640, 3, 1, 1), (1280, 1280, 3, 1, 1), (320, 640, 1, 1, 1), (1920, 640, 1, 1, 1), (1280, 640, 1, 1, 1),
    (960, 640, 1, 1, 1),
    (640, 640, 3, 2, 1), (640, 1280, 3, 2, 1), (1280, 1280, 3, 2, 10), (2560, 1280, 3, 2, 2),
    (1920, 1280, 3, 2, 1), (640, 1280, 1, 2, 1), (2560, 1280, 1, 2, 2), (1920, 1280, 1, 2, 1),
)  # fmt: skip
"""Of SDXL's 17 residual blocks, between its levels, at its ends."""
PROJECTIONS = ((640, 1, 2 * 5), (1280, 2, 2 * 6))
"""Channels, level and number of the linear layers around the transformer blocks."""


def main(argv: Sequence[str]) -> int:
    """Measures and prints a table; with `--json` one object on the last line. Returns the exit code."""
    parser = argparse.ArgumentParser("python -m benchmarks regions")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    parser.add_argument("--rounds", type=int, default=5, help="the median of all counts")
    parser.add_argument("--side", type=int, default=1024, help="pixels of the picture's sides")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float16", "bfloat16"))
    options = parser.parse_args(argv)
    if options.device == "cpu":
        torch.set_num_threads(1)
    result = measure(options.side, max(1, options.rounds), options.device, getattr(torch, options.dtype))
    print(
        f"a step without regions {result['step_seconds']:.3f} s ({options.side}², {options.dtype}, {options.device})"
    )
    print(f"{'regions':>10}{'ours':>10}{'peers':>10}")
    for n in COUNTS:
        ours, peer = result["added_percent"][str(n)], result["peer_added_percent"][str(n)]
        print(f"{n:10}{ours:+9.2f} %{peer:+8.2f} %")
    ours, peer = result["unequal"]["added_percent"], result["unequal"]["peer_added_percent"]
    print(f"{'2+3+5 chunks':>12}{ours:+7.2f} %{peer:+8.2f} %")
    if options.json:
        print(json.dumps(result))
    return 0


@torch.no_grad()
def measure(side: int, rounds: int, device: str, dtype: torch.dtype) -> dict[str, Any]:
    """Seconds of a step without regions, and what regions add to it in percent."""
    torch.manual_seed(0)
    latent = math.ceil(side / 8)
    runs = list(_parts(levels(latent, latent, 3), device, dtype))
    totals = [_round(runs, device) for _ in range(rounds + 1)][1:]  # the first warms up

    def percent(name: str, way: str) -> float:
        return statistics.median(
            100 * (t[f"ours {name}"] + t[f"keys {name}"] / STEPS if way == "ours" else t[f"peer {name}"] - t["cross"])
            / (t["rest"] + t["cross"])
            for t in totals
        )  # fmt: skip

    return {
        "step_seconds": statistics.median(t["rest"] + t["cross"] for t in totals),
        "added_percent": {str(n): percent(str(n), "ours") for n in COUNTS},
        "peer_added_percent": {str(n): percent(str(n), "peer") for n in COUNTS},
        "unequal": {
            "added_percent": percent("unequal", "ours"),
            "peer_added_percent": percent("unequal", "peer"),
        },
        "side": side,
        "device": device,
        "dtype": str(dtype).removeprefix("torch."),
    }


Run = Callable[[], object]


def _parts(
    grids: Sequence[tuple[int, int]], device: str, dtype: torch.dtype
) -> Iterator[tuple[str, int, Run]]:
    """(what it belongs to, how often SDXL has it, what to time)."""

    def made(*shape: int) -> Tensor:
        return torch.randn(*shape, device=device, dtype=dtype)

    for into, out, kernel, level, count in CONVOLUTIONS:
        conv = nn.Conv2d(into, out, kernel, padding=kernel // 2).to(device, dtype)
        yield "rest", count, partial(conv, made(2, into, *grids[level]))
    for channels, level, count in PROJECTIONS:
        linear = nn.Linear(channels, channels).to(device, dtype)
        yield "rest", count, partial(linear, made(2, math.prod(grids[level]), channels))
    for channels, heads, level, count in BLOCKS:
        block = Block(channels, heads).to(device, dtype)
        x, context = made(2, math.prod(grids[level]), channels), made(2, TOKENS, CONTEXT)
        yield "rest", count, partial(block.rest, x)
        yield "cross", count, partial(block.cross, x, context)
        cases = [(str(n), (1,) * n) for n in COUNTS] + [("unequal", CHUNKS)]
        for name, chunks in cases:
            ways = Ways(block, x, context, [made(TOKENS * n, CONTEXT) for n in chunks], grids[level])
            ways.compare()
            yield f"ours {name}", count, ways.ours
            yield f"keys {name}", count, ways.keys
            yield f"peer {name}", count, ways.peer


def _round(runs: Sequence[tuple[str, int, Run]], device: str) -> dict[str, float]:
    """Seconds by name, each part as often as it counts."""
    seconds: dict[str, float] = {}
    for name, count, run in runs:
        start = _clock(device)
        run()
        seconds[name] = seconds.get(name, 0.0) + count * (_clock(device) - start)
    return seconds


def _clock(device: str) -> float:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.thread_time()


class Attention(nn.Module):
    """`attn1` and `attn2` of the hosts."""

    def __init__(self, channels: int, heads: int, context: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context, channels, bias=False)
        self.to_v = nn.Linear(context, channels, bias=False)
        self.to_out = nn.Sequential(nn.Linear(channels, channels))

    def inner(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """The queries, and the attention before `to_out`."""
        query = self.to_q(x)
        q, k, v = (
            t.view(t.shape[0], t.shape[1], self.heads, -1).transpose(1, 2)
            for t in (query, self.to_k(context), self.to_v(context))
        )
        return query, scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        out: Tensor = self.to_out(self.inner(x, context)[1])
        return out


class Block(nn.Module):
    """A transformer block of SDXL."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(channels) for _ in range(3)])
        self.attn1 = Attention(channels, heads, channels)
        self.attn2 = Attention(channels, heads, CONTEXT)
        self.gate, self.down = nn.Linear(channels, 8 * channels), nn.Linear(4 * channels, channels)

    def rest(self, x: Tensor) -> Tensor:
        """Everything but the cross-attention."""
        seen = self.norms[0](x)
        x = x + self.attn1(seen, seen)
        value, gate = self.gate(self.norms[2](x)).chunk(2, -1)
        out: Tensor = x + self.down(value * gelu(gate))
        return out

    def cross(self, x: Tensor, context: Tensor) -> Tensor:
        """The cross-attention without regions."""
        out: Tensor = x + self.attn2(self.norms[1](x), context)
        return out


class Ways:
    """The cross-attention of one block with regions, in both ways; row 0 is the prompt's, 1 the negative one's."""

    def __init__(
        self, block: Block, x: Tensor, context: Tensor, conds: Sequence[Tensor], size: tuple[int, int]
    ) -> None:
        self.block, self.x, self.context, self.conds, self.size = block, x, context, conds, size
        of = shares(columns(len(conds)), [1.0] * len(conds), 0.3)
        picture = Picture(of, tuple(map(Schedule.of, conds)), (None,) * len(conds))
        self.regional = RegionalAttention([picture])
        self.call = self.regional.call(Layout.forge([0, 1], 2), 0, STEPS)
        self.masks = torch.tensor(
            [mask(of, r, *size) for r in range(of.count + 1)], device=x.device, dtype=x.dtype
        ).flatten(1)[..., None]
        self.query, self.inner = block.attn2.inner(block.norms[1](x), context)

    def ours(self) -> Tensor:
        """What the regions add between `to_q` and `to_out`; both of these are the host's and run anyway."""
        return self._blend(self.inner)

    def _blend(self, inner: Tensor) -> Tensor:
        attn = self.block.attn2
        return self.call.blend(0, self.query, inner, self.size, attn.heads, attn.to_k, attn.to_v, own=True)

    def keys(self) -> None:
        """What they add once a pass."""
        attn = self.block.attn2
        for cond in self.conds:
            attn.to_k(cond[None])
            attn.to_v(cond[None])

    def peer(self) -> Tensor:
        """The whole cross-attention in the peers' way."""
        lengths = [self.context.shape[1], *(c.shape[0] for c in self.conds)]
        whole = math.lcm(*lengths)
        tiled = [
            c.repeat(1, whole // c.shape[1], 1)
            for c in (self.context[:1], *(c[None] for c in self.conds), self.context[1:])
        ]
        rows = len(self.conds) + 1
        seen = self.block.norms[1](self.x)
        out = self.block.attn2(torch.cat([seen[:1].expand(rows, -1, -1), seen[1:]]), torch.cat(tiled))
        prompt = (out[:rows] * self.masks).sum(0, keepdim=True)
        return self.x + torch.cat([prompt, out[rows:]])

    def compare(self) -> None:
        """Raises AssertionError when the two do not mean the same."""
        ours = self.x + self.block.attn2.to_out(self._blend(self.inner.clone()))
        rough = ours.dtype != torch.float32
        torch.testing.assert_close(
            ours, self.peer(), atol=5e-2 if rough else 1e-4, rtol=5e-2 if rough else 1e-3
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
