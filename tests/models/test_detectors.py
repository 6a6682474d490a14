"""The YOLO detectors on small ONNX files of their signature: every box and score is worked out from the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from lib_extend.errors import ModelError, UserError
from lib_extend.models import registry
from lib_extend.models.detectors.boxes import nms
from lib_extend.models.images import COVERED, SCALE
from lib_extend.models.model_loading import load_detector
from lib_extend.models.ports import Detector
from lib_extend.records import Box, Detection
from tests.hub_server import HubServer

from .pictures import MODES, opaque, picture
from .tiny_detectors import CLASSES, GRID, saying, seeing
from .tiny_onnx import build, wd_folder

Array = npt.NDArray[Any]
CLOSE = 0.004  # of a score in 0…1: a rounded pixel here and there
PERSON = {"imgsz": "[64, 64]", "names": "{0: 'person'}"}


def load(path: Path, **options: Any) -> Detector:
    return load_detector(str(path), device="cpu", offline=True, **options)


def look(detector: Detector, image: Image.Image) -> list[Detection]:
    (found,) = detector.detect([detector.prepare(image)], [image.size])
    return found


def means(pixels: Array) -> Array:
    """[8, 8, 3]: the grid's means of height × width × 3 pixels, in 0…1."""
    cell = pixels.shape[0] // GRID
    return pixels.reshape(GRID, cell, GRID, cell, 3).astype(np.float64).mean(axis=(1, 3)) / 255


def stretched(image: Image.Image, side: int) -> Array:
    return np.asarray(opaque(image).resize((side, side), Image.Resampling.BICUBIC))


def letterboxed(image: Image.Image, side: int) -> Array:
    ratio = side / max(image.size)
    small = opaque(image).resize((round(image.width * ratio), round(image.height * ratio)))
    canvas = Image.new("RGB", (side, side), (114, 114, 114))
    canvas.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    return np.asarray(canvas)


def by_cell(found: list[Detection], size: tuple[int, int]) -> dict[tuple[int, int], Detection]:
    """(row, column) → what is there; each box must be exactly its cell of the original."""
    cells = {}
    wide, high = size[0] / GRID, size[1] / GRID
    for d in found:
        row, column = round(d.box.y0 / high), round(d.box.x0 / wide)
        np.testing.assert_allclose(
            d.box.as_list(),
            [column * wide, row * high, (column + 1) * wide, (row + 1) * high],
            atol=1e-3,
        )
        cells[row, column] = d
    assert len(cells) == len(found)
    return cells


# --- what the model sees


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("size", [(64, 64), (200, 70), (61, 333), (900, 640)])
def test_pictures_are_stretched_and_boxes_come_back(
    tmp_path: Path, size: tuple[int, int], transposed: bool
) -> None:
    image = picture(*size, seed=3)
    wanted = means(stretched(image, 64))
    if size[0] != size[1]:
        # or the comparison below would say nothing
        assert np.abs(means(letterboxed(image, 64)) - wanted).max() > 20 * CLOSE
    assert np.abs(wanted[:, :, ::-1] - wanted).max() > 20 * CLOSE
    detector = load(seeing(tmp_path / "model.onnx", transposed=transposed), threshold=0.0)
    assert detector.labels == CLASSES and detector.side == 64
    found = look(detector, image)
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
    cells = by_cell(found, size)
    assert len(cells) == GRID * GRID
    for (row, column), d in cells.items():
        assert d.score == pytest.approx(wanted[row, column].max(), abs=CLOSE)
        brightest = np.sort(wanted[row, column])
        if brightest[2] - brightest[1] > 2 * CLOSE:
            assert d.label == CLASSES[int(wanted[row, column].argmax())]
    detector.close()


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_picture(tmp_path: Path, mode: str) -> None:
    image = picture(150, 90, seed=1, mode=mode)
    wanted = means(stretched(image, 64))
    detector = load(seeing(tmp_path / "model.onnx"), threshold=0.0)
    prepared = detector.prepare(image)
    assert prepared.shape == (3, 64, 64) and prepared.dtype == np.float32 and prepared.flags.c_contiguous
    seen = prepared.reshape(3, GRID, 8, GRID, 8).mean(axis=(2, 4)).transpose(1, 2, 0)
    assert np.abs(seen - wanted).max() < 3 * CLOSE
    assert len(look(detector, image)) == GRID * GRID


