"""Small ONNX files with the signature of the YOLO exports: one that looks at its input, one that says given boxes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, checker, helper, numpy_helper

Array = npt.NDArray[Any]

GRID = 8
CLASSES = ("red", "green", "blue")
TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}


def cell_boxes(side: int) -> Array:
    """Float32 [4, 64]: cx, cy, w, h of an 8 × 8 grid's cells, in pixels of the input."""
    cell = side / GRID
    y, x = np.mgrid[0:GRID, 0:GRID] * cell + cell / 2
    return np.stack([x.ravel(), y.ravel(), np.full(64, cell), np.full(64, cell)]).astype(np.float32)


def seeing(
    path: Path,
    *,
    side: int = 64,
    transposed: bool = False,
    batch: int | str = "N",
    dtype: str = "float32",
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A model that finds all cells of an 8 × 8 grid; the scores are the means of red, green and blue there."""
    cell = side // GRID
    kind = TYPES[dtype]
    weights = [
        numpy_helper.from_array(cell_boxes(side)[None], "boxes"),
        numpy_helper.from_array(np.array([0, 3, GRID * GRID], np.int64), "flat_shape"),
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
    ]
    nodes = [
        helper.make_node("Cast", ["images"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("AveragePool", ["wide"], ["grid"], kernel_shape=[cell, cell], strides=[cell, cell]),
        helper.make_node("Reshape", ["grid", "flat_shape"], ["scores"]),
        helper.make_node("ReduceMean", ["scores"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["boxes", "nothing"], ["placed"]),
        helper.make_node("Concat", ["placed", "scores"], ["rows"], axis=1),
        helper.make_node("Transpose", ["rows"], ["laid"], perm=[0, 2, 1] if transposed else [0, 1, 2]),
        helper.make_node("Cast", ["laid"], ["output0"], to=kind),
    ]
    shape = [batch, 64, 7] if transposed else [batch, 7, 64]
    facts = {"imgsz": str([side, side]), "names": str(dict(enumerate(CLASSES)))}
    return _save(
        path, nodes, weights, kind, [batch, 3, side, side], shape, facts if metadata is None else metadata
    )


def saying(
    path: Path,
    table: Array,
    *,
    side: int | str = 64,
    batch: int | str = "N",
    shape: list[int | str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A model that gives `table` for every picture; `shape` is what the file says of it."""
    weights = [
        numpy_helper.from_array(table[None].astype(np.float32), "table"),
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
        numpy_helper.from_array(np.array([0] + [1] * table.ndim, np.int64), "one_each"),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Reshape", ["mean", "one_each"], ["means"]),
        helper.make_node("Mul", ["means", "zero"], ["nothing"]),
        helper.make_node("Add", ["table", "nothing"], ["output0"]),
    ]
    inputs = [batch, 3, "height", "width"] if isinstance(side, str) else [batch, 3, side, side]
    said = shape if shape is not None else [batch, *table.shape]
    return _save(path, nodes, weights, TensorProto.FLOAT, inputs, said, metadata or {})


def _save(
    path: Path,
    nodes: list[Any],
    weights: list[Any],
    kind: int,
    inputs: list[Any],
    outputs: list[Any],
    metadata: Mapping[str, str],
) -> Path:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", kind, inputs)],
        [helper.make_tensor_value_info("output0", kind, outputs)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, dict(metadata))
    checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
