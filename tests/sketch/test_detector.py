"""The sketch detector: the shipped file keeps the YOLO signature and finds the persons of drawn scenes."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from lib_extend.models.model_loading import load_detector
from lib_extend.models.registry import SKETCH
from lib_extend.records import Box, Detection
from lib_extend.sketch import detector_data
from lib_extend.sketch.detector_scores import average_precision, detector_scores, evaluate_detector, matches
from lib_extend.sketch.folder import draw_folder

SHIPPED = SKETCH / "detector" / "model.onnx"


def test_the_signature_is_that_of_the_yolo_exports() -> None:
    session = onnxruntime.InferenceSession(str(SHIPPED), providers=["CPUExecutionProvider"])
    (given,), (returned,) = session.get_inputs(), session.get_outputs()
    assert (given.name, returned.name) == ("images", "output0")
    assert given.type == returned.type == "tensor(float)"
    assert isinstance(given.shape[0], str)  # any number of pictures
    side = given.shape[2]
    assert given.shape[1:] == [3, side, side] and returned.shape[1:] == [5, (side // 16) ** 2]
    facts = session.get_modelmeta().custom_metadata_map
    assert ast.literal_eval(facts["imgsz"]) == [side, side]
    assert ast.literal_eval(facts["names"]) == {0: "person"}
    pixels = np.random.default_rng(0).random((3, 3, side, side), np.float32)
    together = session.run(None, {"images": pixels})[0]
    alone = session.run(None, {"images": pixels[1:2]})[0]
    np.testing.assert_allclose(together[1:2], alone, rtol=1e-3, atol=1e-3)
    assert ((together[:, 4] >= 0) & (together[:, 4] <= 1)).all()


def test_the_file_is_small_and_old_enough_for_onnxruntime_1_17() -> None:
    onnx = pytest.importorskip("onnx")
    assert SHIPPED.stat().st_size <= 2_500_000
    model = onnx.load(SHIPPED)
    assert model.ir_version <= 9
    assert model.opset_import[0].version <= 17


def test_it_finds_persons_in_scenes_it_has_not_seen(tmp_path: Path) -> None:
    draw_folder(tmp_path, 40, seed=2025, persons=(1, 5), max_overlap=0.4)
    scores = evaluate_detector(tmp_path)
    assert scores.pictures == 40 and scores.persons > 80
    assert scores.ap50 >= 0.93, scores.table()
    assert scores.precision >= 0.9 and scores.recall >= 0.9, scores.table()


def test_it_finds_nobody_where_nobody_is(tmp_path: Path) -> None:
    rows = draw_folder(tmp_path, 8, seed=2025, persons=(0, 0))
    detector = load_detector("sketch", device="cpu")
    images = [Image.open(tmp_path / row["file"]).convert("RGB") for row in rows]
    found = detector.detect([detector.prepare(i) for i in images], [i.size for i in images])
    detector.close()
    assert sum(map(len, found)) <= 1


def test_a_training_picture_and_its_boxes_agree() -> None:
    cut = 0
    for index in range(40):
        image, boxes = detector_data.sample(7, index)
        assert image.size == (detector_data.SIDE, detector_data.SIDE) and image.mode == "RGB"
        for x0, y0, x1, y1 in boxes:
            assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
            cut += x0 == 0 or y0 == 0 or x1 == 1 or y1 == 1
    assert cut  # some persons reach over the border of their cutting
    again = detector_data.sample(7, 39)[0]
    assert np.array_equal(np.asarray(image), np.asarray(again))


def test_a_cutting_moves_its_boxes_with_it() -> None:
    image = Image.new("RGB", (400, 200), "white")
    person = (0.4, 0.3, 0.6, 0.8)
    image.paste((255, 0, 0), (160, 60, 240, 160))
    moved = 0
    for seed in range(20):
        part, boxes = detector_data._cutting(random.Random(seed), image, [person])
        if part.size == image.size:
            continue
        assert len(boxes) <= 1
        red = np.asarray(part)[:, :, 1] == 0
        if not boxes:
            assert red.mean() < 0.05
            continue
        ys, xs = np.nonzero(red)
        seen = (xs.min() / part.width, ys.min() / part.height)
        seen += ((xs.max() + 1) / part.width, (ys.max() + 1) / part.height)
        inside = [min(1.0, max(0.0, v)) for v in boxes[0]]
        np.testing.assert_allclose(inside, seen, atol=1.5 / 100)
        moved += 1
    assert moved >= 5


@pytest.mark.timeout(900)  # see tests/sketch/test_vlm.py
def test_the_same_seed_trains_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from lib_extend.sketch import detector_training

    monkeypatch.setattr(detector_data, "PART", 32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    said: list[str] = []
    try:
        for name in ("a", "b"):
            detector_training.train_detector(
                tmp_path / name, seed=5, steps=2, parts=1, cache=tmp_path / "cache", report=said.append
            )
    finally:
        torch.set_num_threads(threads)
    assert (tmp_path / "a" / "model.onnx").read_bytes() == (tmp_path / "b" / "model.onnx").read_bytes()
    assert said[-1].endswith("b")


def test_the_export_says_what_the_network_says(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from lib_extend.sketch.detector_export import export_detector
    from lib_extend.sketch.detector_net import DetectorNet, boxes, cell_middles

    torch.manual_seed(0)
    net = DetectorNet().eval()
    torch.nn.init.normal_(net.last.weight, std=0.3)  # edges at various distances
    export_detector(net, tmp_path / "model.onnx")
    pixels = torch.rand(2, 3, detector_data.SIDE, detector_data.SIDE)
    with torch.no_grad():
        raw = net(pixels)
        found = boxes(raw[:, :4], cell_middles(detector_data.SIDE)).flatten(2)
    middles, sizes = (found[:, :2] + found[:, 2:]) / 2, found[:, 2:] - found[:, :2]
    wanted = torch.cat((middles, sizes, torch.sigmoid(raw[:, 4:]).flatten(2)), 1).numpy()
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    (said,) = session.run(None, {"images": pixels.numpy()})
    np.testing.assert_allclose(said, wanted, rtol=0.02, atol=0.5)  # the file's weights have 16 bits


def test_cells_near_the_middle_stand_for_the_nearest_person() -> None:
    torch = pytest.importorskip("torch")
    from lib_extend.sketch.detector_net import cell_middles
    from lib_extend.sketch.detector_training import assign, detector_loss, overlaps

    persons = torch.tensor(
        [[[32.0, 32, 160, 288], [112, 32, 240, 288], [0, 0, 0, 0]], [[300.0, 300, 308, 308], [0, 0, 0, 0], [0, 0, 0, 0]]]
    )  # fmt: skip
    owner = assign(cell_middles(320), persons)
    assert owner[0, 9, 5] == 0 and owner[0, 9, 10] == 1  # the cells of (88, 152) and (168, 152)
    assert owner[0, 0, 0] == -1 and owner[0, 9, 2] == -1
    assert owner.max() == 1  # the empty row is nobody
    assert (owner[1] == 0).any()  # also the smallest has a cell
    iou, giou = overlaps(
        torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1]]), torch.tensor([[1.0, 0, 3, 2], [2, 0, 3, 1]])
    )
    torch.testing.assert_close(iou, torch.tensor([1 / 3, 0.0]))
    torch.testing.assert_close(giou, torch.tensor([1 / 3, -1 / 3]))
    blank = torch.zeros(2, 5, 20, 20)
    blank[:, 4] = -9.0
    sure = blank.clone()
    sure[:, 4] = torch.where(owner >= 0, 0.0, 9.0)
    assert detector_loss(blank, persons) < detector_loss(sure, persons)
    assert torch.isfinite(detector_loss(blank, torch.zeros(2, 3, 4)))


def found(x0: float, score: float) -> Detection:
    return Detection(Box(x0, 0, x0 + 10, 10), score, "person")


def test_average_precision_by_hand() -> None:
    truth = [[Box(0, 0, 10, 10), Box(50, 0, 60, 10)], [Box(0, 0, 10, 10)]]
    assert average_precision([[found(0, 0.9), found(50, 0.8)], [found(0, 0.7)]], truth) == 1.0
    # right, wrong, right, missed: precision 1 up to recall 1/3, 2/3 up to 2/3, nothing beyond
    mixed = [[found(0, 0.9), found(20, 0.8)], [found(1, 0.7)]]
    assert average_precision(mixed, truth) == pytest.approx(1 / 3 + 2 / 3 * 1 / 3)
    # a second box on the same person is wrong
    twice = [[found(0, 0.9), found(1, 0.85), found(50, 0.8)], [found(0, 0.7)]]
    assert average_precision(twice, truth) == pytest.approx(1 / 3 + 2 / 3 * 3 / 4)
    assert average_precision([[], []], truth) == 0.0
    assert average_precision([[found(6, 0.9)], []], truth) == 0.0  # an IoU of 1/4


def test_the_surest_chooses_the_person_it_covers_best() -> None:
    boxes = [Box(0, 0, 10, 10), Box(3, 0, 13, 10)]
    assert matches([found(2, 0.5), found(2, 0.9)], boxes) == [pytest.approx(8 / 12), pytest.approx(9 / 11)]
    scores = detector_scores([[found(0, 0.9), found(30, 0.5), found(3, 0.1)]], [boxes], 0.4)
    assert (scores.precision, scores.recall, scores.iou, scores.counted) == (0.5, 0.5, 1.0, 0.0)
    assert "AP50" in scores.table()
