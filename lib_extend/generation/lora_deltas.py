"""What a LoRA adds to one module, in each of its formats: y = Wx + s·f(x), f without a bias.

    low rank (LoRA, LoCon)   f(x) = B A x,  with a core in between for LoCon's Tucker form
    Kronecker (LoKr)         f(x) = (W₁ ⊗ W₂) x
    Hadamard (LoHa)          f(x) = (W₁ᵇW₁ᵃ ∘ W₂ᵇW₂ᵃ) x

The full matrix exists only during one call, so that a LoRA takes no more memory than its file. `Fit` says what a module
is: linear, or a convolution with its kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import conv2d, linear

Weights = Mapping[str, Tensor]
"""A module's tensors by part, see `lora_names`."""
Shape = tuple[int, ...]
"""Of a module's weight: (out, in), or (out, in, height, width) for a convolution."""
Stride = tuple[int, int]


class Delta(Protocol):
    """One module's change, without its strength.

    Attributes:
        scale: what the file multiplies it with: alpha / rank.
    """

    scale: float

    def to(self, like: Tensor) -> None:
        """Brings the tensors to a tensor's device and type, in place of the present ones."""

    def of(self, x: Tensor) -> Tensor:
        """For a linear layer: (…, in) to (…, out)."""

    def of_grid(self, x: Tensor, stride: Stride, dilation: Stride) -> Tensor:
        """For a convolution without padding: (rows, in, h, w) to (rows, out, h', w')."""

    def matrix(self) -> Tensor:
        """All of it as a weight, of the module's shape."""


