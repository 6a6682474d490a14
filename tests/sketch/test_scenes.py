"""Scenes, drawings and folders: the truth is what was drawn, and chance is the same everywhere."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extend.sketch import samples
from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.draw import draw
from lib_extend.sketch.folder import draw_folder, picture_size, read_truth
from lib_extend.sketch.scene_layout import random_scene
from lib_extend.sketch.scenes import overlap, people_tags, scene_rng, truth

SEEDS = st.integers(0, 10**6)


def scene_of(seed: int, persons: tuple[int, int] = (1, 3), max_overlap: float = 0.1):
    return random_scene(scene_rng("test", 0, seed), persons, max_overlap)


def test_the_same_seed_draws_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        draw_folder(tmp_path / name, 6, seed=3)
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert len(names) == 7
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    draw_folder(tmp_path / "c", 6, seed=4)
    assert read_truth(tmp_path / "a") != read_truth(tmp_path / "c")


def test_a_folder_can_be_drawn_in_parts(tmp_path: Path) -> None:
    whole = draw_folder(tmp_path / "whole", 4, seed=1)
    draw_folder(tmp_path / "part", 2, seed=1, start=2)
    assert read_truth(tmp_path / "part") == whole[2:]


def test_training_scenes_are_never_evaluation_scenes() -> None:
    def prints(namespace: str) -> set[str]:
        scenes = (random_scene(scene_rng(namespace, s, i)) for s in range(3) for i in range(60))
        return {hashlib.sha256(repr(scene).encode()).hexdigest() for scene in scenes}

    train, others = prints("train"), prints("draw") | prints("eval") | prints("sample")
    assert len(train) == 180
    assert len(others) == 540
    assert not train & others


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_the_truth_agrees_with_the_scene(seed: int) -> None:
    scene = scene_of(seed)
    row = truth(scene, "a.png", picture_size(scene.aspect, 640))
    width, height = picture_size(scene.aspect, 640)
    assert row["counts"] == {
        kind: sum(t.kind == kind for t in scene.things) for kind in {t.kind for t in scene.things}
    }
    assert all(1 <= n <= words.MAX_COUNT for n in row["counts"].values())
    assert {(t.kind, t.color) for t in scene.things} == set(row["colors"].items())
    assert row["floor"] == scene.floor
    assert row["door"] == scene.door
    if scene.setting != "indoors":
        assert row["floor"] is None and row["door"] is None
    assert set(row["tags"]) <= {*words.TAGS, *words.MASCOTS}
    assert set(row["counts"]) == set(row["tags"]) & set(words.OBJECTS)
    middles = [(p["box"][0] + p["box"][2]) / 2 for p in row["persons"]]
    assert middles == sorted(middles)
    for person in row["persons"]:
        x0, y0, x1, y1 = person["box"]
        assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
        assert set(person["tags"]) <= set(row["tags"])
    assert set(people_tags([p.gender for p in scene.persons])) <= set(row["tags"])
    assert json.loads(json.dumps(row)) == row


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.floats(0.0, 0.4))
def test_crowds_keep_to_their_limits(seed: int, limit: float) -> None:
    scene = scene_of(seed, (1, 5), limit)
    boxes = [p.box for p in scene.persons]
    assert 1 <= len(boxes) <= 5
    assert all(overlap(a, b) <= limit + 0.01 for i, a in enumerate(boxes) for b in boxes[:i])


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_objects_can_be_seen_and_counted(seed: int) -> None:
    scene = scene_of(seed)
    wide, high = max(scene.aspect, 1.0), max(1.0 / scene.aspect, 1.0)
    for i, thing in enumerate(scene.things):
        x0, y0, x1, y1 = thing.box
        assert min((x1 - x0) * wide, (y1 - y0) * high) >= 0.07
        assert all(overlap(thing.box, other.box) == 0 for other in scene.things[:i])
        area = (x1 - x0) * (y1 - y0)
        for person in scene.persons:
            share = overlap(thing.box, person.box)
            smaller = min(area, (person.box[2] - person.box[0]) * (person.box[3] - person.box[1]))
            assert share * smaller <= 0.07 * area


def test_no_humans_and_wrong_numbers() -> None:
    assert "no_humans" in scene_of(1, (0, 0)).tags()
    for persons in ((0, 6), (3, 2), (-1, 1)):
        with pytest.raises(ValueError, match="0 to 5"):
            scene_of(1, persons)


def test_people_tags_follow_danbooru() -> None:
    assert people_tags(["girl"]) == ["1girl", "solo"]
    assert people_tags(["girl", "boy"]) == ["1girl", "1boy"]
    assert people_tags(["girl"] * 3 + ["boy"] * 2) == [
        "3girls",
        "multiple_girls",
        "2boys",
        "multiple_boys",
    ]


def test_every_answer_occurs() -> None:
    scenes = [scene_of(i) for i in range(600)]
    assert {k for s in scenes for k in s.counts()} == set(words.OBJECTS)
    assert {c for s in scenes for c in s.colors().values()} == set(words.COLORS)
    assert {n for s in scenes for n in s.counts().values()} == set(range(1, 7))
    assert {s.floor for s in scenes} == {None, *words.FLOORS}
    assert {s.door for s in scenes} == {None, *words.COLORS}


def test_an_object_shows_its_color() -> None:
    # The middle of a box's front is painted in the box's color, give or take the palette's jitter.
    from lib_extend.sketch.brush import PAINT

    seen = 0
    for seed in range(200):
        scene = scene_of(seed)
        image = draw(scene, *picture_size(scene.aspect, 448))
        for thing in scene.things:
            if thing.kind != "box":
                continue
            x0, y0, x1, y1 = thing.box
            x, y = x0 + 0.2 * (x1 - x0), y0 + 0.8 * (y1 - y0)
            if any(p.box[0] < x < p.box[2] and p.box[1] < y < p.box[3] for p in scene.persons):
                continue
            pixel = image.getpixel((int(x * image.width), int(y * image.height)))
            assert all(abs(a - b) <= 30 for a, b in zip(pixel, PAINT[thing.color], strict=True)), (
                seed,
                thing,
                pixel,
            )
            seen += 1
    assert seen > 20


def test_sizes_and_formats_vary(tmp_path: Path) -> None:
    draw_folder(tmp_path, 24, seed=0)
    found = [Image.open(tmp_path / row["file"]) for row in read_truth(tmp_path)]
    assert {i.format for i in found} == {"PNG", "JPEG", "WEBP"}
    assert len({i.size for i in found}) > 10
    assert all(256 <= max(i.size) <= 1600 for i in found)


def test_the_sample_folder_is_what_its_command_draws(tmp_path: Path) -> None:
    kept = Path(__file__).parents[2] / "samples"
    rows = samples.draw_samples(tmp_path)
    assert rows == read_truth(kept)
    assert len(rows) == 12
    assert {p.name for p in kept.iterdir() if p.suffix in (".png", ".jpg", ".webp")} == {
        row["file"] for row in rows
    }
    assert sum(p.stat().st_size for p in kept.iterdir()) < 1_500_000
    modes = {Image.open(kept / row["file"]).mode for row in rows}
    assert modes == {"RGB", "RGBA", "P"}
    assert {row["floor"] for row in rows} > {"wooden", "tile", "carpet", "stone"}
    for row in rows:
        with Image.open(kept / row["file"]) as old, Image.open(tmp_path / row["file"]) as new:
            assert old.size == new.size
