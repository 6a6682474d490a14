"""The real worker with a real ONNX model in WD's layout, on good and bad pictures of every kind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_extend.config import TagConfig
from lib_extend.errors import UserError
from lib_extend.questions.builtin import BUILTIN
from lib_extend.records import Category, Tag
from lib_extend.worker.client import WorkerClient
from lib_extend.worker.kinds import analyse_picture
from lib_extend.worker.protocol import Done, Failed, Setup

onnx = pytest.importorskip("onnx")
ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
SKETCH = ROOT / "lib_extend" / "sketch" / "weights" / "tagger"


@pytest.fixture(scope="module")
def wd_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger whose scores are the mean blue, green and red of the padded picture."""
    from onnx import TensorProto, helper

    folder = tmp_path_factory.mktemp("tagger")
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=0),
            helper.make_node("Div", ["mean", "top"], ["output"]),
        ],
        "colors",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 64, 64, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", 3])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
            helper.make_tensor("top", TensorProto.FLOAT, [], [255.0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    rows = ["tag_id,name,category,count", "1,blue,0,1", "2,green,0,1", "3,red_dress,4,1"]
    (folder / "selected_tags.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def worker() -> Iterator[WorkerClient]:
    client = WorkerClient()
    yield client
    client.close(0.0)


def test_a_folder_of_all_sorts(worker: WorkerClient, wd_folder: Path, tmp_path: Path) -> None:
    ready = worker.start(Setup(tagger=str(wd_folder), offline=True, device="cpu", batch_size=4))
    assert ready.threshold == 0.35 and ready.tagger_key and "CPU" in ready.tagger_device
    for i in range(30):
        suffix = ("png", "jpg", "webp", "gif", "bmp")[i % 5]
        Image.new("RGB", (600 + i, 600 + i), (8 * i, 0, 255)).save(tmp_path / f"{i}.{suffix}")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "26.jpg").read_bytes()[:-500])
    tasks = [analyse_picture.task(p.name, str(p), ["tags"]) for p in sorted(tmp_path.iterdir())]
    results = {r.id: r for r in worker.run(tasks)}
    assert {k for k, r in results.items() if isinstance(r, Failed)} == {"empty.png", "text.png", "cut.jpg"}
    for i in range(30):
        one = next(r for k, r in results.items() if k.startswith(f"{i}."))
        assert isinstance(one, Done) and isinstance(one.payload, analyse_picture.Result)
        assert one.payload.width == 600 + i
        tags = one.payload.parts["tags"]
        scores = {t.name: t.score or 0.0 for t in tags}
        assert scores["blue"] > 0.9
        assert scores.get("red_dress", 0.0) == pytest.approx(8 * i / 255, abs=0.06)
        assert all(t.score is None or t.score >= 0.05 for t in tags)
        assert tags[0].category is Category.GENERAL


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_once_in_the_middle(worker: WorkerClient, wd_folder: Path, tmp_path: Path) -> None:
    worker.start(Setup(tagger=str(wd_folder), offline=True, device="cpu"))
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    for i in range(60):
        Image.fromarray(noise).save(tmp_path / f"{i}.png")
    pid = worker.pid
    assert pid is not None
    tasks = [analyse_picture.task(str(i), str(tmp_path / f"{i}.png"), ["tags"]) for i in range(60)]
    threading.Timer(0.05, os.kill, (pid, signal.SIGKILL)).start()
    results = list(worker.run(tasks))
    assert sorted(r.id for r in results) == sorted(t.id for t in tasks)
    assert all(isinstance(r, Done) for r in results)


def test_wrong_names(worker: WorkerClient, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no-such-tagger"):
        worker.start(Setup(tagger="no-such-tagger", offline=True))
    with pytest.raises(UserError, match=r"no-such-vlm"):
        worker.start(Setup(vlm="no-such-vlm", offline=True))


@pytest.mark.skipif(not (SKETCH / "model.onnx").is_file(), reason="no built-in weights here")
def test_the_built_in_tagger_on_the_samples(worker: WorkerClient) -> None:
    ready = worker.start(Setup(tagger="sketch", offline=True, device="cpu"))
    pictures = [p for p in sorted(SAMPLES.iterdir()) if p.suffix not in (".txt", ".jsonl", ".md")]
    assert len(pictures) == 12
    for result in worker.run(analyse_picture.task(p.name, str(p), ["tags"]) for p in pictures):
        assert isinstance(result, Done) and isinstance(result.payload, analyse_picture.Result)
        assert any((t.score or 0) >= (ready.threshold or 0) for t in result.payload.parts["tags"])


@pytest.mark.skipif(not (SKETCH / "model.onnx").is_file(), reason="no built-in weights here")
def test_a_picture_too_thin_for_the_questions_keeps_its_tags(worker: WorkerClient, tmp_path: Path) -> None:
    questions = tuple(q for q in BUILTIN if q.name == "count")
    config = TagConfig(tagger="sketch", vlm="sketch", offline=True, device="cpu", ask=("count",))
    worker.start(Setup.from_config(config, questions))
    Image.new("RGB", (4100, 20), "white").save(tmp_path / "thin.png")
    known = {"tags": (Tag("cake"),)}
    (done,) = worker.run([analyse_picture.task("1", str(tmp_path / "thin.png"), ["tags", "answers"], known)])
    assert isinstance(done, Done) and isinstance(done.payload, analyse_picture.Result)
    assert set(done.payload.parts) == {"tags"} and (done.payload.width, done.payload.height) == (4100, 20)
    why = done.payload.unmade["answers"]
    assert "4100×20 pixels, too thin" in why.reason and (why.everywhere, why.code) == (
        False,
        "picture_too_thin",
    )
