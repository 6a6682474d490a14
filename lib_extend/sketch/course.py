"""The course that the sketch tagger and the sketch detector both take: batches, variation, optimizers, steps.

One seed and one number of threads give the same weights again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from lib_extend.sketch.parts import Array

BATCH = 32
TRUNK_RATE = 0.02
REST_RATE = 3e-3

Report = Callable[[str], None]
Lesson = tuple[torch.Tensor, torch.Tensor]


def teach(
    net: nn.Module,
    trunk: Sequence[nn.Module],
    lessons: Iterable[Lesson],
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    steps: int,
    name: str,
    report: Report,
) -> None:
    """Trains `net` on (pictures, truth) batches and leaves it in evaluation mode.

    Args:
        trunk: its stages whose convolutions turn orthogonally; the first layer, the norms and the head do not.
        loss_of: what the net says, and the truth → the loss.
        steps: how many batches there are.
        name: begins the lines of the report, one every 100 steps.
    """
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizers = _optimizers(net, trunk)
    peaks = [group["lr"] for o in optimizers for group in o.param_groups]
    begun = time.monotonic()
    net.train()
    running = 0.0
    for step, (pictures, truth) in enumerate(lessons):
        share = min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        groups = (group for o in optimizers for group in o.param_groups)
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * share
        with torch.autocast("cpu", torch.bfloat16):
            said = net(pictures)
        loss = loss_of(said, truth)
        net.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        running += 0.02 * (loss.item() - running) if step else loss.item()
        if step % 100 == 99:
            minutes = (time.monotonic() - begun) / 60
            report(f"{name}: step {step + 1} of {steps}, loss {running:.3f}, {minutes:.1f} min")
    net.eval()


def batches(
    load: Callable[[int], tuple[Array, Array]], steps: int, parts: int, chance: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    """`steps` batches of 32 pictures with their truths, from parts of equal size.

    The first pass takes part after part, so that training can begin before all is drawn; the later ones mix
    everything.
    """
    loaded: list[tuple[Array, Array]] = []
    queue: list[int] = []
    size = 0
    for _ in range(steps):
        while len(queue) < BATCH:
            if len(loaded) < parts:
                loaded.append(load(len(loaded)))
                size = len(loaded[0][0])
                first = (len(loaded) - 1) * size
                queue += (first + chance.permutation(size)).tolist()
            else:
                queue += chance.permutation(parts * size).tolist()
        chosen, queue = queue[:BATCH], queue[BATCH:]
        pictures, truths = (np.stack([loaded[i // size][k][i % size] for i in chosen]) for k in (0, 1))
        yield pictures, truths


def varied(pictures: Array, top: float, chance: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 [32, S, S, 3] → float32 [32, 3, S, S] in 0…`top`, half of them mirrored, all a little lighter or
    darker; and bool [32], which are mirrored."""
    batch = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / (255 / top)
    mirrored = torch.from_numpy(chance.random(BATCH) < 0.5)
    batch[mirrored] = batch[mirrored].flip(3)
    gain = torch.from_numpy(chance.uniform(0.93, 1.05, BATCH)).float()
    batch = (batch * gain[:, None, None, None]).clamp_(0, top)
    return batch.contiguous(memory_format=torch.channels_last), mirrored


class Orthogonal(torch.optim.Optimizer):
    """Momentum whose step has all its singular values near 1 (Muon), for convolutions.

    In a plain step the features of most pictures dominate; here rare details (a mouth, a ribbon) change the weights as
    much.
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


def _optimizers(net: nn.Module, trunk: Sequence[nn.Module]) -> list[torch.optim.Optimizer]:
    turning = [p for stage in trunk for p in stage.parameters() if p.ndim == 4]
    taken = {id(p) for p in turning}
    rest = [p for p in net.parameters() if id(p) not in taken]
    return [Orthogonal(turning, TRUNK_RATE), torch.optim.AdamW(rest, REST_RATE, weight_decay=0.01)]
