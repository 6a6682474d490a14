"""Folders of drawn pictures with `truth.jsonl`: what demos, tests and measurements run on."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from lib_extend.sketch.draw import draw
from lib_extend.sketch.scene_layout import random_scene
from lib_extend.sketch.scenes import Scene, scene_rng, truth

TRUTH_FILE = "truth.jsonl"

LONG_SIDES = (256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1600)
_SIDE_WEIGHTS = (4, 4, 6, 8, 10, 10, 8, 6, 6, 2, 1)
_FORMATS = ((".png", 4), (".jpg", 4), (".webp", 3))


def picture_size(aspect: float, long_side: int) -> tuple[int, int]:
    """(width, height) in pixels of a picture of this aspect (width / height)."""
    if aspect >= 1:
        return long_side, max(64, round(long_side / aspect))
    return max(64, round(long_side * aspect)), long_side


def draw_folder(
    directory: Path | str,
    count: int,
    seed: int,
    *,
    namespace: str = "draw",
    persons: tuple[int, int] = (1, 3),
    max_overlap: float = 0.1,
    start: int = 0,
) -> list[dict[str, Any]]:
    """Draws `count` pictures and their `truth.jsonl` into `directory`; returns the truth's rows.

    Sizes are 256 to 1600 pixels on the long side; formats are PNG, JPEG and WebP. The same seed
    gives the same scenes and pixels. `start` is the first picture's number, so that a large folder
    can be drawn in parts.

    The namespace is hashed with the seed into the random state. The models train on "train" only,
    and everything else ("draw", "eval", …) is disjoint from it by construction, for any seed.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for index in range(start, start + count):
        rng = scene_rng(namespace, seed, index)
        scene = random_scene(rng, persons, max_overlap)
        suffix = rng.choices([f for f, _ in _FORMATS], [w for _, w in _FORMATS])[0]
        long_side = rng.choices(LONG_SIDES, _SIDE_WEIGHTS)[0]
        rows.append(save_scene(scene, folder / f"scene_{index:05d}{suffix}", long_side, rng))
    write_truth(folder, rows)
    return rows


def save_scene(scene: Scene, path: Path, long_side: int, rng: random.Random) -> dict[str, Any]:
    """Draws `scene` to `path` (the suffix is the format); returns its truth row."""
    size = picture_size(scene.aspect, long_side)
    image = draw(scene, *size)
    save_image(image, path, quality=rng.randint(82, 95))
    return truth(scene, path.name, size)


def save_image(image: Image.Image, path: Path, quality: int) -> None:
    """Writes a PNG, JPEG or WebP; `quality` (0…100) is for the lossy ones."""
    if path.suffix == ".png":
        image.save(path, compress_level=6)
    elif path.suffix == ".webp":
        image.save(path, quality=quality, method=2)
    else:
        image.save(path, quality=quality)


def write_truth(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes `truth.jsonl` whole or not at all."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    half_done = folder / f".{TRUTH_FILE}.{os.getpid()}.tmp"
    try:
        with half_done.open("w", encoding="utf-8", newline="\n") as f:
            f.write(lines)
            f.flush()
            os.fsync(f.fileno())
        half_done.replace(folder / TRUTH_FILE)
    finally:
        half_done.unlink(missing_ok=True)


def read_truth(folder: Path | str) -> list[dict[str, Any]]:
    """The rows of a folder's `truth.jsonl`."""
    text = (Path(folder) / TRUTH_FILE).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]