def test_a_picture_decoded_smaller_gives_boxes_of_the_original(tmp_path: Path) -> None:
    detector = load(seeing(tmp_path / "model.onnx"), threshold=0.0)
    image = picture(801, 403, seed=2)
    small = image.reduce(2)
    small.info[COVERED], small.info[SCALE] = (0.0, 0.0, 400.5, 201.5), 2
    (found,) = detector.detect([detector.prepare(small)], [(801, 403)])
    cells, wanted = by_cell(found, (801, 403)), means(stretched(image, 64))
    for (row, column), d in cells.items():
        assert d.score == pytest.approx(wanted[row, column].max(), abs=3 * CLOSE)


def test_half_precision_models(tmp_path: Path) -> None:
    detector = load(seeing(tmp_path / "model.onnx", dtype="float16"), threshold=0.0)
    image = picture(100, 70)
    assert detector.prepare(image).dtype == np.float16
    wanted = means(stretched(image, 64)).max(axis=2)
    for (row, column), d in by_cell(look(detector, image), image.size).items():
        assert d.score == pytest.approx(wanted[row, column], abs=2 * CLOSE)


@pytest.mark.parametrize(("batch", "calls"), [("N", 4), (1, 1), (3, 3)])
def test_batches_free_and_fixed(tmp_path: Path, batch: int | str, calls: int) -> None:
    detector = load(seeing(tmp_path / "model.onnx", batch=batch), batch_size=4)
    assert detector.batch == calls
    images = [picture(100, 70 + 9 * i, seed=i) for i in range(5)]
    prepared = [detector.prepare(image) for image in images]
    sizes = [image.size for image in images]
    together = detector.detect(prepared, sizes)
    assert together == [detector.detect([p], [s])[0] for p, s in zip(prepared, sizes, strict=True)]
    assert len({len(found) for found in together}) > 1  # each its own
    assert detector.detect(np.stack(prepared), sizes) == together  # type: ignore[arg-type]
    assert detector.detect([], []) == []


# --- what the model says


def rows(*boxes: tuple[float, ...]) -> Array:
    """[4 + classes, N] of (cx, cy, w, h, score, …)."""
    return np.array(boxes, np.float32).T


def test_boxes_are_cut_at_the_border_and_empty_ones_dropped(tmp_path: Path) -> None:
    table = rows(
        (10, 20, 40, 20, 0.9),  # reaches over the left edge
        (60, 60, 30, 30, 0.8),  # and over two others
        (30, 30, 0, 10, 0.7),  # no width
        (90, 30, 20, 20, 0.6),  # wholly outside
        (32, 40, 4, 2, 0.31),
        (32, 10, 4, 2, 0.29),  # not sure enough
        (50, 10, 4, 2, float("nan")),
        (float("inf"), 10, 4, 2, 0.9),
    )
    detector = load(saying(tmp_path / "model.onnx", table, metadata=PERSON))
    found = look(detector, Image.new("RGB", (640, 128)))  # 10 × and 2 ×
    assert [d.score for d in found] == pytest.approx([0.9, 0.8, 0.31])
    assert [d.box for d in found] == [Box(0, 20, 300, 60), Box(450, 90, 640, 128), Box(300, 78, 340, 82)]
    assert {d.label for d in found} == {"person"}


