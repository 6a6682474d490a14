"""Pictures for the preprocessing's tests, and the reference preprocessing, written as plainly as can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Array = npt.NDArray[Any]

MODES = ("RGB", "L", "LA", "RGBA", "P", "P+transparency", "CMYK", "I;16", "1")


def picture(width: int, height: int, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """A soft background with soft-edged discs and a little grain: about as sharp as a drawing or a photo."""
    chance = np.random.default_rng(seed)
    soft = Image.fromarray(chance.integers(0, 256, (7, 7, 3), np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    pencil = ImageDraw.Draw(soft)
    for _ in range(12):
        x, y = int(chance.integers(0, width)), int(chance.integers(0, height))
        w, h = int(chance.integers(4, 5 + width // 4)), int(chance.integers(4, 5 + height // 4))
        pencil.ellipse((x, y, x + w, y + h), fill=tuple(int(c) for c in chance.integers(0, 256, 3)))
    soft = soft.filter(ImageFilter.GaussianBlur(0.8))
    grain = chance.integers(-3, 4, (height, width, 1), np.int16)
    image = Image.fromarray(np.clip(np.asarray(soft, np.int16) + grain, 0, 255).astype(np.uint8))
    return in_mode(image, mode, seed)


def in_mode(image: Image.Image, mode: str, seed: int = 0) -> Image.Image:
    """The picture in another mode; those with transparency get soft and hard holes."""
    if mode in ("RGBA", "LA", "P+transparency"):
        alpha = Image.new("L", image.size, 255)
        pencil = ImageDraw.Draw(alpha)
        w, h = image.size
        pencil.rectangle((0, 0, w // 3, h // 2), fill=0)
        pencil.ellipse((w // 2, h // 4, w - 1, h - 1), fill=120)
        if mode == "P+transparency":
            palette = image.convert("P")
            palette.info["transparency"] = bytes(0 if i % 7 == 0 else 255 for i in range(256))
            return palette
        image = image.convert("RGBA" if mode == "RGBA" else "LA")
        image.putalpha(alpha)
        return image
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image.convert(mode)


def opaque(image: Image.Image, color: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """RGB over `color`, each pixel as (color × (255 − alpha) + pixel × alpha) / 255."""
    if image.mode == "I;16":
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA") or "transparency" in image.info:
        pixels = np.asarray(image.convert("RGBA"), np.float32)
        alpha = pixels[:, :, 3:] / np.float32(255)
        mixed = np.asarray(color, np.float32) * (1 - alpha) + pixels[:, :, :3] * alpha
        return Image.fromarray(np.round(mixed).astype(np.uint8))
    return image.convert("RGB")


def padded_square(image: Image.Image, side: int) -> Array:
    """The WD taggers': a white square at full size, then bicubic. RGB uint8."""
    flat = opaque(image)
    largest = max(flat.size)
    canvas = Image.new("RGB", (largest, largest), (255, 255, 255))
    canvas.paste(flat, ((largest - flat.width) // 2, (largest - flat.height) // 2))
    return np.asarray(canvas.resize((side, side), Image.Resampling.BICUBIC))


def stretched(image: Image.Image, side: int) -> Array:
    """ML-Danbooru's and PixAI's. RGB uint8."""
    return np.asarray(opaque(image).resize((side, side), Image.Resampling.BILINEAR))


def fitted(image: Image.Image, side: int, filter: int, color: tuple[int, int, int]) -> Array:
    """DeepDanbooru's and Camie's: the longer side fitted, the rest padded. RGB uint8."""
    flat = opaque(image)
    largest = max(flat.size)
    size = (flat.width * side // largest or 1, flat.height * side // largest or 1)
    canvas = Image.new("RGB", (side, side), color)
    small = flat.resize(size, Image.Resampling(filter))
    canvas.paste(small, ((side - size[0]) // 2, (side - size[1]) // 2))
    return np.asarray(canvas)


def difference(a: Array, b: Array) -> float:
    """Mean absolute difference."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).mean())
