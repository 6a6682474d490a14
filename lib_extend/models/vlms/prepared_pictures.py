"""Pictures as vision-language models take them: 8-bit RGB, transparency on white, within a pixel cap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lib_extend.errors import ImageError
from lib_extend.models.images import flatten

if TYPE_CHECKING:
    from PIL import Image

LONGEST_RATIO = 200
"""Above this ratio of the sides Qwen's processors refuse a picture (`smart_resize`)."""


def to_rgb(image: Image.Image) -> Image.Image:
    """`image`, upright and of any mode, as RGB, what is transparent white (`images.flatten`).

    Raises ImageError when a picture not yet read from its file cannot be.
    """
    try:
        image.load()  # now: whoever handed it in may close the file before it is asked about
    except (OSError, SyntaxError) as error:  # Pillow's PNG reader raises SyntaxError
        raise ImageError(f"The picture cannot be decoded ({error}).") from error
    return flatten(image)


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
