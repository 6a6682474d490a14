"""A picture with its persons drawn in: box, letter and tags, for a person to look at."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from lib_extend.models.images import flatten
from lib_extend.records import Person
from lib_extend.vocabulary.tag_names import written

COLORS = ("#e6194b", "#1565c0", "#2e7d32", "#8e24aa", "#ef6c00")
"""One a person; white text is legible on each."""

SMALLEST = 640
"""A smaller picture is enlarged until its longer side has this many pixels, so that the text is legible."""

_FONTS = ("DejaVuSans.ttf", "arial.ttf", "Arial.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf")
_MOST = 14  # tags listed a person


def annotate(image: Image.Image, persons: Sequence[Person]) -> Image.Image:
    """RGB: `image` (upright, in whose pixels the boxes are) with the persons drawn in; a list of tags below."""
    picture = flatten(image)
    scale = max(1.0, SMALLEST / max(picture.size))
    if scale > 1:
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    else:
        picture = picture.copy()
    size = max(13, min(36, round(max(picture.size) / 45)))
    font = _font(size)
    draw = ImageDraw.Draw(picture)
    line = max(2, size // 7)
    for i, person in enumerate(persons):
        color = COLORS[i % len(COLORS)]
        box = [v * scale for v in person.box.as_list()]
        draw.rectangle(box, outline=color, width=line)
        _label(draw, (box[0], box[1]), _legible(person.letter, font), color, font, picture.size)
    return _with_list(picture, persons, font, size)


def _label(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    color: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size: tuple[int, int],
) -> None:
    x0, y0, x1, y1 = draw.textbbox((0, 0), text, font=font)
    pad = 4
    wide, high = x1 - x0 + 2 * pad, y1 - y0 + 2 * pad
    left = min(max(0.0, at[0]), size[0] - wide)
    top = min(max(0.0, at[1]), size[1] - high)
    draw.rectangle((left, top, left + wide, top + high), fill=color)
    draw.text((left + pad - x0, top + pad - y0), text, fill="white", font=font)


def _with_list(
    picture: Image.Image,
    persons: Sequence[Person],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size: int,
) -> Image.Image:
    """The picture over one paragraph of tags a person."""
    draw = ImageDraw.Draw(picture)
    lines: list[tuple[str, str]] = []
    for i, person in enumerate(persons):
        tags = [written(t.name) for t in person.tags[:_MOST]]
        tags += ["…"] if len(person.tags) > _MOST else []
        text = f"{_legible(person.letter, font)}:"
        for n, tag in enumerate(tags):
            piece = f" {tag}" + ("," if n < len(tags) - 1 else "")
            if draw.textlength(text + piece, font=font) > picture.width - 2 * size:
                lines.append((text, COLORS[i % len(COLORS)]))
                text = "   "
            text += piece
        lines.append((text, COLORS[i % len(COLORS)]))
    step = round(size * 1.5)
    result = Image.new("RGB", (picture.width, picture.height + step * len(lines) + size), "white")
    result.paste(picture, (0, 0))
    draw = ImageDraw.Draw(result)
    for i, (text, color) in enumerate(lines):
        draw.text((size, picture.height + size // 2 + i * step), text, fill=color, font=font)
    return result


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of the system that has Greek letters, else Pillow's own, which has none."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _legible(letter: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The letter, or its name where the font does not have it (`alpha`)."""
    missing = bytes(font.getmask("\ufffe"))
    if letter and all(bytes(font.getmask(c)) != missing for c in letter):
        return letter
    return " ".join(unicodedata.name(c, "?").rpartition(" ")[2].lower() for c in letter) or "?"
