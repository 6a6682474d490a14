"""Prepare pictures for models: flatten, pad, resize, convert to arrays. Pure functions, thread-safe.

Each equals its family's published preprocessing except for resampling: a picture that is much larger than needed is
first averaged down by a whole factor, which is much cheaper than a wide filter. The geometry stays exact to a fraction
of a pixel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lib_extend.models import resampling

Array = npt.NDArray[Any]
Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)

COVERED = "covered"
"""Key of `Image.info` by which the decoder says which part of a reduced picture is picture: a box
(x0, y0, x1, y1) in the image's own pixels, not whole ones. (The same as `analysis.decode.COVERED`.)"""

SCALE = "scale"
"""Likewise: how many of the original's pixels one of a reduced picture stands for, along each side."""

_SHARP, _SHARPER = 2.0, 3.0
"""Averaging leaves at least this many pixels per pixel of the result, along each side; more where a filter is cheap."""

_GAP = 3.0
"""Likewise for the other filters, at which averaging shows more."""

BICUBIC = Image.Resampling.BICUBIC


def flatten(image: Image.Image, background: Color = WHITE) -> Image.Image:
    """The image as RGB, with transparent parts over `background`; grey of more than 8 bits as `eight_bit` converts
    it."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith(("I", "F")):
        return eight_bit(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        # Pillow converts La to RGBA only in these steps.
        image = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        flat = Image.new("RGB", image.size, background)
        flat.paste(image, mask=image.getchannel("A"))
        return flat
    return image.convert("RGB")


def eight_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or of floats (modes I;16…, I, F) as mode L, scaled where Pillow would clip.

    16 bits come from 0…65535: I;16, and I where it is of a PNG or goes beyond 255 but not beyond 65535. F is taken
    for 0…1 where it stays within. What still goes beyond 255 is scaled by its brightest pixel; what is no number
    is black.
    """
    values = np.asarray(image).astype(np.float32)
    top = float(values.max(initial=0.0, where=np.isfinite(values)))
    values = np.nan_to_num(values, nan=0.0, posinf=top, neginf=0.0)
    sixteen = image.format == "PNG" or 255 < top <= 65535
    if image.mode.startswith("I;16") or (image.mode == "I" and sixteen):
        values = values / 257.0
    elif image.mode == "F" and top <= 1.0:
        values = values * 255.0
    elif top > 255.0:
        values = values * (255.0 / top)
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))


def covered(image: Image.Image) -> tuple[float, float, float, float]:
    """The part of the image that the picture covers: (x0, y0, x1, y1) in its pixels."""
    box = image.info.get(COVERED)
    if box is None:
        return (0.0, 0.0, float(image.width), float(image.height))
    x0, y0, x1, y1 = (float(v) for v in box)
    return (x0, y0, x1, y1)


def pad_square(image: Image.Image, side: int, *, color: Color = WHITE, filter: int = BICUBIC) -> Image.Image:
    """Centre-pad to a square of `color`, then resize to `side` × `side`. Transparent parts are laid over `color`.

    The padding is rounded down to whole pixels of the original on the left and at the top.
    """
    box = covered(image)
    width, height = box[2] - box[0], box[3] - box[1]
    square = max(width, height)
    left, top = (square - width) / 2, (square - height) / 2
    scale = float(image.info.get(SCALE, 1))
    # the padding is a multiple of half a pixel: the thousandth only corrects the rounding of the division
    left, top = (math.floor(v * scale + 0.001) / scale for v in (left, top))
    factor = max(1, int(square / ((_SHARPER if resampling.fast() else _SHARP) * side)))
    flat = flatten(image.reduce(factor) if factor > 1 and _averages(image) else image, color)
    if factor > 1 and flat.size == image.size:
        flat = flat.reduce(factor)
    # From here on lengths are in pixels of the averaged picture.
    x0, y0, x1, y1 = (v / factor for v in box)
    left, top, square = left / factor, top / factor, square / factor
    _blend_edges(flat, (x0, y0, x1, y1), color)
    # The square begins at (x0 - left, y0 - top) of the picture, which lies at a whole offset on the canvas.
    dx, dy = math.ceil(max(0.0, left - x0)), math.ceil(max(0.0, top - y0))
    begin_x, begin_y = x0 - left + dx, y0 - top + dy
    if (dx, dy, begin_x, begin_y) == (0, 0, 0.0, 0.0) and flat.size == (side, side) == (square, square):
        return flat
    canvas = Image.new(
        "RGB",
        (
            max(math.ceil(begin_x + square), dx + flat.width),
            max(math.ceil(begin_y + square), dy + flat.height),
        ),
        color,
    )
    canvas.paste(flat, (dx, dy))
    window = (begin_x, begin_y, begin_x + square, begin_y + square)
    return resampling.shrink(canvas, (side, side), filter, window)


def _averages(image: Image.Image) -> bool:
    """Whether averaging before flattening gives the same as after it (Pillow weighs RGBA by alpha)."""
    return image.mode in ("RGB", "L", "RGBA") and "transparency" not in image.info


def _blend_edges(flat: Image.Image, box: tuple[float, float, float, float], color: Color) -> None:
    """Mix `color` into the outermost rows and columns by how much of them lies outside the box, in place.

    So the picture ends at its exact edge and not at the next whole pixel.
    """
    x0, y0, x1, y1 = box
    width, height = flat.size
    edges = (
        ((0, 0, 1, height), 1 - x0),
        ((0, 0, width, 1), 1 - y0),
        ((width - 1, 0, width, height), x1 - (width - 1)),
        ((0, height - 1, width, height), y1 - (height - 1)),
    )
    for strip, share in edges:
        if share < 1:
            part = flat.crop(strip)
            flat.paste(Image.blend(Image.new("RGB", part.size, color), part, max(0.0, share)), strip[:2])


def resize(image: Image.Image, size: tuple[int, int], filter: int) -> Image.Image:
    """The picture (its covered part) stretched to `size` = (width, height), antialiased. Keeps the mode."""
    box = covered(image)
    if size == image.size and box == (0.0, 0.0, *image.size):
        return image
    much = min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]) >= resampling.LEAST
    if image.mode == "RGB" and much and resampling.fast():
        return resampling.shrink(image, size, filter, box)
    # Pillow's own two steps: average by a whole factor, then the filter on what is left.
    return image.resize(size, Image.Resampling(filter), box=box, reducing_gap=_GAP)


def fit(image: Image.Image, side: int, filter: int) -> Image.Image:
    """As RGB, the longer side made `side`, the other cut down to whole pixels (at least one)."""
    x0, y0, x1, y1 = covered(image)
    longer = max(x1 - x0, y1 - y0)
    size = (max(1, whole((x1 - x0) * side / longer)), max(1, whole((y1 - y0) * side / longer)))
    return resize(carry(image), size, filter)


def whole(length: float) -> int:
    """Round down to whole pixels, but not because of a rounding error."""
    return int(length + 1e-6)


def carry(image: Image.Image) -> Image.Image:
    """`flatten`, and keep the information which part of the image the picture covers."""
    flat = flatten(image)
    if flat is not image and COVERED in image.info:
        flat.info[COVERED] = image.info[COVERED]
    return flat


def lay_on(image: Image.Image, size: tuple[int, int], color: Color) -> Image.Image:
    """The image in the middle of a canvas of `size` = (width, height)."""
    canvas = Image.new("RGB", size, color)
    canvas.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return canvas


def planes(pixels: Array) -> Array:
    """Height × width × channels → channels × height × width, in one piece of memory."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
