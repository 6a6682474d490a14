"""Writes a trained `DetectorNet` as an ONNX file with the signature of the YOLO detectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from lib_extend.sketch.detector_data import SIDE
from lib_extend.sketch.detector_net import FAR, STRIDE, DetectorNet, cell_middles
from lib_extend.sketch.onnx_graph import Graph, array, save

CELLS = (SIDE // STRIDE) ** 2

LABEL = "person"


def export_detector(net: DetectorNet, path: Path) -> None:
    """Input `images` float32 [N, 3, 320, 320] RGB 0…1 → `output0` float32 [N, 5, 400].

    The rows of the output are cx, cy, w, h in input pixels and the score in 0…1, one column a cell. The metadata
    say `imgsz` and `names`, as those files do.
    """
    g = Graph()
    g.weights += [
        numpy_helper.from_array(np.array(2.0, np.float32), "two"),
        numpy_helper.from_array(np.array(1.0, np.float32), "one"),
        numpy_helper.from_array(np.array(0.5, np.float32), "half"),
        numpy_helper.from_array(np.array(STRIDE, np.float32), "stride"),
        numpy_helper.from_array(np.array(FAR, np.float32), "far"),
        numpy_helper.from_array(cell_middles(SIDE).numpy().reshape(1, 2, CELLS), "middles"),
        numpy_helper.from_array(np.array([0, 5, CELLS], np.int64), "shape"),
        numpy_helper.from_array(np.array([2, 2, 1], np.int64), "parts"),
        numpy_helper.from_array(np.array([1.0, 1.0, 2.0, 2.0], np.float32), "twice"),
    ]
    x = g.add("Sub", g.add("Mul", "images", "two"), "one")
    x = g.add("Relu", g.conv(x, net.stem))
    fine = g.stages(x, net.fine)
    coarse = g.conv(g.stages(fine, net.coarse), net.back)
    coarse = g.add(
        "Resize", coarse, "", "twice", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )  # fmt: skip
    x = g.stages(g.add("Relu", g.add("Add", fine, coarse)), net.joint)
    bias_of_last = net.last.bias
    assert bias_of_last is not None  # torch types it as optional
    weight, bias = g.constant(array(net.last.weight)), g.constant(array(bias_of_last))
    raw = g.add("Reshape", g.add("Conv", x, weight, bias, kernel_shape=[1, 1]), "shape")
    near, far, logit = g.split(raw, "parts", 3, axis=1)
    near, far = (g.add("Mul", g.add("Exp", g.add("Min", d, "far")), "stride") for d in (near, far))
    # The middle of the box lies half of what the far edges are farther away beside that of the cell.
    middle = g.add("Add", "middles", g.add("Mul", g.add("Sub", far, near), "half"))
    g.add("Concat", middle, g.add("Add", near, far), g.add("Sigmoid", logit), axis=1, output="output0")
    graph = helper.make_graph(
        g.nodes,
        "sketch_detector",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["N", 5, CELLS])],
        g.weights,
    )
    facts = {"imgsz": str([SIDE, SIDE]), "names": str({0: LABEL}), "stride": str(STRIDE), "task": "detect"}
    save(graph, path, facts)
