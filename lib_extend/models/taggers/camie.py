"""Camie tagger v2.

Files: `model.onnx` (upstream `camie-tagger-v2.onnx`), `camie-tagger-v2-metadata.json`. Input NCHW RGB, long side 512
LANCZOS, padded with (124, 116, 104), ImageNet-normalised; the second output holds the refined logits. [card]
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extend.errors import ModelError
from lib_extend.models.images import fit
from lib_extend.models.taggers.base import Array, Label, OnnxTagger, Options, session_for
from lib_extend.records import Category

MODEL, LABELS = "model.onnx", "camie-tagger-v2-metadata.json"
SIDE = 512
PAD = (124, 116, 104)
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
THRESHOLD = 0.614
_RATING = "rating_"


def recognises(folder: Path) -> bool:
    """Whether the folder holds a model in this layout."""
    return (folder / MODEL).is_file() and (folder / LABELS).is_file()


def load(folder: Path, options: Options) -> OnnxTagger:
    """The tagger in `folder`. Raises ModelError when files are missing or do not fit together."""
    session = session_for(folder / MODEL, options, side=SIDE)
    side = session.input.shape[2] or SIDE

    def preprocess(image: Image.Image) -> Array:
        pixels = fit(image, side, color=PAD, resample=Image.Resampling.LANCZOS).astype(np.float32) / 255.0
        return ((pixels - MEAN) / STD).transpose(2, 0, 1)

    return OnnxTagger(
        session=session,
        labels=_labels(folder / LABELS),
        options=options,
        side=side,
        preprocess=preprocess,
        file=folder / MODEL,
        threshold=THRESHOLD,
        character_threshold=THRESHOLD,
        logits=True,
        output=1 if len(session.outputs) > 1 else 0,
    )


def _labels(file: Path) -> list[Label]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        mapping = data["dataset_info"]["tag_mapping"]
        names, categories = mapping["idx_to_tag"], mapping["tag_to_category"]
        labels = []
        for i in range(len(names)):
            name = str(names[str(i)])
            category = str(categories.get(name, "general"))
            if category == "rating":
                labels.append(Label(name.removeprefix(_RATING), Category.RATING))
            else:
                labels.append(Label(name, _category(category)))
        return labels
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise ModelError(f"{file} cannot be read as Camie's metadata ({e!r}): download it again.") from e


def _category(name: str) -> Category:
    try:
        return Category(name)
    except ValueError:
        return Category.GENERAL
