"""Trains the sketch detector on drawn scenes and writes it as an ONNX file with a YOLO's signature."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .detector_data import PART, SIDE, Bytes, Floats, cached_part
from .detector_export import export_detector
from .detector_net import STRIDE, DetectorNet, boxes, cell_middles
from .tagger_training import Orthogonal

BATCH = 32
TRUNK_RATE = 0.02
REST_RATE = 3e-3

MIDDLE = 0.18
"""A cell stands for a person when it is this near the person's middle, as a share of the box's sides."""

Report = Callable[[str], None]


def train_detector(
    out_dir: Path | str,
    *,
    seed: int = 1,
    steps: int = 900,
    parts: int = 12,
    cache: Path | str | None = None,
    report: Report = print,
) -> None:
    """Trains for `steps` batches of 32 pictures and writes `model.onnx`.

    The pictures are `parts` × 1000 drawn scenes of the namespace "train". They are kept in `cache` (0.3 GB a
    part) and reused from there; None draws them anew in a temporary folder. One seed and one number of threads
    give the same weights again. The shipped file is that of the defaults.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(cache) if cache is not None else Path(scratch)
        net = fit(folder, seed, steps, parts, report)
    target = Path(out_dir)
    target.mkdir(parents=True, exist_ok=True)
    export_detector(net, target / "model.onnx")
    report(f"detector written to {target}")


def fit(folder: Path, seed: int, steps: int, parts: int, report: Report) -> DetectorNet:
    """The trained network, in evaluation mode."""
    torch.manual_seed(seed)
    net = DetectorNet()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizers = _optimizers(net)
    peaks = [group["lr"] for o in optimizers for group in o.param_groups]
    begun = time.monotonic()
    net.train()
    running = 0.0
    for step, (pictures, persons) in enumerate(_batches(folder, seed, steps, parts)):
        share = min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        groups = (group for o in optimizers for group in o.param_groups)
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * share
        with torch.autocast("cpu", torch.bfloat16):
            raw = net(pictures)
        loss = detector_loss(raw, persons)
        net.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        running += 0.02 * (loss.item() - running) if step else loss.item()
        if step % 100 == 99:
            minutes = (time.monotonic() - begun) / 60
            report(f"detector: step {step + 1} of {steps}, loss {running:.3f}, {minutes:.1f} min")
    net.eval()
    return net


def detector_loss(raw: torch.Tensor, persons: torch.Tensor) -> torch.Tensor:
    """The loss of raw outputs [N, 5, H, W] against persons' boxes [N, M, 4] in pixels, empty ones all zero.

    Cells near a person's middle learn its box (1 - GIoU) and, as their score, how well they know it (the IoU);
    all others learn 0, those that are sure of themselves most (varifocal loss, arXiv 2008.13367).
    """
    middles = cell_middles(raw.shape[3] * STRIDE)
    owner = assign(middles, persons)  # [N, H, W], -1: nobody's
    taken = owner >= 0
    logits = raw[:, 4]
    count = max(1, int(taken.sum()))
    wanted = torch.zeros_like(logits)
    box_loss = raw.sum() * 0.0
    if taken.any():
        found = boxes(raw[:, :4], middles).permute(0, 2, 3, 1)[taken]
        picture = taken.nonzero()[:, 0]
        truth = persons[picture, owner[taken]]
        iou, giou = overlaps(found, truth)
        box_loss = (1.0 - giou).sum() / count
        wanted[taken] = iou.detach().clamp(0.0, 1.0)
    unsure = 0.75 * torch.sigmoid(logits.detach()).square()
    weight = torch.where(taken, wanted, unsure)
    scored = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (weight * scored).sum() / count + 2.0 * box_loss


def assign(middles: torch.Tensor, persons: torch.Tensor) -> torch.Tensor:
    """Int64 [N, H, W]: which of the persons [N, M, 4] each cell stands for, -1 for none.

    Of several persons it is the one whose middle is nearest, measured in sides of the box.
    """
    size = (persons[..., 2:] - persons[..., :2])[..., None, None]  # [N, M, 2, 1, 1]
    centre = ((persons[..., 2:] + persons[..., :2]) / 2)[..., None, None]
    away = (middles - centre).abs()  # [N, M, 2, H, W]
    reach = (size * MIDDLE).clamp(min=STRIDE / 2 + 0.01)  # at least one cell each
    near = (away <= reach).all(2) & (size > 0).all(2)
    distance = (away / size.clamp(min=1e-6)).square().sum(2)
    nearest, which = distance.masked_fill(~near, float("inf")).min(1)
    return which.masked_fill(nearest.isinf(), -1)


def overlaps(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(IoU, GIoU) of boxes [K, 4] and [K, 4], row by row (arXiv 1902.09630)."""
    both = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - both
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    iou = both / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)


def _optimizers(net: DetectorNet) -> list[torch.optim.Optimizer]:
    """Convolutions of the trunk turn orthogonally; the first layer, the norms and the head do not."""
    stages: tuple[nn.Module, ...] = (net.fine, net.coarse, net.back, net.joint)
    trunk = [p for stage in stages for p in stage.parameters() if p.ndim == 4]
    taken = {id(p) for p in trunk}
    rest = [p for p in net.parameters() if id(p) not in taken]
    return [Orthogonal(trunk, TRUNK_RATE), torch.optim.AdamW(rest, REST_RATE, weight_decay=0.01)]


def _batches(folder: Path, seed: int, steps: int, parts: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """`steps` batches: float32 [32, 3, 320, 320] in 0…1 (RGB) and float32 [32, 5, 4] boxes in pixels.

    The first pass takes part after part, so that training can begin before all is drawn; the later
    ones mix everything. Half the pictures are mirrored, and all are made a little lighter or darker.
    """
    chance = np.random.default_rng(seed)
    loaded: list[tuple[Bytes, Floats]] = []
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
        persons = torch.from_numpy(np.stack([loaded[i // PART][1][i % PART] for i in chosen]))
        batch = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
        mirrored = torch.from_numpy(chance.random(BATCH) < 0.5)
        batch[mirrored] = batch[mirrored].flip(3)
        there = persons[..., 2:3] > persons[..., 0:1]
        turned = torch.stack((1 - persons[..., 2], persons[..., 1], 1 - persons[..., 0], persons[..., 3]), -1)
        persons = torch.where(mirrored[:, None, None] & there, turned, persons) * SIDE
        gain = torch.from_numpy(chance.uniform(0.93, 1.05, BATCH)).float()
        batch = (batch * gain[:, None, None, None]).clamp_(0, 1)
        yield batch.contiguous(memory_format=torch.channels_last), persons
