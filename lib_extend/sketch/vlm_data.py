"""Lessons for the sketch vision-language model: drawn pictures, what each cell of them shows, questions.

Everything is drawn afresh: lesson number n of a seed is always the same and no picture is shown twice.
A cell is the 28×28 pixel square that one visual token stands for.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.draw import draw
from lib_extend.sketch.folder import LONG_SIDES, picture_size
from lib_extend.sketch.scene_layout import random_scene
from lib_extend.sketch.scenes import ASPECTS, Scene, scene_rng, truth
from lib_extend.sketch.vlm_model import CELL, MAX_PIXELS, MIN_PIXELS
from lib_extend.sketch.vlm_questions import TEMPLATES, Asking, lessons

Array = np.ndarray[Any, Any]

SIDE_WEIGHTS = (4, 4, 6, 8, 10, 10, 8, 6, 6, 2, 1)
COVERS = (*words.OBJECTS, "door", *words.FLOORS, "person", "background")
KINDS = tuple(TEMPLATES)
UNKNOWN = 255

SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|>"
ASSISTANT = "<|im_end|>\n<|im_start|>assistant\n"


def grid_of(width: int, height: int) -> tuple[int, int]:
    """(rows, columns) of cells that Qwen2-VL's processor makes of a picture of this size."""
    rows, columns = round(height / CELL), round(width / CELL)
    area = rows * columns * CELL * CELL
    if area > MAX_PIXELS:
        shrink = (height * width / MAX_PIXELS) ** 0.5
        rows = max(1, int(height / shrink / CELL))
        columns = max(1, int(width / shrink / CELL))
    elif area < MIN_PIXELS:
        grow = (MIN_PIXELS / (height * width)) ** 0.5
        rows, columns = -int(-height * grow // CELL), -int(-width * grow // CELL)
    return rows, columns


@dataclass(frozen=True)
class View:
    """A picture at the model's size: `pixels` uint8 (rows·28, columns·28, 3)."""

    scene: Scene
    pixels: Array
    truth: dict[str, Any]


def view(scene: Scene, long_side: int, rng: random.Random) -> View:
    """Draws a scene and brings it to the model's size as the processor does; half go through JPEG."""
    width, height = picture_size(scene.aspect, long_side)
    image = draw(scene, width, height)
    if rng.random() < 0.5:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=rng.randint(80, 95))
        image = Image.open(packed).convert("RGB")
    rows, columns = grid_of(width, height)
    image = image.resize((columns * CELL, rows * CELL), Image.Resampling.BICUBIC)
    return View(scene, np.asarray(image), truth(scene, "", (width, height)))


