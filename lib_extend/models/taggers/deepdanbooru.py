"""DeepDanbooru, the oldest family, kept for comparison.

- `deepdanbooru.onnx`, `deepdanbooru_tags.csv` (`name`, `real_name`, `category`; 9 rating, 0 general, 4
  character) of `deepghs/imgutils-models`. Ratings are spelled `rating:safe`. [read]
- RGB, fitted into 512 BICUBIC (Pillow's default) with sides cut to whole pixels, padded with BLACK, 0…1,
  height × width × 3; what is transparent lies over white. Output: probabilities. Threshold 0.5. [read]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib_extend.models import images
from lib_extend.models.family import Family
from lib_extend.models.files import ModelFiles
from lib_extend.models.taggers.base import Array, OnnxTagger, Options
from lib_extend.models.taggers.labels import selected_tags

if TYPE_CHECKING:
    from PIL import Image

SIDE = 512
VERSION = 1
MODEL, LABELS = "deepdanbooru.onnx", "deepdanbooru_tags.csv"


def recognises(files: ModelFiles) -> bool:
    """Whether a folder looks like this family."""
    return LABELS in files


def load(files: ModelFiles, options: Options) -> OnnxTagger:
    """The tagger in `files`. Default thresholds 0.5. Raises ModelError."""
    labels = selected_tags(files, LABELS)
    opened = options.open(files, files.model(MODEL), LABELS, side=SIDE, name=f"deepdanbooru{VERSION}")
    side = opened.session.image_shape()[0]

    def prepare(image: Image.Image) -> Array:
        small = images.fit(image, side, images.BICUBIC)
        square = images.lay_on(small, (side, side), images.BLACK)
        pixels: Array = np.asarray(square, np.float32) / np.float32(255)
        return pixels

    return OnnxTagger(
        opened,
        labels,
        prepare,
        side=side,
        general=0.5,
        character=0.5,
    )


FAMILY = Family(recognises, load)
