"""ML-Danbooru, the tagger of the published separation LoRA's data.

- `ml_caformer_m36_dec-5-97527.onnx` of `deepghs/ml-danbooru-onnx`, labels `mldanbooru_tags.csv` (`name`,
  `real_name`) of `deepghs/imgutils-models`. `name` is the tag as trained, which is what the published
  data holds; `real_name` is Danbooru's newer spelling. [read]
- Input `input`: RGB, stretched to 448 × 448 BILINEAR, 0…1, channels first; output `output`: logits. [read]
- Threshold 0.7; the separation data used 0.4 on crops. [read] General tags only. [read]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib_extend.models import images
from lib_extend.models.family import Family
from lib_extend.models.files import ModelFiles
from lib_extend.models.taggers.base import Array, OnnxTagger, Options
from lib_extend.models.taggers.labels import make
from lib_extend.models.taggers.stages import FILTERS
from lib_extend.records import Category

if TYPE_CHECKING:
    from PIL import Image

SIDE = 448
VERSION = 1
MODEL, LABELS = "ml_caformer_m36_dec-5-97527.onnx", "mldanbooru_tags.csv"


def recognises(files: ModelFiles) -> bool:
    """Whether a folder looks like this family."""
    return LABELS in files


def load(files: ModelFiles, options: Options) -> OnnxTagger:
    """The tagger in `files`. Default thresholds 0.7. Raises ModelError."""
    labels = make(LABELS, [(row["name"], Category.GENERAL) for row in files.table(LABELS, need=("name",))])
    opened = options.open(files, files.model(MODEL), LABELS, side=SIDE, name=f"ml-danbooru{VERSION}")
    side = opened.session.image_shape()[1]

    def prepare(image: Image.Image) -> Array:
        small = images.resize(images.carry(image), (side, side), FILTERS["bilinear"])
        pixels: Array = images.planes(np.asarray(small, np.float32)) / np.float32(255)
        return pixels

    return OnnxTagger(
        opened,
        labels,
        prepare,
        side=side,
        # The picture is stretched, so the shorter side counts; a decoder looks only at the longer side.
        sharp=2 * side,
        general=0.7,
        character=0.7,
        logits=True,
    )


FAMILY = Family(recognises, load)
