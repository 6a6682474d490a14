"""The animetimm models (`animetimm/*.dbv4-full`), and others that ship their preprocessing in the same way.

- `model.onnx`, `selected_tags.csv` (`name`, `category`, `best_threshold` a tag), `categories.json`,
  `preprocess.json` with the steps under "test", maybe `thresholds.csv` a category. Some are gated. [card]
- Usual steps: pad to 512 on white BILINEAR, the shorter side to the model's BICUBIC, centre crop,
  normalised as for ImageNet; RGB, channels first. [read]
- The output `prediction` holds probabilities. Thresholds: the tag's own, else its category's, else 0.4. [read]
"""

from __future__ import annotations

from collections.abc import Sequence

from lib_extend.models.family import Family
from lib_extend.models.files import ModelFiles
from lib_extend.models.taggers import stages
from lib_extend.models.taggers.base import OnnxTagger, Options
from lib_extend.models.taggers.labels import category_thresholds, kinds, selected_tags
from lib_extend.models.taggers.stages import Step

SIDE = 448
VERSION = 1
STEPS: tuple[Step, ...] = (
    {"type": "pad_to_size", "size": [512, 512], "background_color": "white", "interpolation": "bilinear"},
    {"type": "resize", "size": SIDE, "interpolation": "bicubic"},
    {"type": "center_crop", "size": [SIDE, SIDE]},
    {"type": "maybe_to_tensor"},
    {"type": "normalize", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
)


def recognises(files: ModelFiles) -> bool:
    """Whether a folder looks like this family: it ships its preprocessing, or a threshold a tag."""
    return "selected_tags.csv" in files and (
        "preprocess.json" in files or "best_threshold" in files.columns("selected_tags.csv")
    )


def load(files: ModelFiles, options: Options) -> OnnxTagger:
    """The tagger in `files`. Raises ModelError."""
    return load_steps(
        files,
        f"animetimm{VERSION}",
        STEPS,
        options,
        otherwise=(0.4, 0.4),
    )


def load_steps(
    files: ModelFiles,
    prefix: str,
    default: Sequence[Step],
    options: Options,
    *,
    otherwise: tuple[float, float],
) -> OnnxTagger:
    """A tagger that follows its `preprocess.json`.

    Args:
        prefix: begins its key.
        default: the steps without that file.
        options: its thresholds replace those of the files.
        otherwise: thresholds when there are none at all.
    """
    labels = selected_tags(files, kinds=kinds(files))
    by_category = category_thresholds(files)
    steps = stages.read(files, default)
    wanted = stages.side(steps, SIDE)
    tables = [n for n in ("selected_tags.csv", "preprocess.json") if n in files]
    opened = options.open(files, files.model(), *tables, side=wanted, name=prefix)
    session = opened.session
    if "preprocess.json" not in files:
        # The model's own side is better than a guess.
        steps = _with_side(default, wanted, session.image_shape()[1])
        wanted = session.image_shape()[1]
    names = [port.name for port in session.outputs]
    return OnnxTagger(
        opened,
        labels,
        stages.prepare(steps),
        side=wanted,
        sharp=stages.sharp(steps, wanted),
        general=by_category.get("general", otherwise[0]),
        character=by_category.get("character", otherwise[1]),
        output=next((n for n in ("prediction", "output") if n in names), names[0]),
    )


def _with_side(steps: Sequence[Step], old: int, new: int) -> list[Step]:
    changed = {old: new}

    def size(value: object) -> object:
        if isinstance(value, list):
            return [changed.get(v, v) for v in value]
        return changed.get(value, value) if isinstance(value, int) else value

    return [{**s, "size": size(s["size"])} if "size" in s else s for s in steps]


FAMILY = Family(recognises, load, 20)