def delta(weights: Weights, shape: Shape) -> Delta:
    """The change that a file's tensors are for a module with a weight of this shape.

    Raises:
        ValueError: they are incomplete, or of other sizes.
    """
    alpha = float(weights["alpha"]) if "alpha" in weights else None
    made: LowRank | Kronecker | Hadamard
    if "down" in weights and "up" in weights:
        made = LowRank(weights, alpha)
    elif any(part.startswith("lokr") for part in weights):
        made = Kronecker(weights, alpha)
    elif {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"} <= weights.keys():
        made = Hadamard(weights, alpha, shape)
    else:
        raise ValueError(f"has only {', '.join(sorted(weights))}")
    made.fit(shape)
    return made


class _Tensors:
    _tensors: dict[str, Tensor]

    def to(self, like: Tensor) -> None:
        for name, tensor in self._tensors.items():
            if tensor.dtype != like.dtype or tensor.device != like.device:
                self._tensors[name] = tensor.to(device=like.device, dtype=like.dtype)

    def _get(self, name: str) -> Tensor:
        return self._tensors[name]


class LowRank(_Tensors):
    """`a`: (rank, in …), `b`: (out, rank), `core`: (rank, rank, height, width) where there is one."""

    def __init__(self, weights: Weights, alpha: float | None) -> None:
        self._tensors = {"a": weights["down"], "b": weights["up"]}
        if "mid" in weights:
            self._tensors["core"] = weights["mid"]
        rank = weights["down"].shape[0]
        self.scale = 1.0 if alpha is None else alpha / rank

    def fit(self, shape: Shape) -> None:
        a, b = self._tensors["a"], self._tensors["b"]
        core = self._tensors.get("core")
        a = _kernel(a, shape[2:] if core is None else (1,) * len(shape[2:]))
        b = b.flatten(1) if b.dim() > 1 else b
        wanted = (shape[1], *a.shape[2:])
        if core is not None and (len(shape) != 4 or core.shape != (b.shape[1], a.shape[0], *shape[2:])):
            raise ValueError(f"has a core of {tuple(core.shape)}")
        if b.shape != (shape[0], b.shape[1]) or a.shape[1:] != wanted:
            raise ValueError(f"is for a weight of {(b.shape[0], *a.shape[1:])}, not of {shape}")
        if core is None and b.shape[1] != a.shape[0]:
            raise ValueError(f"has ranks {a.shape[0]} and {b.shape[1]}")
        self._tensors |= {"a": a.contiguous(), "b": b.contiguous()}

    def inner(self, x: Tensor) -> Tensor:
        """A x: (…, rank)."""
        return linear(x, self._get("a"))

    def outer(self, x: Tensor) -> Tensor:
        """B x: (…, rank) to (…, out)."""
        return linear(x, self._get("b"))

    @property
    def up(self) -> Tensor:
        """B: (out, rank)."""
        return self._get("b")

    def of(self, x: Tensor) -> Tensor:
        return self.outer(self.inner(x))

    def of_grid(self, x: Tensor, stride: Stride, dilation: Stride) -> Tensor:
        if "core" in self._tensors:
            h = conv2d(conv2d(x, self._get("a")), self._get("core"), stride=stride, dilation=dilation)
        else:
            h = conv2d(x, self._get("a"), stride=stride, dilation=dilation)
        return conv2d(h, self._get("b")[..., None, None])

    def matrix(self) -> Tensor:
        if "core" in self._tensors:
            return torch.einsum(
                "or,rshw,si->oihw", self._get("b"), self._get("core"), self._get("a").flatten(1)
            )
        a = self._get("a")
        return (self._get("b") @ a.flatten(1)).reshape(-1, *a.shape[1:])


class Kronecker(_Tensors):
    """`w1`: (a, b). `w2`: (c, d …): the weight is (a·c, b·d …). Either may be a product of two, `w2` with a core."""

    def __init__(self, weights: Weights, alpha: float | None) -> None:
        self._tensors = {
            part.removeprefix("lokr_"): t for part, t in weights.items() if part.startswith("lokr_")
        }
        rank = next((self._tensors[n].shape[0] for n in ("w2_b", "w1_b") if n in self._tensors), None)
        self.scale = alpha / rank if alpha is not None and rank is not None else 1.0

    def fit(self, shape: Shape) -> None:
        try:
            one, two = self._one(), self._two()
        except (KeyError, RuntimeError) as e:
            raise ValueError(
                f"has only {', '.join(sorted(self._tensors))}, or sizes that do not go together"
            ) from e
        two = two.reshape(*two.shape[:2], *(two.shape[2:] or (1,) * len(shape[2:])))
        if len(shape) == 2 and all(n == 1 for n in two.shape[2:]):
            two = two.flatten(1)
        made = (one.shape[0] * two.shape[0], one.shape[1] * two.shape[1], *two.shape[2:])
        if one.dim() != 2 or made != shape:
            raise ValueError(f"is for a weight of {made}, not of {shape}")
        self._kernel = shape[2:]

    def _one(self) -> Tensor:
        return self._tensors["w1"] if "w1" in self._tensors else self._get("w1_a") @ self._get("w1_b")

    def _two(self) -> Tensor:
        if "w2" in self._tensors:
            return self._tensors["w2"]
        a, b = self._get("w2_a"), self._get("w2_b")
        if "t2" in self._tensors:
            return _tucker(self._tensors["t2"], a, b)
        return (a @ b.flatten(1)).reshape(a.shape[0], *b.shape[1:])

    def of(self, x: Tensor) -> Tensor:
        one, two = self._one(), self._two().flatten(1)
        blocks = linear(x.reshape(*x.shape[:-1], one.shape[1], two.shape[1]), two)
        return (one @ blocks).flatten(-2)

    def of_grid(self, x: Tensor, stride: Stride, dilation: Stride) -> Tensor:
        one, two = self._one(), self._two()
        two = two.reshape(two.shape[0], -1, *self._kernel)
        rows = x.shape[0]
        blocks = conv2d(
            x.reshape(rows * one.shape[1], two.shape[1], *x.shape[2:]), two, stride=stride, dilation=dilation
        )
        blocks = blocks.reshape(rows, one.shape[1], -1)
        return (one @ blocks).reshape(rows, one.shape[0] * two.shape[0], *_after(x, two, stride, dilation))

    def matrix(self) -> Tensor:
        one, two = self._one(), self._two()
        two = two.reshape(two.shape[0], -1, *self._kernel)
        return torch.kron(one.reshape(*one.shape, *(1,) * len(self._kernel)), two)


class Hadamard(_Tensors):
    """The product, number by number, of two products; either with a core in Tucker form."""

    def __init__(self, weights: Weights, alpha: float | None, shape: Shape) -> None:
        self._tensors = {
            part.removeprefix("hada_"): t for part, t in weights.items() if part.startswith("hada_")
        }
        self.scale = 1.0 if alpha is None else alpha / weights["hada_w1_b"].shape[0]
        self._shape = shape

    def fit(self, shape: Shape) -> None:
        try:
            made = self.matrix()
        except RuntimeError as e:
            raise ValueError(f"is not for a weight of {shape}") from e
        if made.shape != shape:
            raise ValueError(f"is for a weight of {tuple(made.shape)}, not of {shape}")

    def matrix(self) -> Tensor:
        one, two = (self._product(f"t{n}", f"w{n}_a", f"w{n}_b") for n in (1, 2))
        return (one * two).reshape(self._shape)

    def _product(self, core: str, a: str, b: str) -> Tensor:
        if core in self._tensors:
            return _tucker(self._get(core), self._get(a), self._get(b))
        return self._get(a) @ self._get(b)

    def of(self, x: Tensor) -> Tensor:
        return linear(x, self.matrix())

    def of_grid(self, x: Tensor, stride: Stride, dilation: Stride) -> Tensor:
        return conv2d(x, self.matrix(), stride=stride, dilation=dilation)


def _tucker(core: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """LyCORIS's: core (r, s, h, w), a (r, out), b (s, in) → (out, in, h, w)."""
    return torch.einsum("rshw,ro,si->oihw", core, a, b)


def _kernel(a: Tensor, kernel: Shape) -> Tensor:
    """(rank, in …) with as many axes as the module's weight has; 1 × 1 may be written either way."""
    if a.dim() == 2 and kernel:
        return a.reshape(*a.shape, *(1,) * len(kernel)) if all(n == 1 for n in kernel) else a
    if a.dim() == 4 and not kernel and a.shape[2:] == (1, 1):
        return a.flatten(1)
    return a


def _after(x: Tensor, kernel: Tensor, stride: Stride, dilation: Stride) -> tuple[int, int]:
    """Height and width behind a convolution without padding."""
    h, w = ((x.shape[2 + i] - dilation[i] * (kernel.shape[2 + i] - 1) - 1) // stride[i] + 1 for i in (0, 1))
    return h, w
