"""Trains the sketch tagger on drawn scenes and writes it as a WD v3 tagger: ONNX and CSV."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.course import Lesson, Report, batches, teach, varied
from lib_extend.sketch.tagger_data import OUTPUTS, RATINGS, UNKNOWN, cached_part
from lib_extend.sketch.tagger_export import export_tagger
from lib_extend.sketch.tagger_net import TaggerNet


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
    teach(net, [net.stages], _lessons(folder, seed, steps, parts), _loss, steps, "tagger", report)
    return net


def _loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    judged = labels != UNKNOWN
    losses = functional.binary_cross_entropy_with_logits(
        logits.float(), (labels == 1).float(), reduction="none"
    )
    return (losses * judged).sum() / judged.sum() * 100


def _lessons(folder: Path, seed: int, steps: int, parts: int) -> Iterator[Lesson]:
    """Batches: float32 [32, 3, 448, 448] in 0…255 (RGB) and uint8 [32, outputs]."""
    chance = np.random.default_rng(seed)
    for pictures, labels in batches(lambda part: cached_part(folder, seed, part), steps, parts, chance):
        yield varied(pictures, 255, chance)[0], torch.from_numpy(labels)


def write_tags(path: Path) -> None:
    """`selected_tags.csv` in the WD layout: ratings (category 9), general (0), characters (4)."""
    with path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(("tag_id", "name", "category", "count"))
        for number, name in enumerate(OUTPUTS):
            category = 9 if name in RATINGS else 4 if name in words.MASCOTS else 0
            writer.writerow((9990000 + number, name, category, 1000))
