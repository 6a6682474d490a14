"""DeepDanbooru.

Files: `model.onnx` (upstream `deepdanbooru.onnx`), `deepdanbooru_tags.csv`. Input NHWC RGB 0…1, fitted into
512 × 512 on black; output probabilities. [read: imgutils]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lib_extend.models.images import BLACK, fit
from lib_extend.models.taggers.base import (
    Array,
    Label,
    OnnxTagger,
    Options,
    category_of,
    read_rows,
    session_for,
)
from lib_extend.records import Category

MODEL, LABELS = "model.onnx", "deepdanbooru_tags.csv"
SIDE = 512
THRESHOLD = 0.5


def recognises(folder: Path) -> bool:
    """Whether the folder holds a model in this layout."""
    return (folder / MODEL).is_file() and (folder / LABELS).is_file()


def load(folder: Path, options: Options) -> OnnxTagger:
    """The tagger in `folder`. Raises ModelError when files are missing or do not fit together."""
    rows = read_rows(folder / LABELS, ("name",))
    labels = [_label(r) for r in rows]
    session = session_for(folder / MODEL, options, side=SIDE)
    side = session.input.shape[1] or SIDE

    def preprocess(image: Image.Image) -> Array:
        return fit(image, side, color=BLACK).astype(np.float32) / 255.0

    return OnnxTagger(
        session=session,
        labels=labels,
        options=options,
        side=side,
        preprocess=preprocess,
        file=folder / MODEL,
        threshold=THRESHOLD,
        character_threshold=THRESHOLD,
    )


def _label(row: dict[str, str]) -> Label:
    name = (row.get("real_name") or row["name"]).strip().replace(" ", "_")
    if name.startswith("rating:"):
        return Label(name.removeprefix("rating:"), Category.RATING)
    return Label(name, category_of(row.get("category") or "0"))
