"""SmilingWolf's WD taggers, v2 and v3: the default family, and the layout of the sketch tagger.

- Files `model.onnx` and `selected_tags.csv` (`tag_id,name,category,count`; categories 9 rating, 0
  general, 4 character; the first 4 rows are ratings). [read]
- Input BGR, 0…255, height × width × 3, no normalisation; its name and side (448) are the file's. What
  is transparent lies over white; centre-padded to a white square; BICUBIC. Output: probabilities. [read]
- The batch is free in swinv2-v3 and in swinv2-v2 since v2.1; convnext, convnextv2 and moat v2 take one
  image at a time. [read] Free in the other v3 models. [memory]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib_extend.models import images
from lib_extend.models.family import LATE, Family
from lib_extend.models.files import ModelFiles
from lib_extend.models.taggers.base import Array, OnnxTagger, Options
from lib_extend.models.taggers.labels import selected_tags

if TYPE_CHECKING:
    from PIL import Image

SIDE = 448
LABELS = "selected_tags.csv"
VERSION = 1
"""Counts the changes of the preprocessing that change scores; part of the key."""


def recognises(files: ModelFiles) -> bool:
    """Whether a folder looks like this family: it has the table, and no file that marks another family."""
    return LABELS in files


def load(files: ModelFiles, options: Options) -> OnnxTagger:
    """The tagger in `files`. Default thresholds 0.35 and 0.85 (the author's usual ones). Raises ModelError."""
    labels = selected_tags(files)
    opened = options.open(files, files.model(), LABELS, side=SIDE, name=f"wd{VERSION}")
    side = opened.session.image_shape()[0]

    def prepare(image: Image.Image) -> Array:
        return np.asarray(images.pad_square(image, side))[:, :, ::-1]

    return OnnxTagger(
        opened,
        labels,
        prepare,
        side=side,
        general=0.35,
        character=0.85,
    )


FAMILY = Family(recognises, load, LATE)