def test_of_overlapping_boxes_the_best_stays_whatever_its_class(tmp_path: Path) -> None:
    table = rows(
        (20, 20, 20, 20, 0.1, 0.7),
        (22, 20, 20, 20, 0.8, 0.2),  # IoU 0.82
        (36, 20, 20, 20, 0.6, 0.1),  # IoU 0.11 and 0.18
        (22, 50, 20, 10, 0.4, 0.5),
        (22, 56, 20, 10, 0.4, 0.4),  # IoU 0.25
    )
    facts = {**PERSON, "names": "{0: 'girl', 1: 'boy'}"}
    detector = load(saying(tmp_path / "model.onnx", table, metadata=facts))
    found = look(detector, Image.new("RGB", (64, 64)))
    assert [(round(d.score, 2), d.label) for d in found] == [
        (0.8, "girl"), (0.6, "girl"), (0.5, "boy"), (0.4, "girl"),
    ]  # fmt: skip


def test_ready_made_boxes_with_class_numbers(tmp_path: Path) -> None:
    table = np.array(
        [
            (8, 16, 32, 64, 0.5, 1),
            (9, 16, 33, 64, 0.9, 0),
            (40, 0, 70, 32, 0.7, 1),
            (0, 0, 0, 0, 0, 0),
            (0, 0, 5, 5, 0.6, 7),
        ],
        np.float32,
    )
    facts = {**PERSON, "names": "['girl', 'boy']"}
    detector = load(saying(tmp_path / "model.onnx", table, metadata=facts))
    found = look(detector, Image.new("RGB", (128, 64)))
    assert found == [
        Detection(Box(18, 16, 66, 64), pytest.approx(0.9), "girl"),
        Detection(Box(80, 0, 128, 32), pytest.approx(0.7), "boy"),
        Detection(Box(0, 0, 10, 5), pytest.approx(0.6), "7"),  # a class without a label is its number
    ]


def test_nothing_found_is_no_trouble(tmp_path: Path) -> None:
    detector = load(saying(tmp_path / "model.onnx", rows(*[(9, 9, 9, 9, 0.0)] * 7), metadata=PERSON))
    assert look(detector, Image.new("RGB", (5, 900))) == []


def test_thresholds_of_the_model_and_of_the_user(tmp_path: Path) -> None:
    table = rows(
        (10, 10, 8, 8, 0.5), (30, 30, 8, 8, 0.2), (50, 50, 8, 8, 0.05), (50, 10, 8, 8, 0.3), (9, 50, 8, 8, 0)
    )
    path = saying(tmp_path / "model.onnx", table, metadata=PERSON)
    image = Image.new("RGB", (64, 64))
    own, low = load(path), load(path, threshold=0.1)
    assert [len(look(d, image)) for d in (own, low, load(path, threshold=0.6))] == [2, 3, 0]
    assert own.key == low.key  # what the user asks for is stored beside it


def test_the_key_is_of_the_weights(tmp_path: Path) -> None:
    one = load(saying(tmp_path / "a" / "model.onnx", rows((9, 9, 9, 9, 1.0)), metadata=PERSON))
    same = load(saying(tmp_path / "b" / "model.onnx", rows((9, 9, 9, 9, 1.0)), metadata=PERSON))
    other = load(saying(tmp_path / "c" / "model.onnx", rows((9, 9, 9, 8, 1.0)), metadata=PERSON))
    assert one.key == same.key != other.key


@pytest.mark.parametrize(
    ("metadata", "labels"),
    [
        ({"names": "{0: 'person'}"}, ("person",)),
        ({"names": "{'0': 'person'}"}, ("person",)),
        ({"names": " ['person'] "}, ("person",)),
        ({"names": "{0: person}"}, ("0",)),
        ({"names": "__import__('os').abort()"}, ("0",)),
        ({"names": "{}"}, ("0",)),
        ({}, ("0",)),
    ],
)
def test_labels_are_read_tolerantly(
    tmp_path: Path, metadata: dict[str, str], labels: tuple[str, ...]
) -> None:
    boxes = [(9.0 + i, 9.0, 9.0, 9.0, 0.5) for i in range(12)]
    for name, table in (("rows", rows(*boxes)), ("columns", rows(*boxes).T)):
        detector = load(saying(tmp_path / name / "model.onnx", table, metadata=metadata))
        assert detector.labels == labels
        assert look(detector, Image.new("RGB", (64, 64)))[0].box.y1 == 13.5


