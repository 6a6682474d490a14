"""Training pictures for the sketch detector: drawn, stretched to a square as detectors see them, cached.

A cached part holds `PART` pictures: `pictures` uint8 [PART, 320, 320, 3] in RGB and `boxes` float32
[PART, 5, 4], the persons' x0, y0, x1, y1 as shares of the picture's sides; zeros where there are fewer.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.draw import draw
from lib_extend.sketch.folder import LONG_SIDES, picture_size
from lib_extend.sketch.parts import cached
from lib_extend.sketch.scene_layout import random_scene
from lib_extend.sketch.scenes import Rect, intersection, scene_rng

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SIDE = 320
PART = 1000

WHOLE, HIDDEN = 0.8, 0.05
"""Shares of a person that a cutting must show at least, or may show at most, to be fit for training."""


def stretch(image: Image.Image) -> Image.Image:
    """RGB 320×320, stretched without regard to the aspect, as detectors are shown pictures."""
    return image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0)


def sample(seed: int, index: int) -> tuple[Image.Image, list[Rect]]:
    """The training picture `index`, stretched, and the persons' boxes as shares of its sides.

    Ordinary scenes, crowds whose persons overlap, a few empty ones; a third are cuttings, so that persons
    are seen at other sizes, at other aspects and cut by the border.
    """
    rng = scene_rng("train", seed, index)
    kind = rng.choices(("usual", "crowd", "empty"), (0.35, 0.60, 0.05))[0]
    persons = {"usual": (1, 3), "crowd": (1, words.MAX_PERSONS), "empty": (0, 0)}[kind]
    scene = random_scene(rng, persons, 0.42 if kind == "crowd" else 0.1)
    image = draw(scene, *picture_size(scene.aspect, rng.choice(LONG_SIDES[:-3])))
    boxes: Sequence[Rect] = [p.box for p in scene.persons]
    if rng.random() < 0.35:
        image, boxes = _cutting(rng, image, boxes)
    if rng.random() < 0.4:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=rng.randint(75, 95))
        image = Image.open(packed).convert("RGB")
    return stretch(image), [_inside(box) for box in boxes]


def _inside(box: Rect) -> Rect:
    x0, y0, x1, y1 = (min(1.0, max(0.0, v)) for v in box)
    return x0, y0, x1, y1


def _cutting(
    rng: random.Random, image: Image.Image, boxes: Sequence[Rect]
) -> tuple[Image.Image, Sequence[Rect]]:
    """A part of the picture in which nobody is half visible; the whole where chance finds none."""
    for _ in range(8):
        w, h = rng.uniform(0.5, 1.0), rng.uniform(0.6, 1.0)
        x, y = rng.uniform(0, 1 - w), rng.uniform(0, 1 - h)
        window = (x, y, x + w, y + h)
        seen = [intersection(b, window) / ((b[2] - b[0]) * (b[3] - b[1])) for b in boxes]
        if all(s >= WHOLE or s <= HIDDEN for s in seen):
            pixels = [
                round(v * s) for v, s in zip((x, y, x + w, y + h), (*image.size, *image.size), strict=True)
            ]
            left, top = pixels[0] / image.width, pixels[1] / image.height
            wide, high = (pixels[2] - pixels[0]) / image.width, (pixels[3] - pixels[1]) / image.height
            kept = [
                ((b[0] - left) / wide, (b[1] - top) / high, (b[2] - left) / wide, (b[3] - top) / high)
                for b, s in zip(boxes, seen, strict=True)
                if s >= WHOLE
            ]
            return image.crop((pixels[0], pixels[1], pixels[2], pixels[3])), kept
    return image, boxes


def cached_part(folder: Path, seed: int, part: int) -> tuple[Bytes, Floats]:
    """(pictures, boxes) of a part, memory-mapped; drawn first where it is not there yet."""

    def drawn() -> tuple[Bytes, Floats]:
        pictures = np.empty((PART, SIDE, SIDE, 3), dtype=np.uint8)
        persons = np.zeros((PART, words.MAX_PERSONS, 4), dtype=np.float32)
        for i in range(PART):
            image, boxes = sample(seed, part * PART + i)
            pictures[i] = np.asarray(image)
            persons[i, : len(boxes)] = np.array(boxes, np.float32).reshape(-1, 4)
        return pictures, persons

    pictures, persons = cached(folder, f"detector-{seed}-{part:03d}", ("pictures", "boxes"), drawn)
    return pictures, persons
