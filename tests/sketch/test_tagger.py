"""The sketch tagger: the shipped file keeps the WD v3 signature and knows drawn scenes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lib_extend.sketch import tagger_data, tagger_training
from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.folder import draw_folder
from lib_extend.sketch.scores import (
    SHIPPED_TAGGER,
    answer_scores,
    answer_table,
    evaluate,
    expected_answers,
    tag_scores,
)


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        str(SHIPPED_TAGGER / "model.onnx"), providers=["CPUExecutionProvider"]
    )


def rows_of_csv() -> list[dict[str, str]]:
    with (SHIPPED_TAGGER / "selected_tags.csv").open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def test_the_signature_is_that_of_wd_v3(session: onnxruntime.InferenceSession) -> None:
    (given,), (returned,) = session.get_inputs(), session.get_outputs()
    assert given.type == returned.type == "tensor(float)"
    assert isinstance(given.shape[0], str)  # any number of pictures
    assert given.shape[1:] == [448, 448, 3]
    assert returned.shape[1] == len(rows_of_csv())
    pixels = np.random.default_rng(0).integers(0, 256, (3, 448, 448, 3)).astype(np.float32)
    together = session.run(None, {given.name: pixels})[0]
    alone = session.run(None, {given.name: pixels[1:2]})[0]
    assert together.shape == (3, len(rows_of_csv()))
    assert ((together >= 0) & (together <= 1)).all()
    np.testing.assert_allclose(together[1:2], alone, atol=1e-4)


def test_the_file_is_small_and_old_enough_for_onnxruntime_1_17() -> None:
    onnx = pytest.importorskip("onnx")
    path = SHIPPED_TAGGER / "model.onnx"
    assert path.stat().st_size < 4_500_000
    model = onnx.load(path)
    assert model.ir_version <= 9
    assert model.opset_import[0].version <= 17


def test_the_tag_list_has_the_wd_layout(tmp_path: Path) -> None:
    rows = rows_of_csv()
    assert list(rows[0]) == ["tag_id", "name", "category", "count"]
    assert [r["name"] for r in rows[:4]] == ["general", "sensitive", "questionable", "explicit"]
    assert {r["category"] for r in rows[:4]} == {"9"}
    by_category = {c: [r["name"] for r in rows if r["category"] == c] for c in ("0", "4")}
    assert tuple(by_category["0"]) == words.TAGS
    assert tuple(by_category["4"]) == words.MASCOTS
    assert len({r["tag_id"] for r in rows}) == len(rows)
    tagger_training.write_tags(tmp_path / "again.csv")
    shipped = (SHIPPED_TAGGER / "selected_tags.csv").read_bytes()
    assert (tmp_path / "again.csv").read_bytes() == shipped


def test_it_knows_scenes_it_has_not_seen(tmp_path: Path) -> None:
    draw_folder(tmp_path, 40, seed=2024)
    scores = evaluate(tmp_path)
    assert scores.pictures == 40
    assert scores.micro.f1 >= 0.95, scores.table()


@pytest.mark.timeout(900)  # see tests/sketch/test_vlm.py
def test_the_same_seed_trains_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(tagger_data, "PART", 32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    said: list[str] = []
    try:
        for name in ("a", "b"):
            tagger_training.train_tagger(
                tmp_path / name,
                seed=5,
                steps=2,
                parts=1,
                cache=tmp_path / "cache",
                report=said.append,
            )
    finally:
        torch.set_num_threads(threads)
    for name in ("model.onnx", "selected_tags.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert said[-1].endswith("b")


def test_scores_count_right_wrong_and_missed() -> None:
    scores = tag_scores([{"a", "b"}, {"a"}], [{"a", "c"}, {"a"}])
    assert (scores.micro.right, scores.micro.wrong, scores.micro.missed) == (2, 1, 1)
    assert scores.micro.f1 == pytest.approx(4 / 6)
    assert scores.by_tag["b"].recall == 0
    assert "2 pictures" in scores.table()
    assert tag_scores([set()], [set()]).micro.f1 == 1.0


def test_scores_of_answers() -> None:
    row = {
        "tags": ["indoors", "cake"],
        "counts": {"cake": 3},
        "colors": {"cake": "red"},
        "floor": "wooden",
        "door": None,
    }
    right = expected_answers(row)
    assert right == {
        ("count", "cake"): "3",
        ("color", "cake"): "red",
        ("floor", ""): "wooden",
        ("door", ""): "",
    }
    assert answer_scores([row], [right]) == dict.fromkeys(("count", "color", "floor", "door"), (1, 1))
    given = {**right, ("count", "cake"): "4", ("count", "cup"): "1"}
    del given["color", "cake"]
    totals = answer_scores([row], [given])
    assert totals["count"] == (0, 1)
    assert totals["color"] == (0, 1)
    assert "100.0%" in answer_table(totals)
    outdoors = {**row, "tags": ["outdoors"], "floor": None}
    assert ("floor", "") not in expected_answers(outdoors)
