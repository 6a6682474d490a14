"""Preprocessing as a model ships it: the steps of `preprocess.json`, in the vocabulary of imgutils. [read]

A step is {"type": …, …}. Known: convert_rgb, pad_to_size, resize, center_crop, to_tensor, maybe_to_tensor,
normalize. The result is channels × height × width, RGB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from lib_extend.models import images
from lib_extend.models.files import ModelFiles
from lib_extend.models.taggers.base import Array

Step = Mapping[str, Any]

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}

_GEOMETRY = ("pad_to_size", "resize", "center_crop")
_OTHER = ("convert_rgb", "to_tensor", "maybe_to_tensor", "normalize")


def read(files: ModelFiles, default: Sequence[Step]) -> list[Step]:
    """The steps of `preprocess.json` (under "test", else "stages", "val" or the whole), `default` without it.

    Raises ModelError when they are not such steps.
    """
    if "preprocess.json" not in files:
        return list(default)
    content = files.json("preprocess.json")
    if isinstance(content, Mapping):
        content = next((content[k] for k in ("test", "stages", "val") if k in content), None)
    path = files.path("preprocess.json")
    if not isinstance(content, list) or not all(isinstance(s, Mapping) for s in content):
        raise files.damaged(path, "does not hold the preprocessing's steps")
    for step in content:
        if step.get("type") not in (*_GEOMETRY, *_OTHER):
            raise files.damaged(path, f"has a step {step.get('type')!r}, which is not known here")
    try:
        # Errors appear now and not at the first picture.
        prepare(content)(Image.new("RGB", (3, 2)))
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise files.damaged(path, f"has steps that cannot be followed ({error})") from error
    return content


def side(steps: Sequence[Step], default: int) -> int:
    """Pixels of the side that comes out."""
    for step in reversed(steps):
        if step.get("type") in _GEOMETRY and "size" in step:
            size = step["size"]
            return int(size if isinstance(size, int) else size[0])
    return default


def sharp(steps: Sequence[Step], default: int) -> int:
    """Pixels of a longer side: a decoded picture with twice as many loses nothing that the steps need.

    Twice the size if the picture is stretched or cropped, because then the shorter side counts.
    """
    first = next((s for s in steps if s.get("type") in _GEOMETRY and "size" in s), None)
    if first is None:
        return default
    size = int(first["size"] if isinstance(first["size"], int) else max(first["size"]))
    return size if first["type"] == "pad_to_size" else 2 * size


def prepare(steps: Sequence[Step]) -> Callable[[Image.Image], Array]:
    """The function that follows the steps; what is transparent lies over white. [read]"""
    geometry = [step for step in steps if step["type"] in _GEOMETRY]
    scale, shift = _affine(steps)

    def run(image: Image.Image) -> Array:
        picture = images.carry(image)
        for step in geometry:
            picture = _APPLY[step["type"]](picture, step)
        pixels = np.asarray(images.flatten(picture), np.float32)
        return images.planes(pixels * scale + shift)

    return run


def _affine(steps: Sequence[Step]) -> tuple[Array, Array]:
    """All scaling as pixel × scale + shift, one number a channel: 0…255 → 0…1, then the normalisations."""
    scale, shift = np.full(3, 1 / 255, np.float64), np.zeros(3, np.float64)
    for step in steps:
        if step["type"] == "normalize":
            mean, std = np.asarray(step["mean"], np.float64), np.asarray(step["std"], np.float64)
            scale, shift = scale / std, (shift - mean) / std
    return scale.astype(np.float32), shift.astype(np.float32)


def _filter(step: Step, default: str = "bilinear") -> Image.Resampling:
    return FILTERS[str(step.get("interpolation") or default).lower()]


def _pair(size: Any) -> tuple[int, int]:
    """(width, height) of a size: one number, or [height, width]."""
    if isinstance(size, int):
        return size, size
    height, width = (size[0], size[0]) if len(size) == 1 else size
    return int(width), int(height)


def _pad_to_size(image: Image.Image, step: Step) -> Image.Image:
    width, height = _pair(step["size"])
    x0, y0, x1, y1 = images.covered(image)
    ratio = min(width / (x1 - x0), height / (y1 - y0))
    size = (max(1, round((x1 - x0) * ratio)), max(1, round((y1 - y0) * ratio)))
    color = step.get("background_color") or "white"
    rgb = (
        ImageColor.getrgb(color)
        if isinstance(color, str)
        else (color,) * 3
        if isinstance(color, int)
        else color
    )
    background = (int(rgb[0]), int(rgb[1]), int(rgb[2]))
    return images.lay_on(images.resize(image, size, _filter(step)), (width, height), background)


def _resize(image: Image.Image, step: Step) -> Image.Image:
    wanted, most = step["size"], step.get("max_size")
    if not isinstance(wanted, int) and len(wanted) > 1:
        return images.resize(image, _pair(wanted), _filter(step))
    short = int(wanted if isinstance(wanted, int) else wanted[0])
    x0, y0, x1, y1 = images.covered(image)
    width, height = x1 - x0, y1 - y0
    # One number is the shorter side; the longer one is cut to whole pixels. [read]
    ratio = images.whole(short * max(width, height) / min(width, height))
    size = (short, ratio) if width < height else (ratio, short)
    if most and max(size) > most:
        size = (max(1, int(most * size[0] / max(size))), max(1, int(most * size[1] / max(size))))
    return images.resize(image, size, _filter(step))


def _center_crop(image: Image.Image, step: Step) -> Image.Image:
    width, height = _pair(step["size"])
    if image.width < width or image.height < height:
        image = images.lay_on(image, (max(image.width, width), max(image.height, height)), images.BLACK)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


_APPLY: Mapping[str, Callable[[Image.Image, Step], Image.Image]] = {
    "pad_to_size": _pad_to_size,
    "resize": _resize,
    "center_crop": _center_crop,
}
