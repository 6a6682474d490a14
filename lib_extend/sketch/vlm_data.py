"""Lessons for the sketch vision-language model: drawn pictures, what each cell of them shows, questions.

Everything is drawn afresh: lesson number n of a seed is always the same and no picture is shown twice.
A cell is the 28×28 pixel square that one visual token stands for.
"""

from __future__ import annotations

import io
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

from . import vocabulary as words
from .draw import draw
from .folder import LONG_SIDES, picture_size
from .scenes import ASPECTS, Scene, random_scene, scene_rng, truth
from .vlm_model import CELL, MAX_PIXELS, MIN_PIXELS
from .vlm_questions import TEMPLATES, Asking, lessons

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


def cells(scene: Scene, whole: tuple[int, int], window: tuple[int, int, int, int]) -> Array:
    """What each cell of a window shows: uint8 (3, rows, columns).

    The planes are: what covers the cell's middle (index of `COVERS`), its color (index of `COLORS`) and
    whether the centre of an object lies in the cell (0, or 1 + index of `OBJECTS`); `UNKNOWN` where the
    boxes do not tell. `whole` is (width, height) of the picture in pixels, `window` (x, y, columns,
    rows) with x, y in pixels.
    """
    x0, y0, columns, rows = window
    width, height = whole
    planes = np.full((3, rows, columns), UNKNOWN, np.uint8)
    cover, color, centre = planes
    x = (x0 + (np.arange(columns) + 0.5) * CELL) / width
    y = (y0 + (np.arange(rows) + 0.5) * CELL) / height

    def region(box: tuple[float, float, float, float]) -> Any:
        xs, ys = (x >= box[0]) & (x < box[2]), (y >= box[1]) & (y < box[3])
        return np.ix_(ys, xs)

    cover[:] = COVERS.index("background")
    if scene.floor:
        cover[y > scene.horizon, :] = COVERS.index(scene.floor)
    centre[:] = 0
    if scene.door_box and scene.door:
        here = region(scene.door_box)
        cover[here], color[here] = COVERS.index("door"), words.COLORS.index(scene.door)
    for thing in scene.things:
        here = region(thing.box)
        cover[here] = words.OBJECTS.index(thing.kind)
        color[here] = words.COLORS.index(thing.color)
    for person in scene.persons:
        a, b, c, d = person.box
        here = region(person.box)
        cover[here] = color[here] = UNKNOWN
        inner = region((a + (c - a) * 0.3, b, c - (c - a) * 0.3, d))
        cover[inner] = COVERS.index("person")
    for thing in scene.things:
        column = int(((thing.box[0] + thing.box[2]) / 2 * width - x0) // CELL)
        row = int(((thing.box[1] + thing.box[3]) / 2 * height - y0) // CELL)
        if 0 <= row < rows and 0 <= column < columns:
            centre[row, column] = 1 + words.OBJECTS.index(thing.kind)
    return planes


def _scene(rng: random.Random) -> Scene:
    if rng.random() < 0.85:
        return random_scene(rng)
    return random_scene(rng, (0, 5), 0.3)


def _worth_counting(scene: Scene, rng: random.Random) -> bool:
    """Counting takes longest to learn: scenes with little to count are shown more rarely."""
    return len(scene.counts()) > 1 or rng.random() < 0.35


class Snippets(Dataset[dict[str, Tensor]]):
    """First lessons, for the eyes alone: item n holds square cut-outs around objects.

    Items: `pixels` uint8 (48, 168, 168, 3), `cells` uint8 (48, 3, 6, 6).
    """

    side, views, cuts = 6, 6, 8

    def __init__(self, seed: int, items: int) -> None:
        self.seed, self.items = seed, items

    def __len__(self) -> int:
        return self.items

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = scene_rng("train", self.seed, 2 * index)
        pixels, planes = [], []
        for _ in range(self.views):
            scene = _scene(rng)
            seen = view(scene, rng.choices(LONG_SIDES, SIDE_WEIGHTS)[0], rng)
            for _ in range(self.cuts):
                picture, labels = self._cut(seen, rng)
                pixels.append(picture)
                planes.append(labels)
        return {"pixels": torch.from_numpy(np.stack(pixels)), "cells": torch.from_numpy(np.stack(planes))}

    def _cut(self, seen: View, rng: random.Random) -> tuple[Array, Array]:
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
        picture = seen.pixels[top : top + side, left : left + side]
        labels = cells(seen.scene, (wide, high), (left, top, self.side, self.side))
        if rng.random() < 0.5:
            picture, labels = picture[:, ::-1], labels[:, :, ::-1]
        return picture.copy(), labels.copy()


class Lessons(Dataset[dict[str, Tensor]]):
    """Whole pictures of one size with questions: item n is one batch.

    Items: `pixels` uint8 (B, H, W, 3); `cells` uint8 (B, 3, rows, columns); `amounts` float (B, 12), how
    many there are of each of `OBJECTS`; for up to Q questions a
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
        pixels: list[Array] = []
        planes: list[Array] = []
        rows: list[list[Asking]] = []
        amounts: list[list[int]] = []
        while len(pixels) < self.batch:
            scene = _scene(rng)
            long_side = rng.choices(LONG_SIDES, SIDE_WEIGHTS)[0]
            if grid_of(*picture_size(scene.aspect, long_side)) != grid or not _worth_counting(scene, rng):
                continue
            seen = view(scene, long_side, rng)
            labels = cells(scene, (grid[1] * CELL, grid[0] * CELL), (0, 0, grid[1], grid[0]))
            flip = -1 if rng.random() < 0.5 else 1
            pixels.append(seen.pixels[:, ::flip])
            planes.append(labels[:, :, ::flip])
            rows.append(lessons(seen.truth, rng, self.most))
            amounts.append([scene.counts().get(kind, 0) for kind in words.OBJECTS])
        return {
            "pixels": torch.from_numpy(np.stack(pixels)),
            "cells": torch.from_numpy(np.stack(planes)),
            "amounts": torch.tensor(amounts, dtype=torch.float32),
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
