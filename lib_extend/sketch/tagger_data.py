"""Training pictures for the sketch tagger: drawn, prepared as the WD taggers prepare them, cached.

A cached part holds `PART` pictures: `pictures` uint8 [PART, 448, 448, 3] in RGB and `labels` uint8
[PART, outputs] with 1 = present, 0 = absent, `UNKNOWN` = not to be judged.
"""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.draw import draw
from lib_extend.sketch.folder import LONG_SIDES, picture_size
from lib_extend.sketch.parts import cached
from lib_extend.sketch.scene_layout import random_scene
from lib_extend.sketch.scenes import Scene, people_tags, scene_rng

Bytes = npt.NDArray[np.uint8]

SIDE = 448
PART = 1000
UNKNOWN = 2

RATINGS = ("general", "sensitive", "questionable", "explicit")
OUTPUTS: tuple[str, ...] = (*RATINGS, *words.TAGS, *words.MASCOTS)
"""The names of the tagger's outputs, in order: ratings, general tags, characters."""


def prepare(image: Image.Image) -> Image.Image:
    """RGB 448×448 as the WD taggers see a picture: centred on a white square, then BICUBIC."""
    side = max(image.size)
    square = Image.new("RGB", (side, side), (255, 255, 255))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square if side == SIDE else square.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def label(tags: list[str]) -> Bytes:
    """uint8 [outputs] with 1 for `tags` and for the rating `general`."""
    present = {"general", *tags}
    return np.array([name in present for name in OUTPUTS], dtype=np.uint8)


def sample(seed: int, index: int) -> tuple[Image.Image, Bytes]:
    """The training picture `index`, prepared, and its label.

    Most are ordinary scenes; some are crowded or empty; some are one person cut out of a scene, as
    the separation of characters will show them. What else is in a cutting is not judged.
    """
    rng = scene_rng("train", seed, index)
    kind = rng.choices(("usual", "crowd", "empty"), (0.74, 0.22, 0.04))[0]
    persons = {"usual": (1, 3), "crowd": (1, 5), "empty": (0, 0)}[kind]
    scene = random_scene(rng, persons, 0.4 if kind == "crowd" else 0.1)
    long_side = rng.choice(LONG_SIDES[:-2])
    image = draw(scene, *picture_size(scene.aspect, long_side))
    known = label(scene.tags())
    if scene.persons and rng.random() < 0.1:
        image, known = _cutting(rng, scene, image)
    if rng.random() < 0.4:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=rng.randint(75, 95))
        image = Image.open(packed).convert("RGB")
    return prepare(image), known


def _cutting(rng: random.Random, scene: Scene, image: Image.Image) -> tuple[Image.Image, Bytes]:
    person = rng.choice(scene.persons)
    x0, y0, x1, y1 = person.box
    w, h = (x1 - x0) * image.width, (y1 - y0) * image.height
    box = (
        max(0, round(x0 * image.width - rng.uniform(0, 0.08) * w)),
        max(0, round(y0 * image.height - rng.uniform(0, 0.08) * h)),
        min(image.width, round(x1 * image.width + rng.uniform(0, 0.08) * w)),
        min(image.height, round(y1 * image.height + rng.uniform(0, 0.08) * h)),
    )
    others = [p for p in scene.persons if p is not person]
    for other in others:  # the neighbours are painted over where they are not this person
        ox0, oy0, ox1, oy1 = (
            round(v * s) for v, s in zip(other.box, (*image.size, *image.size), strict=True)
        )
        px0, px1 = x0 * image.width, x1 * image.width
        if (ox0 + ox1) / 2 > (px0 + px1) / 2:
            ox0 = max(ox0, round(px1))
        else:
            ox1 = min(ox1, round(px0))
        if ox1 > ox0:
            image.paste((255, 255, 255), (ox0, oy0, ox1, oy1))
    own = {*person.tags(), *people_tags([person.gender]), "general"}
    judged = {*words.PEOPLE_TAGS, *RATINGS, *words.PERSON_TAGS, *words.MASCOTS}
    near = any(min(p.box[2], x1) > max(p.box[0], x0) for p in others)
    known = np.full(len(OUTPUTS), UNKNOWN, dtype=np.uint8)
    for i, name in enumerate(OUTPUTS):
        # A neighbour's hair still reaches into the cutting: only what is there is sure then.
        if name in own:
            known[i] = 1
        elif name in judged and not near:
            known[i] = 0
    return image.crop(box), known


def cached_part(folder: Path, seed: int, part: int) -> tuple[Bytes, Bytes]:
    """(pictures, labels) of a part, memory-mapped; drawn first where it is not there yet."""

    def drawn() -> tuple[Bytes, Bytes]:
        pictures = np.empty((PART, SIDE, SIDE, 3), dtype=np.uint8)
        labels = np.empty((PART, len(OUTPUTS)), dtype=np.uint8)
        for i in range(PART):
            image, labels[i] = sample(seed, part * PART + i)
            pictures[i] = np.asarray(image)
        return pictures, labels

    pictures, labels = cached(folder, f"{seed}-{part:03d}", ("pictures", "labels"), drawn)
    return pictures, labels
