"""What all ONNX taggers share: labels, batches, and scores above a floor. A family adds only what differs."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib_extend.errors import ModelError
from lib_extend.models.runtime import Session, open_session
from lib_extend.records import Category, Tag

GPU_BATCH = 8

# Danbooru's category numbers as the label files use them; 9 is the WD taggers' rating
CATEGORIES: Mapping[int, Category] = {
    0: Category.GENERAL,
    1: Category.ARTIST,
    3: Category.COPYRIGHT,
    4: Category.CHARACTER,
    5: Category.META,
    9: Category.RATING,
}

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Label:
    """One output of a tagger. `name` "" for an output that stands for nothing."""

    name: str
    category: Category = Category.GENERAL
    threshold: float | None = None


@dataclass(frozen=True)
class Options:
    """How a tagger is to be loaded; thresholds are the registry's, None for the family's own."""

    key: str
    device: str = "auto"
    batch_size: int | None = None
    threads: int | None = None
    threshold: float | None = None
    character_threshold: float | None = None


@dataclass
class OnnxTagger:
    """A tagger in one ONNX file; implements the port `Tagger`.

    Args:
        preprocess: an upright picture → float input without the batch axis.
        logits: the output still needs a sigmoid. output: which of the outputs holds the scores.
    """

    session: Session
    labels: Sequence[Label]
    options: Options
    side: int
    preprocess: Callable[[Image.Image], Array]
    file: Path
    threshold: float
    character_threshold: float
    logits: bool = False
    output: int = 0
    key: str = field(init=False)
    device: str = field(init=False)
    batch: int = field(init=False)
    tag_thresholds: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.options.key
        self.device = self.session.device
        fixed = self.session.input.shape[0]
        # on a CPU the model itself is the bottleneck and a batch only delays its first result
        self.batch = fixed or self.options.batch_size or (GPU_BATCH if self.session.on_gpu else 1)
        if self.options.threshold is not None:
            self.threshold = self.options.threshold
        if self.options.character_threshold is not None:
            self.character_threshold = self.options.character_threshold
        self.tag_thresholds = {
            label.name: label.threshold for label in self.labels if label.threshold is not None
        }
        width = self.session.output_shapes[self.output][-1]
        if width is not None and width != len(self.labels):
            raise ModelError(
                f"{self.file} has {width:,} outputs but its label file has {len(self.labels):,} rows: the two "
                "do not belong together, download the model again."
            )

    def prepare(self, image: Image.Image) -> Array:
        """See the port."""
        return np.ascontiguousarray(self.preprocess(image), dtype=self.session.input.dtype)

    def tag(self, batch: Sequence[Array], floor: float) -> list[list[Tag]]:
        """See the port."""
        if not batch:
            return []
        scores = np.asarray(self.session.run(np.stack(batch))[self.output], dtype=np.float32)
        if scores.shape != (len(batch), len(self.labels)):
            raise ModelError(
                f"{self.file} gave scores of shape {scores.shape} for {len(batch)} images and {len(self.labels):,} "
                "labels: it does not fit its label file, download the model again."
            )
        if self.logits:
            scores = 1.0 / (1.0 + np.exp(-scores))
        return [self._tags(row, floor) for row in scores]

    def _tags(self, row: Array, floor: float) -> list[Tag]:
        wanted = [
            i
            for i in np.argsort(-row, kind="stable")
            if row[i] >= floor or self.labels[i].category is Category.RATING
        ]
        return [
            Tag(self.labels[i].name, self.labels[i].category, round(float(row[i]), 4))
            for i in wanted
            if self.labels[i].name
        ]

    def close(self) -> None:
        """See the port."""
        self.session.raw = None


def session_for(file: Path, options: Options, *, side: int) -> Session:
    """The opened model of a family whose input is `side` pixels where the file leaves it open."""
    return open_session(file, options.device, threads=options.threads, side=side)


def read_rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a label file. `csv`, not a table library: a tag may be spelled `null` or `nan`.

    Raises ModelError when the file is missing or lacks one of `columns`.
    """
    if not file.is_file():
        raise ModelError(f"{file} is missing: download the model again, or copy its label file there.")
    with file.open(encoding="utf-8-sig", newline="") as f:
        reader = csv.DictReader(f)
        missing = [c for c in columns if c not in (reader.fieldnames or ())]
        if missing:
            raise ModelError(f"{file} has no column {missing[0]!r}: it is another model's label file.")
        return list(reader)


def category_of(number: str) -> Category:
    """The category of a label file's number; unknown numbers are general."""
    try:
        return CATEGORIES.get(int(float(number)), Category.GENERAL)
    except ValueError:
        return Category.GENERAL
