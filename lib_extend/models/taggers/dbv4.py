"""PixAI v0.9 and the animetimm dbv4 taggers: one layout, with the preprocessing written down in the folder.

Files: `model.onnx` (input `input`, NCHW; the output `prediction` holds probabilities), `selected_tags.csv` (name,
category, and for animetimm best_threshold), `categories.json` [{"category": number, "name": word}],
`preprocess.json` {"test": [{"type": "resize", …}, …]}, sometimes `thresholds.csv` (category, threshold).
[read: imgutils]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib_extend.errors import ModelError
from lib_extend.models.images import flatten
from lib_extend.models.taggers.base import (
    CATEGORIES,
    Array,
    Label,
    OnnxTagger,
    Options,
    read_rows,
    session_for,
)
from lib_extend.records import Category

MODEL, LABELS, STEPS = "model.onnx", "selected_tags.csv", "preprocess.json"
OUTPUT = "prediction"
SIDE = 448
THRESHOLD = 0.4
_RESAMPLE = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}


def recognises(folder: Path) -> bool:
    """Whether the folder holds a model in this layout."""
    return all((folder / n).is_file() for n in (MODEL, LABELS, STEPS))


def load(folder: Path, options: Options) -> OnnxTagger:
    """The tagger in `folder`. Raises ModelError when files are missing or do not fit together."""
    steps = _read_steps(folder / STEPS)
    labels = _labels(folder)
    session = session_for(folder / MODEL, options, side=_side(steps))
    by_category = _thresholds(folder)
    return OnnxTagger(
        session=session,
        labels=labels,
        options=options,
        side=_side(steps),
        preprocess=lambda image: _apply(steps, image),
        file=folder / MODEL,
        threshold=by_category.get(Category.GENERAL, THRESHOLD),
        character_threshold=by_category.get(Category.CHARACTER, THRESHOLD),
        output=session.outputs.index(OUTPUT) if OUTPUT in session.outputs else len(session.outputs) - 1,
    )


def _apply(steps: Sequence[Mapping[str, Any]], image: Image.Image) -> Array:
    """The steps of `preprocess.json` on an upright picture: float32 [3, height, width]."""
    picture = flatten(image)
    array: Array | None = None
    for step in steps:
        kind = step["type"]
        if kind == "resize":
            size, resample = _resized(picture.size, step), _resample(step)
            picture = picture.resize(size, resample) if size != picture.size else picture
        elif kind == "center_crop":
            picture = _center_crop(picture, _pair(step["size"]))
        elif kind == "pad_to_size":
            picture = _padded(picture, step)
        elif kind in ("to_tensor", "maybe_to_tensor"):
            array = np.asarray(picture, np.float32).transpose(2, 0, 1) / 255.0
        elif kind == "normalize" and array is not None:
            mean, std = (np.asarray(step[k], np.float32).reshape(-1, 1, 1) for k in ("mean", "std"))
            array = (array - mean) / std
    return np.asarray(picture, np.float32).transpose(2, 0, 1) / 255.0 if array is None else array


def _resized(size: tuple[int, int], step: Mapping[str, Any]) -> tuple[int, int]:
    """The (width, height) torchvision's Resize gives: a pair is (height, width), one number the short side."""
    wanted = step["size"]
    if isinstance(wanted, Sequence) and len(wanted) == 2:
        return int(wanted[1]), int(wanted[0])
    short = int(wanted[0] if isinstance(wanted, Sequence) else wanted)
    width, height = size
    if width < height:
        result = (short, int(short * height / width))
    else:
        result = (int(short * width / height), short)
    most = step.get("max_size")
    if most and max(result) > most:
        scale = most / max(result)
        result = (int(result[0] * scale), int(result[1] * scale))
    return result


def _center_crop(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`size` is (height, width); a smaller picture is padded with black, as torchvision does."""
    height, width = size
    canvas = Image.new("RGB", (max(width, image.width), max(height, image.height)))
    canvas.paste(image, ((canvas.width - image.width) // 2, (canvas.height - image.height) // 2))
    left, top = (canvas.width - width) // 2, (canvas.height - height) // 2
    return canvas.crop((left, top, left + width, top + height))


def _padded(image: Image.Image, step: Mapping[str, Any]) -> Image.Image:
    """Fitted into the size with its aspect kept, the rest filled."""
    height, width = _pair(step["size"])
    scale = min(width / image.width, height / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new("RGB", (width, height), step.get("background_color", "white"))
    canvas.paste(image.resize(size, _resample(step)), ((width - size[0]) // 2, (height - size[1]) // 2))
    return canvas


def _pair(size: Any) -> tuple[int, int]:
    if isinstance(size, Sequence):
        return (int(size[0]), int(size[-1]))
    return (int(size), int(size))


def _resample(step: Mapping[str, Any]) -> Image.Resampling:
    return _RESAMPLE[str(step.get("interpolation", "bilinear")).lower()]


def _side(steps: Sequence[Mapping[str, Any]]) -> int:
    """Pixels of the model's input: the last size a step names."""
    sizes = [max(_pair(s["size"])) for s in steps if "size" in s]
    return sizes[-1] if sizes else SIDE


def _read_steps(file: Path) -> list[dict[str, Any]]:
    known = {"resize", "center_crop", "pad_to_size", "to_tensor", "maybe_to_tensor", "normalize"}
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        steps = data["test"] if isinstance(data, dict) and "test" in data else data["stages"]
        for step in steps:
            # "convert" to RGB is done before; anything else unknown would be silently wrong
            if step["type"] not in known and not step["type"].startswith("convert"):
                raise ModelError(f"{file} has the step {step['type']!r}, which this version does not know.")
            _resample(step)
        return [dict(s) for s in steps]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ModelError(f"{file} cannot be read as preprocessing steps ({e!r}): download it again.") from e


def _labels(folder: Path) -> list[Label]:
    rows = read_rows(folder / LABELS, ("name", "category"))
    words = _category_words(folder / "categories.json")
    labels = []
    for row in rows:
        best = (row.get("best_threshold") or "").strip()
        category = words.get(_number(row["category"]), Category.GENERAL)
        labels.append(Label(row["name"].strip().replace(" ", "_"), category, float(best) if best else None))
    return labels


def _category_words(file: Path) -> dict[int, Category]:
    """Category numbers as the folder names them, else Danbooru's."""
    result = dict(CATEGORIES)
    try:
        for item in json.loads(file.read_text(encoding="utf-8")):
            name = str(item["name"]).lower()
            if name in Category._value2member_map_:
                result[int(item["category"])] = Category(name)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ModelError(f"{file} cannot be read ({e!r}): download it again.") from e
    return result


def _thresholds(folder: Path) -> dict[Category, float]:
    file = folder / "thresholds.csv"
    if not file.is_file():
        return {}
    words = _category_words(folder / "categories.json")
    result: dict[Category, float] = {}
    for row in read_rows(file, ("category", "threshold")):
        category = words.get(_number(row["category"]))
        if category is not None:
            result.setdefault(category, float(row["threshold"]))
    return result


def _number(text: str) -> int:
    try:
        return int(float(text))
    except ValueError:
        return 0
