"""The sample folder: twelve drawn pictures, chosen so that every kind of answer occurs.

    python -m lib_extend.sketch.samples samples

draws the same files again. Names, formats and sizes differ as in a folder that somebody collected.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from lib_extend.sketch.draw import draw
from lib_extend.sketch.folder import picture_size, save_image, write_truth
from lib_extend.sketch.scene_layout import random_scene
from lib_extend.sketch.scenes import scene_rng, truth


@dataclass(frozen=True)
class Sample:
    """`index` is the scene's number in the namespace "sample", `mode` the stored pixels' kind."""

    name: str
    index: int
    long_side: int
    mode: str = "RGB"


SAMPLES: tuple[Sample, ...] = (
    Sample("balloon_day.jpg", 81, 896),
    Sample("birthday_in_the_cellar.webp", 353, 768),
    Sample("blue_balls.webp", 448, 640),
    Sample("classroom.jpg", 13, 1280),
    Sample("coffee_break.png", 18, 640, "P"),
    Sample("hoshi_moves_in.webp", 199, 832),
    Sample("night_picnic.png", 202, 640),
    Sample("party_stickers.png", 300, 512, "RGBA"),
    Sample("playroom.jpg", 301, 700),
    Sample("three_friends.jpg", 873, 512),
    Sample("tsuki_and_butterflies.png", 320, 448),
    Sample("white_butterflies.webp", 184, 1024),
)


def draw_samples(directory: Path | str) -> list[dict[str, Any]]:
    """Draws the twelve pictures and `truth.jsonl` into `directory`; returns the truth's rows."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for sample in SAMPLES:
        scene = random_scene(scene_rng("sample", 0, sample.index))
        size = picture_size(scene.aspect, sample.long_side)
        image = draw(scene, *size)
        if sample.mode == "P":
            image = image.quantize(128, dither=Image.Dither.NONE)
        elif sample.mode == "RGBA":
            image = without_background(image)
        save_image(image, folder / sample.name, quality=90)
        rows.append(truth(scene, sample.name, size))
    write_truth(folder, rows)
    return rows


def without_background(image: Image.Image) -> Image.Image:
    """RGBA: what is white and connected with the corners becomes transparent.

    On white it looks as before, pixel for pixel.
    """
    flooded = image.convert("RGB")
    key = (255, 0, 254)
    right, bottom = image.width - 1, image.height - 1
    for corner in ((0, 0), (right, 0), (0, bottom), (right, bottom)):
        if flooded.getpixel(corner) == (255, 255, 255):
            ImageDraw.floodfill(flooded, corner, key)
    outside = Image.new("L", image.size, 255)
    for band, value in zip(flooded.split(), key, strict=True):
        same = band.point([255 if i == value else 0 for i in range(256)])
        outside.paste(0, (0, 0), same.point([255 - i for i in range(256)]))
    alpha = outside.point([255 - i for i in range(256)])
    result = image.convert("RGBA")
    result.putalpha(alpha)
    return result


if __name__ == "__main__":
    draw_samples(sys.argv[1] if len(sys.argv) > 1 else "samples")
