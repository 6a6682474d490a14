"""What all ONNX taggers share: a session, labels, and scores turned into tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lib_extend.errors import ModelError
from lib_extend.models.files import ModelFiles, identity
from lib_extend.models.runtime import Session
from lib_extend.models.taggers.labels import Labels
from lib_extend.records import Category, Tag
from lib_extend.tag_table import MILLION, TagTable

Array = npt.NDArray[Any]
Prepare = Callable[[Image.Image], Array]


@dataclass(frozen=True)
class Options:
    """How to load a tagger.

    Attributes:
        device: auto, cpu, cuda or directml. batch_size: images a call takes; None leaves it to model and device.
        threads: of one call on the CPU; None leaves it to onnxruntime.
        threshold, character_threshold: the registry's, in 0…1; None leaves them to the family.
    """

    device: str = "auto"
    batch_size: int | None = None
    threads: int | None = None
    threshold: float | None = None
    character_threshold: float | None = None

    def open(self, files: ModelFiles, path: Path, *tables: str, side: int, name: str) -> Opened:
        """The model in `path`, tested by one run; inputs have `side` pixels where the model leaves the size open.

        Args:
            tables: names of the files that say what its outputs mean, part of its key with the model.
            name: begins the key: the family, and the version of its preprocessing.
        """
        session = Session(
            files,
            path,
            side=side,
            device=self.device,
            batch_size=self.batch_size,
            threads=self.threads,
        )
        key = f"{name}-{identity(files, path, *(files.path(table) for table in tables))}"
        return Opened(files, session, key, self)


@dataclass(frozen=True)
class Opened:
    """A model that runs.

    Attributes:
        files: for messages.
        session: the model.
        key: the tagger's.
        options: as it was loaded.
    """

    files: ModelFiles
    session: Session
    key: str
    options: Options


class OnnxTagger:
    """The `Tagger` port over a `Session`.

    Args:
        opened: the model; the thresholds of its options win over `general` and `character`, the family's own.
        labels: one a column of the output.
        prepare: an image → one input, height, width and channels as the model has them.
        side: pixels of the input's side.
        sharp: the side to tell decoders instead, if the preprocessing passes through a larger size.
        output: name of the output with the scores (default: the first).
        logits: the output is before the sigmoid.

    Raises ModelError when the number of scores differs from the number of labels.
    """

    def __init__(
        self,
        opened: Opened,
        labels: Labels,
        prepare: Prepare,
        *,
        side: int,
        general: float,
        character: float,
        sharp: int | None = None,
        output: str | None = None,
        logits: bool = False,
    ) -> None:
        session, options = opened.session, opened.options
        self.key, self.side = opened.key, sharp or side
        self.threshold = general if options.threshold is None else options.threshold
        self.character_threshold = (
            character if options.character_threshold is None else options.character_threshold
        )
        self.tag_thresholds = dict(labels.thresholds)
        self.vocabulary = tuple(name for name in labels.names if name)
        self.device, self.batch = session.device, session.batch
        self._session, self._labels, self._prepare = session, labels, prepare
        self._output, self._logits = output, logits
        self._dtype = session.dtype
        names, kinds = np.array(labels.names, object), np.array([c.value for c in labels.categories], object)
        self._named = names != ""
        self._special = kinds != Category.GENERAL.value
        self._always = self._named & (kinds == Category.RATING.value)
        self._check(opened.files)

    def _check(self, files: ModelFiles) -> None:
        shape = self._session.image_shape()
        if self._prepare(Image.new("RGB", (3, 2))).shape != shape:
            raise ModelError(
                f"The model of {files.label} takes inputs of {' × '.join(map(str, shape))}, which is not this "
                f"kind of tagger: {files.mend}."
            )
        declared = next(p for p in self._session.outputs if self._output in (None, p.name)).shape
        if not declared or declared[-1] is None:
            # Only a run shows the number; if the file says it, the run of a large model is saved.
            declared = self._session.run(np.zeros((1, *shape), self._dtype), self._output).shape
        width = declared[-1] if declared else 0
        if len(declared) != 2 or width != len(self._labels.names):
            raise ModelError(
                f"The model of {files.label} gives {width:,} scores, but {self._labels.source} names "
                f"{len(self._labels.names):,} tags: {files.mend}."
            )

    def prepare(self, image: Image.Image) -> Array:
        """The model's input for one image, without the batch axis, in the model's number type."""
        pixels = self._prepare(image)
        return np.ascontiguousarray(pixels, self._dtype)

    def tag(self, batch: Sequence[Array], floor: float) -> Sequence[Sequence[Tag]]:
        """For each prepared input the tags with score ≥ `floor`, best first; ratings always."""
        found: list[TagTable] = []
        for start in range(0, len(batch), self.batch):
            part = batch[start : start + self.batch]
            inputs = part if isinstance(part, np.ndarray) else np.stack(part)
            scores = self._session.run(inputs, self._output).astype(np.float32)
            if self._logits:
                scores = sigmoid(scores)
            found += [self._tags(row, floor) for row in scores]
        return found

    def _tags(self, scores: Array, floor: float) -> TagTable:
        # A damaged model or driver may give NaN: then there is no tag.
        scores = np.nan_to_num(scores, nan=0.0, posinf=1.0, neginf=0.0)
        kept = np.flatnonzero((self._named & (scores >= floor)) | self._always)
        order = kept[np.argsort(-scores[kept], kind="stable")]
        names, kinds = self._labels.names, self._labels.categories
        # Rounded down, so that rounding never lifts a score to its threshold.
        millionths = np.floor(np.clip(scores[order].astype(np.float64), 0.0, 1.0) * MILLION)
        return TagTable(
            [names[i] for i in order.tolist()],
            millionths.astype(np.int64).tolist(),
            {at: kinds[order[at]] for at in np.flatnonzero(self._special[order]).tolist()},
        )

    def close(self) -> None:
        """Give memory back; the object is not used afterwards."""
        self._session.close()


def sigmoid(logits: Array) -> Array:
    """1 / (1 + e^-x) without overflow."""
    e = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1.0 / (1.0 + e), e / (1.0 + e)).astype(np.float32)
