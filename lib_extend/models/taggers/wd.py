"""SmilingWolf's WD taggers, v2 and v3, and every model in their layout (the built-in sketch tagger too).

Files: `model.onnx`, `selected_tags.csv` (tag_id, name, category, count). Input NHWC float32, BGR 0…255,
centre-padded to a white square, bicubic; output is already sigmoid. [read: the models' own demo, imgutils]
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from lib_extend.models.images import square
from lib_extend.models.taggers.base import (
    Array,
    Label,
    OnnxTagger,
    Options,
    category_of,
    read_rows,
    session_for,
)

MODEL, LABELS = "model.onnx", "selected_tags.csv"
SIDE = 448
THRESHOLD, CHARACTER_THRESHOLD = 0.35, 0.85


def recognises(folder: Path) -> bool:
    """Whether the folder holds a model in this layout."""
    names = {MODEL, LABELS}
    # the PixAI and animetimm models have the same two files and these besides
    return all((folder / n).is_file() for n in names) and not (folder / "preprocess.json").exists()


def load(folder: Path, options: Options) -> OnnxTagger:
    """The tagger in `folder`. Raises ModelError when files are missing or do not fit together."""
    rows = read_rows(folder / LABELS, ("name", "category"))
    labels = [Label(r["name"].strip().replace(" ", "_"), category_of(r["category"])) for r in rows]
    session = session_for(folder / MODEL, options, side=SIDE)
    side = session.input.shape[1] or SIDE

    def preprocess(image: Image.Image) -> Array:
        return square(image, side)[:, :, ::-1]

    return OnnxTagger(
        session=session,
        labels=labels,
        options=options,
        side=side,
        preprocess=preprocess,
        file=folder / MODEL,
        threshold=THRESHOLD,
        character_threshold=CHARACTER_THRESHOLD,
    )
