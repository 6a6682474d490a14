"""cella110n's cl_tagger, v1.

- `model.onnx` (or `model_optimized.onnx`) and `tag_mapping.json` {"0": {"tag": …, "category": "General"}},
  in a folder a version, here `cl_tagger_1_02`. [card]
- Padded to a white square, BICUBIC to 448, BGR, channels first, x / 127.5 − 1. Output: logits. [read]
- Categories General, Character, Copyright, Artist, Meta, Quality, Rating and Model (the program that made
  an image), which counts as meta. Thresholds 0.55 and 0.60, the demo's. [memory]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib_extend.models import images
from lib_extend.models.family import Family
from lib_extend.models.files import ModelFiles
from lib_extend.models.taggers.base import Array, OnnxTagger, Options
from lib_extend.models.taggers.labels import Labels, category, make
from lib_extend.records import Category

if TYPE_CHECKING:
    from PIL import Image

SIDE = 448
VERSION = 1
LABELS = "tag_mapping.json"


def recognises(files: ModelFiles) -> bool:
    """Whether a folder looks like this family."""
    return LABELS in files


def load(files: ModelFiles, options: Options) -> OnnxTagger:
    """The tagger in `files`. Raises ModelError."""
    labels = _labels(files)
    opened = options.open(files, files.model(), LABELS, side=SIDE, name=f"cl{VERSION}")
    side = opened.session.image_shape()[1]

    def prepare(image: Image.Image) -> Array:
        bgr = np.asarray(images.pad_square(image, side), np.float32)[:, :, ::-1]
        pixels: Array = images.planes(bgr) / np.float32(127.5) - np.float32(1)
        return pixels

    return OnnxTagger(
        opened,
        labels,
        prepare,
        side=side,
        general=0.55,
        character=0.60,
        logits=True,
    )


def _labels(files: ModelFiles) -> Labels:
    content = files.json(LABELS)
    try:
        found = {int(i): (str(e["tag"]), category(str(e["category"]))) for i, e in content.items()}
        pairs = [found.get(i, ("", Category.META)) for i in range(max(found) + 1)]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise files.damaged(files.path(LABELS), "is not a numbered list of tags") from error
    return make(LABELS, pairs)


FAMILY = Family(recognises, load)