@pytest.mark.parametrize(
    ("side", "imgsz", "size"),
    [
        ("free", "[96, 96]", (96, 96)),
        ("free", "[64, 128]", (128, 64)),  # height, width
        ("free", "128", (128, 128)),
        ("free", "", (640, 640)),
        ("free", "[0, -1]", (640, 640)),
        ("free", "large", (640, 640)),
        (96, "", (96, 96)),
        (96, "[640, 640]", (96, 96)),  # the file takes nothing else
    ],
)
def test_the_size_is_the_files_own(
    tmp_path: Path, side: int | str, imgsz: str, size: tuple[int, int]
) -> None:
    table = rows((size[0] / 2, size[1] / 2, size[0] / 4, size[1] / 2, 0.9), *[(0, 0, 1, 1, 0.0)] * 6)
    path = saying(tmp_path / "m.onnx", table, side=side, metadata={"imgsz": imgsz, "names": "{0: 'head'}"})
    detector = load(path)
    assert detector.prepare(Image.new("RGB", (40, 30))).shape == (3, size[1], size[0])
    assert detector.side == max(size)
    assert look(detector, Image.new("RGB", (800, 400)))[0].box == Box(300, 100, 500, 300)


def test_the_layout_of_an_output_whose_shape_is_not_said(tmp_path: Path) -> None:
    table = rows(*[(32, 32, 16, 16, 0.9)] * 9)
    shape: list[int | str] = ["N", "a", "b"]
    detector = load(saying(tmp_path / "model.onnx", table.T, shape=shape, metadata=PERSON))
    assert [d.box for d in look(detector, Image.new("RGB", (64, 64)))] == [Box(24, 24, 40, 40)]


# --- suppression

