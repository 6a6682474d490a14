"""cl_tagger v1.

Files: `model.onnx` (or `model_optimized.onnx`), `tag_mapping.json` {"0": {"tag", "category"}}. Input NCHW BGR,
padded to a white square of 448, scaled to -1…1; output logits. [card; third-party loaders]
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extend.errors import ModelError
from lib_extend.models.images import square
from lib_extend.models.taggers.base import Array, Label, OnnxTagger, Options, session_for
from lib_extend.records import Category

MODELS, LABELS = ("model.onnx", "model_optimized.onnx"), "tag_mapping.json"
SIDE = 448
THRESHOLD, CHARACTER_THRESHOLD = 0.55, 0.60
_CATEGORIES = {
    "general": Category.GENERAL,
    "character": Category.CHARACTER,
    "copyright": Category.COPYRIGHT,
    "artist": Category.ARTIST,
    "meta": Category.META,
    "quality": Category.QUALITY,
    "rating": Category.RATING,
    "model": Category.META,
}


def recognises(folder: Path) -> bool:
    """Whether the folder holds a model in this layout."""
    return _model(folder) is not None and (folder / LABELS).is_file()


def load(folder: Path, options: Options) -> OnnxTagger:
    """The tagger in `folder`. Raises ModelError when files are missing or do not fit together."""
    file = _model(folder)
    if file is None:
        raise ModelError(f"{folder / MODELS[0]} is missing: download the model again.")
    session = session_for(file, options, side=SIDE)
    side = session.input.shape[2] or SIDE

    def preprocess(image: Image.Image) -> Array:
        bgr = square(image, side)[:, :, ::-1].astype(np.float32)
        return bgr.transpose(2, 0, 1) / 127.5 - 1.0

    return OnnxTagger(
        session=session,
        labels=_labels(folder / LABELS),
        options=options,
        side=side,
        preprocess=preprocess,
        file=file,
        threshold=THRESHOLD,
        character_threshold=CHARACTER_THRESHOLD,
        logits=True,
    )


def _model(folder: Path) -> Path | None:
    return next((folder / n for n in MODELS if (folder / n).is_file()), None)


def _labels(file: Path) -> list[Label]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        by_index = {int(k): v for k, v in rows.items()}
        return [
            Label(
                str(by_index[i]["tag"]).strip().replace(" ", "_"),
                _CATEGORIES.get(str(by_index[i]["category"]).lower(), Category.GENERAL),
            )
            if i in by_index
            else Label("")
            for i in range(max(by_index) + 1)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise ModelError(
            f"{file} cannot be read as cl_tagger's tag mapping ({e!r}): download it again."
        ) from e