def cells(scene: Scene, whole: tuple[int, int], window: tuple[int, int, int, int]) -> tuple[Array, Array]:
    """What each cell of a window shows.

    First uint8 (3, rows, columns): what covers the cell's middle (index of `COVERS`), its color (index
    of `COLORS`), and the kind of object that has its centre in or next to the cell (1 + index of
    `OBJECTS`, 0 for none); `UNKNOWN` where the boxes do not tell.

    Second float32 (3, rows, columns): the share of that centre that is the cell's, 0…1, so that each
    object adds up to 1 over the four cells around its centre; and how far right and down of the
    cell's middle the centre of the object that covers it is, in cells (not a number elsewhere).

    `whole` is (width, height) of the picture in pixels, `window` (x, y, columns, rows) with x, y in
    pixels.
    """
    x0, y0, columns, rows = window
    width, height = whole
    planes = np.full((3, rows, columns), UNKNOWN, np.uint8)
    places = np.full((3, rows, columns), np.nan, np.float32)
    cover, color, centre = planes
    share, right, down = places
    x = (x0 + (np.arange(columns) + 0.5) * CELL) / width
    y = (y0 + (np.arange(rows) + 0.5) * CELL) / height

    def region(box: tuple[float, float, float, float]) -> Any:
        xs, ys = (x >= box[0]) & (x < box[2]), (y >= box[1]) & (y < box[3])
        return np.ix_(ys, xs)

    cover[:] = COVERS.index("background")
    if scene.floor:
        cover[y > scene.horizon, :] = COVERS.index(scene.floor)
    centre[:], share[:] = 0, 0.0
    if scene.door_box and scene.door:
        here = region(scene.door_box)
        cover[here], color[here] = COVERS.index("door"), words.COLORS.index(scene.door)
    for thing in scene.things:
        kind = words.OBJECTS.index(thing.kind)
        here = region(thing.box)
        cover[here], color[here] = kind, words.COLORS.index(thing.color)
        # The centre in cells, counted from the middle of the first cell.
        cx = ((thing.box[0] + thing.box[2]) / 2 * width - x0) / CELL - 0.5
        cy = ((thing.box[1] + thing.box[3]) / 2 * height - y0) / CELL - 0.5
        right[here] = (cx - np.arange(columns))[None, here[1][0]]
        down[here] = (cy - np.arange(rows))[here[0][:, 0], None]
        for column in (math.floor(cx), math.floor(cx) + 1):
            for row in (math.floor(cy), math.floor(cy) + 1):
                part = (1 - abs(cx - column)) * (1 - abs(cy - row))
                if not (0 <= row < rows and 0 <= column < columns):
                    continue
                if centre[row, column] == kind + 1:
                    share[row, column] = min(1.0, share[row, column] + part)
                elif part > share[row, column]:
                    centre[row, column], share[row, column] = kind + 1, part
    for person in scene.persons:
        a, b, c, d = person.box
        here = region(person.box)
        cover[here] = color[here] = UNKNOWN
        inner = region((a + (c - a) * 0.3, b, c - (c - a) * 0.3, d))
        cover[inner] = COVERS.index("person")
    return planes, places


def _flipped(picture: Array, planes: Array, places: Array) -> tuple[Array, Array, Array]:
    """All three mirrored left to right."""
    places = places[:, :, ::-1].copy()
    places[1] *= -1
    return picture[:, ::-1], planes[:, :, ::-1], places


def _scene(rng: random.Random) -> Scene:
    if rng.random() < 0.85:
        return random_scene(rng)
    return random_scene(rng, (0, 5), 0.3)


def _worth_counting(scene: Scene, rng: random.Random) -> bool:
    """Counting takes longest to learn, and fives longest of all: other scenes are shown more rarely."""
    counts = scene.counts()
    if max(counts.values(), default=0) >= 4:
        return True
    return rng.random() < (0.7 if len(counts) > 1 else 0.3)


class Snippets(Dataset[dict[str, Tensor]]):
    """First lessons, for the eyes alone: item n holds square cut-outs around objects.

    Items: `pixels` uint8 (N, side·28, side·28, 3) with the `cells` uint8 (N, 3, side, side) and `places`
    float32 (N, 3, side, side) of the function `cells`.
    """

    side, views, cuts = 7, 6, 6

    def __init__(self, seed: int, items: int) -> None:
        self.seed, self.items = seed, items

    def __len__(self) -> int:
        return self.items

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = scene_rng("train", self.seed, 2 * index)
        cut: list[tuple[Array, Array, Array]] = []
        while len(cut) < self.views * self.cuts:
            scene = _scene(rng)
            if _worth_counting(scene, rng):
                seen = view(scene, rng.choices(LONG_SIDES, SIDE_WEIGHTS)[0], rng)
                cut += [self._cut(seen, rng) for _ in range(self.cuts)]
        pixels, planes, places = (torch.from_numpy(np.stack(part)) for part in zip(*cut, strict=True))
        return {"pixels": pixels, "cells": planes, "places": places}

    def _cut(self, seen: View, rng: random.Random) -> tuple[Array, Array, Array]:
        high, wide, _ = seen.pixels.shape
        side = self.side * CELL
        boxes = [t.box for t in seen.scene.things] * 2
        boxes += [seen.scene.door_box] if seen.scene.door_box else []
        x, y = rng.uniform(0, wide), rng.uniform(0, high)
        if boxes and rng.random() < 0.8:
            box = rng.choice(boxes)
            x, y = rng.uniform(box[0], box[2]) * wide, rng.uniform(box[1], box[3]) * high
        left = round(min(max(x - side / 2 + rng.uniform(-CELL, CELL), 0), wide - side))
        top = round(min(max(y - side / 2 + rng.uniform(-CELL, CELL), 0), high - side))
        cut = seen.pixels[top : top + side, left : left + side]
        labels = cells(seen.scene, (wide, high), (left, top, self.side, self.side))
        return _flipped(cut, *labels) if rng.random() < 0.5 else (cut, *labels)


