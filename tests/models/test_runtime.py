"""onnxruntime sessions: which device is chosen, that it is truly used, and what is said when it is not."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lib_extend.errors import ModelError
from lib_extend.models import runtime
from lib_extend.models.files import ModelFiles
from lib_extend.models.runtime import CPU, CUDA, DIRECTML, Session, choose

from .tiny_onnx import LABELS, build


def session(path: Path, side: int = 64, **options: object) -> Session:
    return Session(ModelFiles.of(path.parent), path, side=side, **options)  # type: ignore[arg-type]


class Pretending(onnxruntime.InferenceSession):  # type: ignore[misc]
    """Runs on the CPU and says what it was asked for."""

    def __init__(self, path: object, options: object, providers: list[str]) -> None:
        super().__init__(path, options, providers=[CPU])
        self.claimed = providers

    def get_providers(self) -> list[str]:
        return list(self.claimed)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "model.onnx", side=64, scale=1 / 255)


@pytest.mark.parametrize(
    ("device", "available", "provider", "said"),
    [
        ("auto", [CPU], CPU, ""),
        ("auto", [CUDA, CPU], CUDA, ""),
        ("auto", [DIRECTML, CPU], DIRECTML, ""),
        ("cpu", [CUDA, CPU], CPU, ""),
        ("cuda", [CUDA, CPU], CUDA, ""),
        ("cuda", [CPU], CPU, "no CUDA; onnxruntime-gpu"),
        ("directml", [CUDA, CPU], CPU, "no DirectML; onnxruntime-directml"),
    ],
)
def test_the_choice_of_a_device(
    device: str, available: list[str], provider: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no nvidia-smi
    chosen, reason = choose(device, available)
    assert chosen == provider and (said in reason if said else not reason)


@pytest.mark.skipif(os.name == "nt", reason="a program without a suffix")
def test_a_graphics_card_that_lies_idle_is_mentioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    provider, reason = choose("auto", [CPU])
    assert provider == CPU and "NVIDIA" in reason and "onnxruntime-gpu" in reason


def test_a_model_on_the_cpu(model: Path) -> None:
    found = session(model, device="cpu", threads=1)
    assert (found.device, found.provider, found.batch) == ("CPU", CPU, 1)
    assert found.image_shape() == (64, 64, 3) and found.input.shape == (None, 64, 64, 3)
    scores = found.run(np.full((2, 64, 64, 3), 255, np.float32))
    assert scores.shape == (2, LABELS) and np.allclose(scores, 1)


def test_a_device_that_this_onnxruntime_lacks(model: Path) -> None:
    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this one has it")
    found = session(model, device="cuda")
    assert found.provider == CPU
    assert found.device.startswith("CPU: this onnxruntime has no CUDA; onnxruntime-gpu")


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_device_whose_libraries_are_missing(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime lists what it was built with; only a session shows what it can load."""
    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this one has it")
    monkeypatch.setattr(runtime, "available_providers", lambda: [CUDA, CPU])
    for device in ("auto", "cuda"):
        found = session(model, device=device)
        assert found.provider == CPU and found.batch == 1
        assert found.device.startswith("CPU: CUDA does not work here (")
        assert np.allclose(found.run(np.zeros((1, 64, 64, 3), np.float32)), 0)


def test_a_device_that_fails_at_the_first_image(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that is too old shows only when something runs."""
    run = Session.run

    def fail(self: Session, batch: np.ndarray, output: str | None = None) -> np.ndarray:  # type: ignore[type-arg]
        if self._session.get_providers()[0] == CUDA:
            raise RuntimeError(
                "[ONNXRuntimeError] : 1 : FAIL : CUDA failure 35: CUDA driver version is insufficient"
            )
        return run(self, batch, output)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Pretending)
    monkeypatch.setattr(runtime, "available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(Session, "run", fail)
    found = session(model)
    assert found.provider == CPU
    assert "CUDA does not work here (" in found.device and "driver version is insufficient" in found.device


def test_batches_on_a_device_that_works(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "InferenceSession", Pretending)
    monkeypatch.setattr(runtime, "available_providers", lambda: [CUDA, CPU])
    found = session(model)
    assert (found.device, found.batch) == ("CUDA", runtime.GPU_BATCH)
    assert session(model, batch_size=16).batch == 16
    fixed = build(model.with_name("fixed.onnx"), side=64, batch=1)
    assert session(fixed, batch_size=16).batch == 1


def test_a_batch_that_is_fixed_is_filled_up(tmp_path: Path) -> None:
    model = build(tmp_path / "model.onnx", side=64, batch=4)
    found = session(model, device="cpu", batch_size=2)
    assert found.batch == 4
    assert found.run(np.ones((3, 64, 64, 3), np.float32)).shape == (3, LABELS)


def test_a_free_side_is_the_familys(tmp_path: Path) -> None:
    import onnx

    path = build(tmp_path / "model.onnx", side=64, layout="NCHW")
    loaded = onnx.load(path)
    for dimension, name in zip(loaded.graph.input[0].type.tensor_type.shape.dim[2:], "hw", strict=True):
        dimension.dim_param = name
    onnx.save(loaded, path)
    assert session(path, side=64, device="cpu").image_shape() == (3, 64, 64)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"\x08\x08\x12\x00", b"version https://git-lfs.github.com/spec/v1\n"],
    ids=repr,
)
def test_what_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        session(path, device="cpu")
    assert str(tmp_path) in str(caught.value) and "model.onnx" in str(caught.value)


def test_a_model_that_takes_no_images(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "text",
        [helper.make_tensor_value_info("x", TensorProto.INT64, [1, 7])],
        [helper.make_tensor_value_info("y", TensorProto.INT64, [1, 7])],
    )
    path = tmp_path / "model.onnx"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    with pytest.raises(ModelError, match=r"takes tensor\(int64\) of 2 dimensions, not images"):
        session(path, device="cpu")


@pytest.mark.parametrize("name", ["with space.onnx", "模型 ☃.onnx", 'it\'s "quoted".onnx'])
def test_names_of_files(tmp_path: Path, name: str) -> None:
    assert session(build(tmp_path / name, side=64), device="cpu").device == "CPU"


@pytest.mark.skipif(sys.platform != "linux", reason="names there are bytes")
def test_a_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    assert session(build(folder / "model.onnx", side=64), device="cpu").device == "CPU"


def test_several_threads_may_run_it(model: Path) -> None:
    found = session(model, device="cpu", threads=2)
    wrong: list[float] = []

    def work(value: float) -> None:
        for _ in range(20):
            scores = found.run(np.full((1, 64, 64, 3), value * 255, np.float32))
            if not np.allclose(scores, value, atol=1e-4):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(i / 4,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_more_threads_than_cores_are_not_asked_for(model: Path) -> None:
    assert session(model, device="cpu", threads=256).device == "CPU"
