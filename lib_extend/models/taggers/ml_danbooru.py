"""ML-Danbooru, the tagger of the published separation LoRA.

Files: `model.onnx` (upstream `ml_caformer_m36_dec-5-97527.onnx`), `mldanbooru_tags.csv` (name, real_name).
Input NCHW RGB 0…1, stretched to 448 × 448 bilinear; output logits. [read: imgutils]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lib_extend.models.images import stretch
from lib_extend.models.taggers.base import Array, Label, OnnxTagger, Options, read_rows, session_for

MODEL, LABELS = "model.onnx", "mldanbooru_tags.csv"
SIDE = 448
THRESHOLD = 0.7


def recognises(folder: Path) -> bool:
    """Whether the folder holds a model in this layout."""
    return (folder / MODEL).is_file() and (folder / LABELS).is_file()


def load(folder: Path, options: Options) -> OnnxTagger:
    """The tagger in `folder`. Raises ModelError when files are missing or do not fit together."""
    rows = read_rows(folder / LABELS, ("name",))
    labels = [Label((r.get("real_name") or r["name"]).strip().replace(" ", "_")) for r in rows]
    session = session_for(folder / MODEL, options, side=SIDE)
    side = session.input.shape[2] or SIDE

    def preprocess(image: Image.Image) -> Array:
        return stretch(image, side, side).astype(np.float32).transpose(2, 0, 1) / 255.0

    return OnnxTagger(
        session=session,
        labels=labels,
        options=options,
        side=side,
        preprocess=preprocess,
        file=folder / MODEL,
        threshold=THRESHOLD,
        character_threshold=THRESHOLD,
        logits=True,
    )
