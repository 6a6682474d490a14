"""LoRAs in boxes in an SDXL UNet: the time they add to a step, beside one more pass a LoRA, in one run.

    python -m benchmarks region_lora [--json] [--rounds 3] [--side 1024] [--device cpu] [--dtype float32]

Two LoRAs of a rank, in the left and the right half, change all linear layers of SDXL's 70 transformer blocks and the
projections around them, as the usual SDXL LoRAs do; what is timed besides is as in `benchmarks.regions`, its parts counted
as often as SDXL has them, with random weights. `added_percent` is what the masked changes add to a step of two rows;
`pass_added_percent` what one more pass of the UNet for each LoRA adds, as it is done elsewhere: 100 % a LoRA, measured as
the same step run twice more. `bytes` are the LoRAs' tensors, `file_bytes` what their files hold.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from benchmarks import regions
from lib_extend.generation.lora_deltas import delta
from lib_extend.generation.lora_weights import Change
from lib_extend.generation.masks import levels, shares
from lib_extend.generation.places import columns
from lib_extend.generation.regional_lora import RegionalLoras

LORAS = 2


def main(argv: Sequence[str]) -> int:
    """Measures and prints; with `--json` one object on the last line. Returns the exit code."""
    parser = argparse.ArgumentParser("python -m benchmarks region_lora")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    parser.add_argument("--rounds", type=int, default=3, help="the median of all counts")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--side", type=int, default=1024, help="pixels of the picture's sides")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float16", "bfloat16"))
    options = parser.parse_args(argv)
    if options.device == "cpu":
        torch.set_num_threads(1)
    result = measure(
        options.side, max(1, options.rounds), options.rank, options.device, getattr(torch, options.dtype)
    )
    print(
        f"a step without LoRAs {result['step_seconds']:.3f} s ({options.side}², {options.dtype}, {options.device})\n"
        f"two LoRAs of rank {options.rank} in two halves {result['added_percent']:+.2f} %, "
        f"a pass a LoRA {result['pass_added_percent']:+.2f} %, "
        f"{result['bytes'] / 1e6:.0f} MB of files of {result['file_bytes'] / 1e6:.0f} MB"
    )
    if options.json:
        print(json.dumps(result))
    return 0


@torch.no_grad()
def measure(side: int, rounds: int, rank: int, device: str, dtype: torch.dtype) -> dict[str, Any]:
    """Seconds of a step without LoRAs, and what two in two halves add to it in percent."""
    torch.manual_seed(0)
    latent = math.ceil(side / 8)
    grids = levels(latent, latent, 3)
    of = shares(columns(LORAS), [1.0] * LORAS, 0.0)
    runs: list[tuple[str, int, regions.Run]] = []
    numbers = kept = 0

    def made(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, device=device, dtype=dtype)

    def changed(linear: Any, size: tuple[int, int], count: int) -> None:
        nonlocal numbers, kept
        out, into = linear.weight.shape
        places = {}
        for place in range(1, LORAS + 1):
            parts = {"down": made(rank, into), "up": made(out, rank)}
            numbers += count * sum(t.numel() * t.element_size() for t in parts.values())
            change = delta(parts, (out, into))
            change.to(linear.weight)
            kept += count * sum(t.numel() * t.element_size() for t in change._tensors.values())  # type: ignore[attr-defined]
            places[place] = {"x": [Change("", change, 1.0)]}
        loras = RegionalLoras(of, places)
        x = made(2, math.prod(size), into)
        result = linear(x)
        before = result.clone()
        loras.add_tokens("x", x, result, size)
        left = Change("", loras.by_place[1]["x"][0].delta, 1.0).delta.of(x)
        torch.testing.assert_close(
            result.view(2, *size, -1)[:, :, 0],
            (before + left).view(2, *size, -1)[:, :, 0],
            atol=1e-2,
            rtol=1e-2,
        )
        runs.append(("lora", count, partial(loras.add_tokens, "x", x, result, size)))

    for into, out, kernel, level, count in regions.CONVOLUTIONS:
        conv = nn.Conv2d(into, out, kernel, padding=kernel // 2).to(device, dtype)
        runs.append(("step", count, partial(conv, made(2, into, *grids[level]))))
    for channels, level, count in regions.PROJECTIONS:
        linear = nn.Linear(channels, channels).to(device, dtype)
        runs.append(("step", count, partial(linear, made(2, math.prod(grids[level]), channels))))
        changed(linear, grids[level], count)
    for channels, heads, level, count in regions.BLOCKS:
        block = regions.Block(channels, heads).to(device, dtype)
        x, context = made(2, math.prod(grids[level]), channels), made(2, regions.TOKENS, regions.CONTEXT)
        runs += [("step", count, partial(block.rest, x)), ("step", count, partial(block.cross, x, context))]
        layers = (
            block.attn1.to_q,
            block.attn1.to_k,
            block.attn1.to_v,
            block.attn1.to_out[0],
            block.attn2.to_q,
        )
        for layer in (*layers, block.attn2.to_out[0], block.gate, block.down):
            changed(layer, grids[level], count)
        runs.append(("lora", count, _keys(block, x, context, of, grids[level], rank)))
    totals = [regions._round(runs, device) for _ in range(rounds + 1)][1:]  # the first warms up
    again = [regions._round([r for r in runs if r[0] == "step"], device)["step"] for _ in range(LORAS)]
    step = statistics.median(t["step"] for t in totals)
    return {
        "step_seconds": step,
        "added_percent": statistics.median(100 * t["lora"] / t["step"] for t in totals),
        "pass_added_percent": 100 * sum(again) / step,
        "bytes": kept,
        "file_bytes": numbers,
        "rank": rank,
        "side": side,
        "device": device,
        "dtype": str(dtype).removeprefix("torch."),
    }


def _keys(
    block: regions.Block, x: Any, context: Any, of: Any, size: tuple[int, int], rank: int
) -> regions.Run:
    """The base prompt's attention with each LoRA's keys and values, in its half."""
    attn = block.attn2
    places = {}
    for place in range(1, LORAS + 1):
        names = {"a.to_k": attn.to_k, "a.to_v": attn.to_v}
        places[place] = {
            name: [Change("", delta({"down": torch.randn(rank, m.in_features).to(x), "up": torch.randn(m.out_features, rank).to(x)}, tuple(m.weight.shape)), 1.0)]
            for name, m in names.items()
        }  # fmt: skip
    loras = RegionalLoras(of, places)
    query, inner = attn.inner(block.norms[1](x), context)
    planes = (query.view(2, *size, -1), inner.view(2, *size, -1), None)
    prompt = ((context, attn.to_k(context)), (context, attn.to_v(context)))
    return lambda: loras.attend(
        "a", planes, prompt, attn.heads, torch.nn.functional.scaled_dot_product_attention
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
