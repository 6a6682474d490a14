"""What the exports of the sketch tagger and detector share: an ONNX graph written node by node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from lib_extend.sketch.tagger_net import ConvNorm, Residual

OPSET = 13
IR_VERSION = 8  # both old enough for onnxruntime 1.17

Array = npt.NDArray[np.float32]


class Graph:
    """Collects nodes and weights. Weights are stored as float16 and cast back when loaded."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def split(self, x: str, parts: str, count: int, axis: int) -> list[str]:
        """`x` cut into `count` pieces along `axis`; `parts` names their sizes."""
        names = [f"t{len(self.nodes)}_{i}" for i in range(count)]
        self.nodes.append(helper.make_node("Split", [x, parts], names, axis=axis))
        return names

    def constant(self, values: Array) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.astype(np.float16), name))
        return self.add("Cast", name, to=TensorProto.FLOAT)

    def conv(self, x: str, layer: ConvNorm, swap: bool = False) -> str:
        weight, bias = folded(layer)
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

    def stages(self, x: str, layers: nn.Sequential) -> str:
        """`layers` of `ConvNorm`, `Residual` and ReLU, one after the other."""
        for layer in layers:
            if isinstance(layer, ConvNorm):
                x = self.conv(x, layer)
            elif isinstance(layer, Residual):
                y = self.add("Relu", self.conv(x, layer.first))
                x = self.add("Relu", self.add("Add", x, self.conv(y, layer.second)))
            else:
                x = self.add("Relu", x)
        return x

    def linear(self, x: str, layer: nn.Linear) -> str:
        weight, bias = array(layer.weight), array(layer.bias)
        return self.add("Gemm", x, self.constant(weight), self.constant(bias), transB=1)


def array(tensor: torch.Tensor) -> Array:
    values: Array = tensor.detach().float().numpy()
    return values


def folded(layer: ConvNorm) -> tuple[Array, Array]:
    """The convolution's weight and bias with the batch norm's scale and shift in them."""
    conv: Any = layer[0]
    norm: Any = layer[1]
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = conv.weight * scale[:, None, None, None]
    return array(weight), array(norm.bias - norm.running_mean * scale)


def save(graph: Any, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Writes `graph` as a model, whole or not at all; `metadata` are texts that the file carries."""
    model = helper.make_model(
        graph,
        producer_name="prompt-extend sketch",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    if metadata:
        helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    half_done = path.with_suffix(".tmp")
    half_done.write_bytes(model.SerializeToString())
    half_done.replace(path)
