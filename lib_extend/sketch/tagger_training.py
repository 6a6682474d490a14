"""Trains the sketch tagger on drawn scenes and writes it as a WD v3 tagger: ONNX and CSV."""

from __future__ import annotations

import csv
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from . import vocabulary as words
from .tagger_data import OUTPUTS, PART, RATINGS, UNKNOWN, Bytes, cached_part
from .tagger_export import export_tagger
from .tagger_net import TaggerNet

BATCH = 32
PEAK_RATE = 2.5e-3

Report = Callable[[str], None]


def train_tagger(
    out_dir: Path | str,
    *,
    seed: int = 1,
    steps: int = 3000,
    parts: int = 24,
    cache: Path | str | None = None,
    report: Report = print,
) -> None:
    """Trains for `steps` batches of 32 pictures and writes `model.onnx` and `selected_tags.csv`.

    The pictures are `parts` × 1000 drawn scenes of the namespace "train". They are kept in `cache`
    (0.6 GB a part) and reused from there; None draws them anew in a temporary folder. One seed and
    one number of threads give the same weights again.
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
    matrices = [p for p in net.parameters() if p.ndim > 1]
    vectors = [p for p in net.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.02}, {"params": vectors, "weight_decay": 0.0}],
        lr=PEAK_RATE,
    )
    begun = time.monotonic()
    net.train()
    running = 0.0
    for step, (pictures, labels) in enumerate(_batches(folder, seed, steps, parts)):
        warm = min(1.0, (step + 1) / 100)
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * warm * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(pictures)
        judged = labels != UNKNOWN
        losses = functional.binary_cross_entropy_with_logits(
            logits.float(), (labels == 1).float(), reduction="none"
        )
        loss = (losses * judged).sum() / judged.sum() * 100
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        running += 0.02 * (loss.item() - running) if step else loss.item()
        if step % 100 == 99:
            minutes = (time.monotonic() - begun) / 60
            report(f"tagger: step {step + 1} of {steps}, loss {running:.3f}, {minutes:.1f} min")
    net.eval()
    return net


def _batches(
    folder: Path, seed: int, steps: int, parts: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
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
