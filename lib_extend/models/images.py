"""From an upright picture of any mode to the pixels a tagger or detector was trained on.

All results are uint8 RGB arrays [height, width, 3] in 0…255; scaling, channel order and layout are the
family's own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import Image

Pixels = np.ndarray[Any, Any]
Color = tuple[int, int, int]
WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)

KEEP = 2.0
"""An image is first box-reduced by whole numbers to no less than this many times the target's side."""


def flatten(image: Image.Image, background: Color = WHITE) -> Image.Image:
    """The picture in RGB, transparent parts over `background`."""
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        canvas = Image.new("RGB", rgba.size, background)
        canvas.paste(rgba, mask=rgba.getchannel("A"))
        return canvas
    return image if image.mode == "RGB" else image.convert("RGB")


def square(image: Image.Image, side: int, *, color: Color = WHITE) -> Pixels:
    """Padded to a centred square, then bicubic to `side`: the WD taggers' preprocessing.

    The square is never made at full size: a whole-number box reduction first, aligned so that the
    geometry is that of padding and resizing the original. Mean difference to that: under 0.2 of 255.
    """
    image = flatten(image)
    width, height = image.size
    largest = max(width, height)
    left, top = (largest - width) // 2, (largest - height) // 2
    factor = max(1, int(largest / (KEEP * side)))
    if factor > 1:
        image = image.reduce(factor)
    # the padded square's corner falls between pixels of the reduced picture: the box takes the fraction
    x, y = math.ceil(left / factor), math.ceil(top / factor)
    x0, y0 = x - left / factor, y - top / factor
    length = largest / factor
    canvas = Image.new(
        "RGB",
        (max(math.ceil(x0 + length), x + image.width), max(math.ceil(y0 + length), y + image.height)),
        color,
    )
    canvas.paste(image, (x, y))
    box = (x0, y0, x0 + length, y0 + length)
    return np.asarray(canvas.resize((side, side), Image.Resampling.BICUBIC, box=box))


def stretch(
    image: Image.Image,
    width: int,
    height: int,
    resample: Image.Resampling = Image.Resampling.BILINEAR,
) -> Pixels:
    """Resized to `width` × `height` whatever its aspect (ML-Danbooru, YOLO detectors)."""
    return np.asarray(flatten(image).resize((width, height), resample))


def fit(
    image: Image.Image,
    side: int,
    *,
    color: Color,
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> Pixels:
    """Resized so that the longer side is `side`, centred on a square of `color` (DeepDanbooru, Camie)."""
    image = flatten(image)
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new("RGB", (side, side), color)
    canvas.paste(image.resize(size, resample), ((side - size[0]) // 2, (side - size[1]) // 2))
    return np.asarray(canvas)
