"""Small ONNX files with the signatures of the taggers.

Their scores are the means of an 8 × 8 grid over the input, channel by channel: 192 numbers that move as soon
as a channel, the scale, the padding or the geometry is wrong.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, checker, helper, numpy_helper

Array = npt.NDArray[Any]

GRID = 8
LABELS = 3 * GRID * GRID

TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}


def build(
    path: Path,
    *,
    side: int,
    layout: str = "NHWC",
    batch: int | str = "N",
    scale: float = 1.0,
    shift: float = 0.0,
    input: str = "input",
    outputs: Sequence[str] = ("output",),
    scores: str = "output",
    width: int = LABELS,
    dtype: str = "float32",
) -> Path:
    """A model whose output `scores` is means × scale + shift; other outputs are 3 zeros.

    `batch` may be a fixed number. The metadata say nothing. Sides are fixed, as in the real files.
    """
    kind = TYPES[dtype]
    shape: list[int | str] = [batch, side, side, 3] if layout == "NHWC" else [batch, 3, side, side]
    nodes, weights = [], []
    x = input
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [x], ["planes"], perm=[0, 3, 1, 2]))
        x = "planes"
    if dtype != "float32":
        nodes.append(helper.make_node("Cast", [x], ["wide"], to=TensorProto.FLOAT))
        x = "wide"
    cell = side // GRID
    nodes.append(
        helper.make_node("AveragePool", [x], ["grid"], kernel_shape=[cell, cell], strides=[cell, cell])
    )
    nodes.append(helper.make_node("Flatten", ["grid"], ["flat"]))
    weights += [
        numpy_helper.from_array(np.array(scale, np.float32), "scale"),
        numpy_helper.from_array(np.array(shift, np.float32), "shift"),
        numpy_helper.from_array(np.array([0], np.int64), "first"),
        numpy_helper.from_array(np.array([width], np.int64), "last"),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
    ]
    nodes.append(helper.make_node("Mul", ["flat", "scale"], ["scaled"]))
    nodes.append(helper.make_node("Add", ["scaled", "shift"], ["all"]))
    found = []
    for name in outputs:
        if name == scores:
            target = name if dtype == "float32" else f"{name}_wide"
            nodes.append(helper.make_node("Slice", ["all", "first", "last", "axis"], [target]))
            if target != name:
                nodes.append(helper.make_node("Cast", [target], [name], to=kind))
            found.append(helper.make_tensor_value_info(name, kind, [batch, width]))
        else:
            nodes.append(helper.make_node("Constant", [], [name], value=_zeros()))
            found.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]))
    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info(input, kind, shape)], found, weights
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def _zeros() -> Any:
    return numpy_helper.from_array(np.zeros((1, 3), np.float32))


def grid(pixels: Array) -> Array:
    """What `build`'s model sees of height × width × 3 pixels: the means, channels first, flat."""
    side = pixels.shape[0]
    cell = side // GRID
    cut = pixels[: cell * GRID, : cell * GRID].astype(np.float64)
    means = cut.reshape(GRID, cell, GRID, cell, 3).mean(axis=(1, 3))
    return means.transpose(2, 0, 1).ravel()


def names(count: int = LABELS) -> list[str]:
    """Tag names, the troublesome ones among them."""
    special = ["general", "sensitive", "questionable", "explicit", "null", "nan", "^_^", "0_0", ">_<", ":3"]
    special += ["fate_(series)", 'quo"te', "comma,_tag", "n/a", "+_+", "\\o/"]
    return (special + [f"tag_{i}" for i in range(count)])[:count]


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    """A CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def write_json(path: Path, content: Any) -> Path:
    """A JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def wd_folder(folder: Path, *, side: int = 448, labels: int = LABELS, **options: Any) -> Path:
    """A WD tagger: 4 ratings, characters at the end, the rest general."""
    options.setdefault("scale", 1 / 255)
    build(folder / "model.onnx", side=side, **options)
    rows = [
        (1000 + i, name, 9 if i < 4 else 4 if i >= labels - 10 else 0, 500)
        for i, name in enumerate(names(labels))
    ]
    write_csv(folder / "selected_tags.csv", ("tag_id", "name", "category", "count"), rows)
    return folder
