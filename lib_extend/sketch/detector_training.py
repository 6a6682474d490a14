"""Trains the sketch detector on drawn scenes and writes it as an ONNX file with a YOLO's signature."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from lib_extend.sketch.course import Lesson, Report, batches, teach, varied
from lib_extend.sketch.detector_data import SIDE, cached_part
from lib_extend.sketch.detector_export import export_detector
from lib_extend.sketch.detector_net import STRIDE, DetectorNet, boxes, cell_middles

MIDDLE = 0.18
"""A cell stands for a person when it is this near the person's middle, as a share of the box's sides."""


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
    trunk = [net.fine, net.coarse, net.back, net.joint]
    teach(net, trunk, _lessons(folder, seed, steps, parts), detector_loss, steps, "detector", report)
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


def _lessons(folder: Path, seed: int, steps: int, parts: int) -> Iterator[Lesson]:
    """Batches: float32 [32, 3, 320, 320] in 0…1 (RGB) and float32 [32, 5, 4] boxes in pixels."""
    chance = np.random.default_rng(seed)
    for pictures, truths in batches(lambda part: cached_part(folder, seed, part), steps, parts, chance):
        batch, mirrored = varied(pictures, 1, chance)
        persons = torch.from_numpy(truths)
        there = persons[..., 2:3] > persons[..., 0:1]
        turned = torch.stack((1 - persons[..., 2], persons[..., 1], 1 - persons[..., 0], persons[..., 3]), -1)
        yield batch, torch.where(mirrored[:, None, None] & there, turned, persons) * SIDE
