"""Writes a trained `TaggerNet` as an ONNX file with the signature of the WD v3 taggers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from .tagger_data import SIDE
from .tagger_net import ConvNorm, Residual, TaggerNet

OPSET = 13
IR_VERSION = 8  # both old enough for onnxruntime 1.17

Array = npt.NDArray[np.float32]


class _Graph:
    """Collects nodes and weights. Weights are stored as float16 and cast back when loaded."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: Array) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.astype(np.float16), name))
        return self.add("Cast", name, to=TensorProto.FLOAT)

    def conv(self, x: str, layer: ConvNorm, swap: bool = False) -> str:
        weight, bias = _folded(layer)
        if swap:  # the network learned RGB, the signature says BGR
            weight = np.ascontiguousarray(weight[:, ::-1])
        conv: Any = layer[0]
        pad = conv.padding[0]
        return self.add(
            "Conv",
            x,
            self.constant(weight),
            self.constant(bias),
            kernel_shape=list(conv.kernel_size),
            strides=list(conv.stride),
            pads=[pad] * 4,
        )

    def linear(self, x: str, layer: nn.Linear) -> str:
        weight, bias = _array(layer.weight), _array(layer.bias)
        return self.add("Gemm", x, self.constant(weight), self.constant(bias), transB=1)


def _array(tensor: torch.Tensor) -> Array:
    values: Array = tensor.detach().float().numpy()
    return values


def _folded(layer: ConvNorm) -> tuple[Array, Array]:
    """The convolution's weight and bias with the batch norm's scale and shift in them."""
    conv: Any = layer[0]
    norm: Any = layer[1]
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = conv.weight * scale[:, None, None, None]
    return _array(weight), _array(norm.bias - norm.running_mean * scale)


def export_tagger(net: TaggerNet, path: Path) -> None:
    """Input `input` float32 [N, 448, 448, 3] BGR 0…255 → `output` float32 [N, tags] in 0…1."""
    g = _Graph()
    x = g.add("Transpose", "input", perm=[0, 3, 1, 2])
    # 1/127.5 is no float16 number: the two constants of the scaling are kept in full.
    g.weights += [
        numpy_helper.from_array(np.array(127.5, np.float32), "half_range"),
        numpy_helper.from_array(np.array(1.0, np.float32), "one"),
    ]
    x = g.add("Sub", g.add("Div", x, "half_range"), "one")
    x = g.add("Relu", g.conv(x, net.stem, swap=True))
    for stage in net.stages:
        if isinstance(stage, ConvNorm):
            x = g.conv(x, stage)
        elif isinstance(stage, Residual):
            y = g.add("Relu", g.conv(x, stage.first))
            x = g.add("Relu", g.add("Add", x, g.conv(y, stage.second)))
        else:
            x = g.add("Relu", x)
    mean = g.add("Flatten", g.add("GlobalAveragePool", x))
    most = g.add("Flatten", g.add("GlobalMaxPool", x))
    hidden = g.add("Relu", g.linear(g.add("Concat", mean, most, axis=1), net.hidden))
    whole = g.linear(hidden, net.last)
    bias_of_local = net.local.bias
    assert bias_of_local is not None  # torch types it as optional
    weight, bias = g.constant(_array(net.local.weight)), g.constant(_array(bias_of_local))
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
    model = helper.make_model(
        graph,
        producer_name="prompt-extend sketch",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model)
    half_done = path.with_suffix(".tmp")
    half_done.write_bytes(model.SerializeToString())
    half_done.replace(path)
