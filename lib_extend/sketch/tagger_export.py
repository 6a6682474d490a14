"""Writes a trained `TaggerNet` as an ONNX file with the signature of the WD v3 taggers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from lib_extend.sketch.onnx_graph import Graph, array, save
from lib_extend.sketch.tagger_data import SIDE
from lib_extend.sketch.tagger_net import TaggerNet


def export_tagger(net: TaggerNet, path: Path) -> None:
    """Input `input` float32 [N, 448, 448, 3] BGR 0…255 → `output` float32 [N, tags] in 0…1."""
    g = Graph()
    x = g.add("Transpose", "input", perm=[0, 3, 1, 2])
    # 1/127.5 is no float16 number: the two constants of the scaling are kept in full.
    g.weights += [
        numpy_helper.from_array(np.array(127.5, np.float32), "half_range"),
        numpy_helper.from_array(np.array(1.0, np.float32), "one"),
    ]
    x = g.add("Sub", g.add("Div", x, "half_range"), "one")
    x = g.add("Relu", g.conv(x, net.stem, swap=True))
    x = g.stages(x, net.stages)
    mean = g.add("Flatten", g.add("GlobalAveragePool", x))
    most = g.add("Flatten", g.add("GlobalMaxPool", x))
    hidden = g.add("Relu", g.linear(g.add("Concat", mean, most, axis=1), net.hidden))
    whole = g.linear(hidden, net.last)
    bias_of_local = net.local.bias
    assert bias_of_local is not None  # torch types it as optional
    weight, bias = g.constant(array(net.local.weight)), g.constant(array(bias_of_local))
    places = g.add("Conv", x, weight, bias, kernel_shape=[1, 1])
    local = g.add("Flatten", g.add("GlobalMaxPool", places))
    g.add("Sigmoid", g.add("Add", whole, local), output="output")
    tags = net.last.out_features
    graph = helper.make_graph(
        g.nodes,
        "sketch_tagger",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", tags])],
        g.weights,
    )
    save(graph, path)
