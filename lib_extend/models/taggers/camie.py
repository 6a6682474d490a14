"""Camie Tagger v2 (weights under GPL-3.0).

- `camie-tagger-v2.onnx`, `camie-tagger-v2-metadata.json`, whose dataset_info.tag_mapping has idx_to_tag
  {"0": …} and tag_to_category. [read]
- The longer side 512 LANCZOS, the other cut to whole pixels, centred on (124, 116, 104), RGB normalised as
  for ImageNet, channels first. [read] Published loaders ignore transparency, which shows whatever lies
  under it; here it lies over white, as for the other families.
- The second output holds the (refined) logits; of a single output that one. [read] Ratings are spelled
  `rating_…`. Thresholds 0.614 (best for all tags together) and 0.492 (best for rare ones). [card]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib_extend.models import images
from lib_extend.models.family import Family
from lib_extend.models.files import ModelFiles
from lib_extend.models.taggers.base import Array, OnnxTagger, Options
from lib_extend.models.taggers.labels import Labels, category, make
from lib_extend.models.taggers.stages import FILTERS

if TYPE_CHECKING:
    from PIL import Image

SIDE = 512
VERSION = 1
MODEL, LABELS = "camie-tagger-v2.onnx", "camie-tagger-v2-metadata.json"
PAD: images.Color = (124, 116, 104)
MEAN = np.array((0.485, 0.456, 0.406), np.float32)[:, None, None]
STD = np.array((0.229, 0.224, 0.225), np.float32)[:, None, None]


def recognises(files: ModelFiles) -> bool:
    """Whether a folder looks like this family."""
    return _table(files) in files


def load(files: ModelFiles, options: Options) -> OnnxTagger:
    """The tagger in `files`. Raises ModelError."""
    table = _table(files)
    labels = _labels(files, table)
    opened = options.open(files, files.model(MODEL), table, side=SIDE, name=f"camie{VERSION}")
    side = opened.session.image_shape()[1]

    def prepare(image: Image.Image) -> Array:
        small = images.fit(image, side, FILTERS["lanczos"])
        square = images.lay_on(small, (side, side), PAD)
        pixels: Array = (images.planes(np.asarray(square, np.float32)) / np.float32(255) - MEAN) / STD
        return pixels

    return OnnxTagger(
        opened,
        labels,
        prepare,
        side=side,
        general=0.614,
        character=0.492,
        output=opened.session.outputs[1 if len(opened.session.outputs) > 1 else 0].name,
        logits=True,
    )


def _table(files: ModelFiles) -> str:
    return next((n for n in sorted(files.paths) if n.endswith("metadata.json")), LABELS)


def _labels(files: ModelFiles, table: str) -> Labels:
    content = files.json(table)
    try:
        mapping = content["dataset_info"]["tag_mapping"]
        names = {int(i): str(name) for i, name in mapping["idx_to_tag"].items()}
        kinds = {str(name): category(str(kind)) for name, kind in mapping["tag_to_category"].items()}
        ordered = [names.get(i, "") for i in range(max(names) + 1)]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise files.damaged(files.path(table), "has no dataset_info.tag_mapping") from error
    return make(table, [(name, kinds.get(name, category("general"))) for name in ordered])


FAMILY = Family(recognises, load)
