"""Trains the sketch tagger on drawn scenes and writes it as a WD v3 tagger: ONNX and CSV."""

from __future__ import annotations

import csv
import math
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from . import vocabulary as words
from .tagger_data import OUTPUTS, PART, RATINGS, UNKNOWN, Bytes, cached_part
from .tagger_export import export_tagger
from .tagger_net import TaggerNet

BATCH = 32
TRUNK_RATE = 0.02
REST_RATE = 3e-3

Report = Callable[[str], None]


def train_tagger(
    out_dir: Path | str,
    *,
    seed: int = 1,
    steps: int = 1000,
    parts: int = 24,
    cache: Path | str | None = None,
    report: Report = print,
) -> None:
    """Trains for `steps` batches of 32 pictures and writes `model.onnx` and `selected_tags.csv`.

    The pictures are `parts` × 1000 drawn scenes of the namespace "train". They are kept in `cache`
    (0.6 GB a part) and reused from there; None draws them anew in a temporary folder. One seed and
    one number of threads give the same weights again. The shipped files are those of the defaults;
    more steps count people in crowds better.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(cache) if cache is not None else Path(scratch)
        net = fit(folder, seed, steps, parts, report)
    target = Path(out_dir)
    target.mkdir(parents=True, exist_ok=True)
    write_tags(target / "selected_tags.csv")
    export_tagger(net, target / "model.onnx")
    report(f"tagger written to {target}")


def fit(folder: Path, seed: int, steps: int, parts: int, report: Report) -> TaggerNet:
    """The trained network, in evaluation mode."""
    torch.manual_seed(seed)
    net = TaggerNet(len(OUTPUTS))
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizers = _optimizers(net)
    peaks = [group["lr"] for o in optimizers for group in o.param_groups]
    begun = time.monotonic()
    net.train()
    running = 0.0
    for step, (pictures, labels) in enumerate(_batches(folder, seed, steps, parts)):
        share = min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        groups = (group for o in optimizers for group in o.param_groups)
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * share
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(pictures)
        judged = labels != UNKNOWN
        losses = functional.binary_cross_entropy_with_logits(
            logits.float(), (labels == 1).float(), reduction="none"
        )
        loss = (losses * judged).sum() / judged.sum() * 100
        net.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        running += 0.02 * (loss.item() - running) if step else loss.item()
        if step % 100 == 99:
            minutes = (time.monotonic() - begun) / 60
            report(f"tagger: step {step + 1} of {steps}, loss {running:.3f}, {minutes:.1f} min")
    net.eval()
    return net


class Orthogonal(torch.optim.Optimizer):
    """Momentum whose step has all its singular values near 1 (Muon), for convolutions.

    A plain step is ruled by what most pictures have in common; here rare details (a mouth, a ribbon)
    move the weights as much.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.9) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["speed"] = torch.zeros_like(weight.grad)
                speed = state["speed"]
                speed.mul_(group["momentum"]).add_(weight.grad)
                turn = orthogonal((weight.grad + group["momentum"] * speed).flatten(1))
                # The size that leaves a unit-gain layer's outputs changing by about the rate.
                size = max(1.0, turn.shape[0] / turn.shape[1]) ** 0.5
                weight.mul_(1 - 0.02 * group["lr"])
                weight.add_(turn.view_as(weight), alpha=-group["lr"] * size)


def orthogonal(matrix: torch.Tensor, rounds: int = 5) -> torch.Tensor:
    """Float32 [a, b] → about the nearest matrix with singular values of 1 (0.7…1.2)."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).bfloat16()
    x = x / (torch.linalg.norm(x) + 1e-7)
    for _ in range(rounds):  # the quintic Newton–Schulz iteration
        square = x @ x.T
        x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
    result: torch.Tensor = (x.T if tall else x).float()
    return result


def _optimizers(net: TaggerNet) -> list[torch.optim.Optimizer]:
    """Convolutions of the trunk turn orthogonally; the first layer, the norms and the head do not."""
    trunk = [p for p in net.stages.parameters() if p.ndim == 4]
    taken = {id(p) for p in trunk}
    rest = [p for p in net.parameters() if id(p) not in taken]
    return [Orthogonal(trunk, TRUNK_RATE), torch.optim.AdamW(rest, REST_RATE, weight_decay=0.01)]


def _batches(folder: Path, seed: int, steps: int, parts: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """`steps` batches: float32 [32, 3, 448, 448] in 0…255 (RGB) and uint8 [32, outputs].

    The first pass takes part after part, so that training can begin before all is drawn; the later
    ones mix everything. Half the pictures are mirrored, and all are made a little lighter or darker.
    """
    chance = np.random.default_rng(seed)
    loaded: list[tuple[Bytes, Bytes]] = []
    queue: list[int] = []
    for _ in range(steps):
        while len(queue) < BATCH:
            if len(loaded) < parts:
                loaded.append(cached_part(folder, seed, len(loaded)))
                first = (len(loaded) - 1) * PART
                queue += (first + chance.permutation(PART)).tolist()
            else:
                queue += chance.permutation(parts * PART).tolist()
        chosen, queue = queue[:BATCH], queue[BATCH:]
        pictures = np.stack([loaded[i // PART][0][i % PART] for i in chosen])
        labels = np.stack([loaded[i // PART][1][i % PART] for i in chosen])
        batch = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
        mirrored = torch.from_numpy(chance.random(BATCH) < 0.5)
        batch[mirrored] = batch[mirrored].flip(3)
        gain = torch.from_numpy(chance.uniform(0.93, 1.05, BATCH)).float()
        batch = (batch * gain[:, None, None, None]).clamp_(0, 255)
        yield batch.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels)


def write_tags(path: Path) -> None:
    """`selected_tags.csv` in the WD layout: ratings (category 9), general (0), characters (4)."""
    with path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(("tag_id", "name", "category", "count"))
        for number, name in enumerate(OUTPUTS):
            category = 9 if name in RATINGS else 4 if name in words.MASCOTS else 0
            writer.writerow((9990000 + number, name, category, 1000))
