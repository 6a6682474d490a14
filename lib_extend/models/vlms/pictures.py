"""Pictures as vision-language models take them: 8-bit RGB, transparency on white, within a pixel cap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lib_extend.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

LONGEST_RATIO = 200
"""Above this ratio of the sides Qwen's processors refuse a picture (`smart_resize`)."""


def to_rgb(image: Image.Image) -> Image.Image:
    """`image`, upright and of any mode, as RGB; what is transparent becomes white.

    16-bit and floating-point gray are scaled to 8 bits: I;16 from 0…65535, I likewise where it goes
    beyond 255, F from 0…1 where it stays within, else from 0…255.

    Raises ImageError when a picture not yet read from its file cannot be.
    """
    from PIL import Image as pillow

    try:
        image.load()  # now: whoever handed it in may close the file before it is asked about
    except (OSError, SyntaxError) as error:  # Pillow's PNG reader raises SyntaxError
        raise ImageError(f"The picture cannot be decoded ({error}).") from error
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _deep(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        over = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        white = pillow.new("RGBA", over.size, (255, 255, 255, 255))
        return pillow.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")


def _deep(image: Image.Image) -> Image.Image:
    """Gray of more than 8 bits as mode L."""
    import numpy as np
    from PIL import Image as pillow

    values: np.ndarray[Any, Any] = np.nan_to_num(np.asarray(image).astype(np.float32))
    top = float(values.max(initial=0.0))
    if image.mode == "F" and top <= 1.0:
        values = values * 255
    elif image.mode != "F" and (image.mode.startswith("I;16") or top > 255):
        values = values / 257
    return pillow.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8), "L")


def shrink(image: Image.Image, pixels: int) -> Image.Image:
    """`image` at no more than `pixels` (width × height), its proportions kept; never enlarged."""
    from PIL import Image as pillow

    width, height = image.size
    if width * height <= pixels:
        return image
    scale = math.sqrt(pixels / (width * height))
    size = max(1, int(width * scale)), max(1, int(height * scale))
    if size[0] * size[1] > pixels:  # a line one pixel thin and longer than `pixels`
        size = min(size[0], pixels), min(size[1], pixels)
    return image.resize(size, pillow.Resampling.LANCZOS, reducing_gap=3.0)


def thicken(image: Image.Image, cell: int, pixels: int) -> Image.Image:
    """`image`, brought to one cell's thickness if it would be thinner at `pixels` (width × height).

    Qwen's `smart_resize` exceeds its maximum for such pictures, and in releases up to about 4.50 refuses
    them. Only where proportions and cap cannot both be kept does the picture become shorter.
    """
    from PIL import Image as pillow

    scale = min(1.0, math.sqrt(pixels / (image.width * image.height)))
    shorter, longer = sorted(image.size)
    if shorter * scale >= cell:
        return image
    length = max(cell, min(round(longer * cell / shorter), pixels // cell // cell * cell))
    size = (length, cell) if image.width >= image.height else (cell, length)
    return image.resize(size, pillow.Resampling.BICUBIC)