class Lessons(Dataset[dict[str, Tensor]]):
    """Whole pictures of one size with questions: item n is one batch.

    Items: `pixels` uint8 (B, H, W, 3), `cells`, `places` as in `Snippets`; for up to Q questions a
    picture `ids` (B, Q, L), question and answer, padded at the end; `last` (B, Q), the place of the
    question's last token; `answer` (B, Q), the answer's token, -100 where there is no question; `kind`
    (B, Q), the index of `KINDS`.
    """

    def __init__(
        self, tokenizer: str, seed: int, items: int, *, batch: int, most: int, namespace: str = "train"
    ) -> None:
        self.tokenizer, self.seed, self.items = tokenizer, seed, items
        self.batch, self.most, self.namespace = batch, most, namespace

    def __len__(self) -> int:
        return self.items

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = scene_rng(self.namespace, self.seed, 2 * index + 1)
        grid = grid_of(*picture_size(rng.choice(ASPECTS), rng.choices(LONG_SIDES, SIDE_WEIGHTS)[0]))
        pictures: list[tuple[Array, Array, Array]] = []
        rows: list[list[Asking]] = []
        while len(pictures) < self.batch:
            scene = _scene(rng)
            long_side = rng.choices(LONG_SIDES, SIDE_WEIGHTS)[0]
            if grid_of(*picture_size(scene.aspect, long_side)) != grid or not _worth_counting(scene, rng):
                continue
            seen = view(scene, long_side, rng)
            labels = cells(scene, (grid[1] * CELL, grid[0] * CELL), (0, 0, grid[1], grid[0]))
            pictures.append(_flipped(seen.pixels, *labels) if rng.random() < 0.5 else (seen.pixels, *labels))
            rows.append(lessons(seen.truth, rng, self.most))
        pixels, planes, places = (torch.from_numpy(np.stack(p)) for p in zip(*pictures, strict=True))
        return {
            "pixels": pixels,
            "cells": planes,
            "places": places,
            **pack(self.tokenizer, rows),
        }


def pack(tokenizer: str, rows: Sequence[Sequence[Asking]]) -> dict[str, Tensor]:
    """The questions of each picture as the tensors that `Lessons` describes."""
    vocabulary = tokenizer_of(tokenizer)
    encoded = [[vocabulary.encode(a.text + ASSISTANT).ids for a in row] for row in rows]
    answers = [[vocabulary.token_to_id(a.answer) for a in row] for row in rows]
    length = 1 + max(len(ids) for row in encoded for ids in row)
    shape = len(rows), max(len(row) for row in rows)
    ids = np.zeros((*shape, length), np.int64)
    last = np.full(shape, length - 2, np.int64)
    answer, kind = np.full(shape, -100, np.int64), np.full(shape, -1, np.int64)
    for i, row in enumerate(rows):
        for j, asking in enumerate(row):
            tokens = [*encoded[i][j], answers[i][j]]
            ids[i, j, : len(tokens)] = tokens
            last[i, j] = len(tokens) - 2
            answer[i, j], kind[i, j] = answers[i][j], KINDS.index(asking.kind)
    arrays = {"ids": ids, "last": last, "answer": answer, "kind": kind}
    return {name: torch.from_numpy(a) for name, a in arrays.items()}


@lru_cache(maxsize=2)
def tokenizer_of(text: str) -> Any:
    """The `tokenizers.Tokenizer` of this JSON text."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(text)