_edges = st.integers(0, 12)
_boxes = st.tuples(_edges, _edges, st.integers(0, 8), st.integers(0, 8)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def plainly(boxes: Array, scores: Array, limit: float) -> list[int]:
    """Suppression as its definition reads."""
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        if all(_iou(boxes[i], boxes[k]) <= limit for k in kept):
            kept.append(i)
    return kept


def _iou(a: Array, b: Array) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = wide * high if wide > 0 and high > 0 else 0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return float(both / union) if union else 0.0


# Whole numbers and limits that are binary fractions: whether two boxes are exactly at the limit is no rounding error.
@settings(max_examples=300, deadline=None)
@given(st.data(), st.lists(_boxes, max_size=14), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
def test_suppression_is_exact(data: st.DataObject, some: list[tuple[int, ...]], limit: float) -> None:
    boxes = np.array(some, np.float32).reshape(-1, 4)
    scores = data.draw(hnp.arrays(np.float32, len(some), elements=st.sampled_from([0.1, 0.5, 0.9, 1.0])))
    assert nms(boxes, scores, limit).tolist() == plainly(boxes, scores, limit)


def test_suppression_of_many_boxes() -> None:
    chance = np.random.default_rng(0)
    corner, size = chance.uniform(0, 600, (2000, 2)), chance.uniform(5, 200, (2000, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    scores = chance.random(2000, np.float32)
    kept = nms(boxes, scores, 0.5).tolist()
    assert kept == plainly(boxes.astype(np.float64), scores, 0.5)
    assert 50 < len(kept) < 1900


# --- what is no detector


def test_a_tagger_is_told_from_a_detector(tmp_path: Path) -> None:
    wd = wd_folder(tmp_path / "wd", side=64)
    with pytest.raises(ModelError, match=r"model.onnx of .*wd is no YOLO detector \(it takes .*choose a det"):
        load(wd)
    ml = build(tmp_path / "ml" / "tagger.onnx", side=64, layout="NCHW")
    with pytest.raises(ModelError, match=r"tagger.onnx of .*ml is no YOLO detector \(it gives 192 numbers"):
        load(ml)


@pytest.mark.parametrize("shape", [(9, 30), (30, 9), (4, 4), (1, 30)])
def test_boxes_that_do_not_fit_the_labels_are_said(tmp_path: Path, shape: tuple[int, int]) -> None:
    facts = {**PERSON, "names": "{0: 'a', 1: 'b'}"}
    path = saying(tmp_path / "model.onnx", np.zeros(shape, np.float32), metadata=facts)
    with pytest.raises(ModelError, match=rf"it gives {shape[0]} × {shape[1]} numbers .*in place of 6 rows"):
        load(path)


def test_a_damaged_file_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no model.onnx"):
        load(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"model.onnx of .* cannot be run"):
        load(tmp_path)


# --- by name


def test_the_default_is_listed_with_the_published_thresholds() -> None:
    table = {e.name: (e.repo, e.files[0].path, e.threshold, e.iou) for e in registry.detectors() if e.files}
    assert table == {
        "anime-person": ("deepghs/anime_person_detection", "person_detect_v1.1_m/model.onnx", 0.3, 0.5),
        "anime-head": ("deepghs/anime_head_detection", "head_detect_v2.0_s/model.onnx", 0.4, 0.7),
        "anime-face": ("deepghs/anime_face_detection", "face_detect_v1.4_s/model.onnx", 0.25, 0.7),
    }
    assert registry.find_detector(registry.DEFAULT_DETECTOR).name == "anime-person"
    assert registry.find_detector("sketch").folder == registry.SKETCH / "detector"
    assert all(e.kind == "detector" for e in registry.detectors())


def test_names_repositories_and_folders(tmp_path: Path) -> None:
    assert registry.find_detector(" Anime-Head ").name == "anime-head"
    assert registry.find_detector("deepghs/anime_face_detection").name == "anime-face"
    assert registry.find_detector(str(tmp_path)).kind == "detector"
    with pytest.raises(UserError, match=r"no detector called 'anime-prson'; did you mean anime-person"):
        registry.find_detector("anime-prson")
    with pytest.raises(UserError, match=r"There is no folder"):
        registry.find_detector(str(tmp_path / "nothing"))
    with pytest.raises(ModelError, match=r"anime-person is not on this machine"):
        load_detector("anime-person", offline=True, models_dir=str(tmp_path))


def test_a_named_detector_is_downloaded_and_detects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows(
        (20, 20, 20, 20, 0.35), (24, 20, 20, 20, 0.45), (50, 50, 9, 9, 0.38), *[(0, 0, 1, 1, 0.0)] * 3
    )
    model = saying(tmp_path / "mine" / "model.onnx", table, metadata={**PERSON, "names": "{0: 'head'}"})
    entry = registry.find_detector("anime-head")
    seen: list[tuple[str, int, int]] = []
    with HubServer() as hub:
        hub.add(entry.repo, {entry.files[0].path: model.read_bytes(), "README.md": b"not wanted"})
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        detector = load_detector(
            "anime-head",
            device="cpu",
            models_dir=str(tmp_path / "models"),
            progress=lambda what, done, total: seen.append((what, done, total)),
        )
        assert not any("README" in request.path for request in hub.requests)
    assert seen[-1] == ("anime-head", model.stat().st_size, model.stat().st_size)
    # its own thresholds, 0.4 and 0.7: the third is not sure enough, the first two overlap by 0.67
    assert [d.score for d in look(detector, Image.new("RGB", (64, 64)))] == pytest.approx([0.45])
    low = load_detector(
        "anime-head", offline=True, device="cpu", threshold=0.3, models_dir=str(tmp_path / "models")
    )
    assert [d.score for d in look(low, Image.new("RGB", (64, 64)))] == pytest.approx([0.45, 0.38, 0.35])
