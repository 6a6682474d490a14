"""Reading a LoRA file whole, and finding out which modules of a checkpoint it changes.

    lora = read_weights(path)                  # safetensors only: nothing in a file is ever run
    bound = bind(lora, strengths, unet, text)  # {module: its changes}

Every part that does not fit raises a sentence that names the file; no part of a file is left out silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from lib_extend.errors import Message
from lib_extend.files.safetensors_header import check_whole
from lib_extend.generation import lora_names
from lib_extend.generation.lora_deltas import Delta, delta
from lib_extend.generation.lora_names import TEXT, TEXT2, UNET

NOT_HERE = Message(
    "lora_kind",
    "The LoRA {name} has a change of a kind that cannot be confined to a place ({kind}): put it into the prompt as "
    "<lora:{name}:1> instead.",
)
NO_LORA = Message(
    "not_a_lora", "{name} is not a LoRA that is known here (it has a tensor {tensor}): choose another file."
)
BROKEN = Message("damaged_lora", "The LoRA {name} is damaged (its {module} {reason}): get it again.")
MISFIT = Message(
    "lora_misfit",
    "The LoRA {name} does not fit the loaded checkpoint ({reason}): choose another of the two.",
)
NO_PLACE = Message(
    "lora_without_place",
    "The LoRA {name} changes {module}, which acts on the whole picture at once: put it into the prompt as "
    "<lora:{name}:1> instead.",
)

_MOST_NAMED = 60


@dataclass(frozen=True)
class Strengths:
    """How strong a LoRA is.

    Attributes:
        unet, text: multiply what it adds to the denoiser and to the text encoders.
        blocks: 12, 17, 20 or 26 further factors, one a block, see `lora_names.BLOCKS`; empty for none. The first is the
            text encoders'.
    """

    unet: float = 1.0
    text: float = 1.0
    blocks: tuple[float, ...] = ()

    def of_block(self, block: str) -> float:
        """The factor of a UNet's block: 1 for one that is not among the numbers' blocks."""
        if not self.blocks:
            return self.unet
        factors = dict(zip(lora_names.BLOCKS[len(self.blocks)], self.blocks, strict=True))
        # what a preset does not list has no layers of its kind; LoCon's layers there belong to no number
        return self.unet * factors.get(block, 0.0 if block else 1.0)

    @property
    def of_text(self) -> float:
        """The text encoders' factor."""
        return self.text * (self.blocks[0] if self.blocks else 1.0)


@dataclass
class LoraWeights:
    """A file's tensors: by model (see `lora_names`), module and part."""

    name: str
    models: dict[str, dict[str, dict[str, Tensor]]] = field(default_factory=dict)

    @property
    def has_text(self) -> bool:
        """Whether it changes a text encoder."""
        return TEXT in self.models or TEXT2 in self.models

    def numbers(self) -> int:
        """How many numbers it has."""
        return sum(t.numel() for m in self.models.values() for parts in m.values() for t in parts.values())


@dataclass
class Change:
    """One LoRA's change of one module: `factor` · `delta`; `third`: of queries, keys or values in one weight."""

    lora: str
    delta: Delta
    factor: float
    third: int | None = None


Changes = dict[str, list[Change]]
"""By a module's full name."""


def read_weights(path: Path, name: str = "") -> LoraWeights:
    """All tensors of a LoRA file.

    Args:
        name: by which sentences call it; default: the file's without its ending.

    Raises:
        UserError: it cannot be read, is damaged, no LoRA, or of a kind that cannot be confined to a place.
    """
    from safetensors.torch import load_file

    name = name or path.stem
    check_whole(path)
    lora = LoraWeights(name)
    for tensor_name, tensor in load_file(str(path), device="cpu").items():
        try:
            found = lora_names.parsed(tensor_name)
        except ValueError:
            raise NO_LORA.error(name=path.name, tensor=tensor_name[:_MOST_NAMED]) from None
        if found is None:
            continue
        if not found.part:
            raise NOT_HERE.error(name=name, kind=found.kind)
        lora.models.setdefault(found.model, {}).setdefault(found.module, {})[found.part] = tensor
    if not lora.models:
        raise NO_LORA.error(name=path.name, tensor="of no module")
    return lora


def bind_unet(lora: LoraWeights, strengths: Strengths, modules: Iterable[tuple[str, Any]]) -> Changes:
    """The changes of a UNet's modules.

    Args:
        modules: as `unet.named_modules()` gives them.

    Raises:
        UserError: one of the file's modules is not among them, or has another size.
    """
    by_name = {
        name.replace(".", "_"): (name, module) for name, module in modules if hasattr(module, "weight")
    }
    bound: Changes = {}
    for module_name, parts in lora.models.get(UNET, {}).items():
        name, module = _found(lora.name, module_name, by_name)
        change = _change(
            lora.name,
            module_name,
            parts,
            module,
            strengths.of_block(lora_names.block_of(name.replace(".", "_"))),
        )
        if change.factor:
            bound.setdefault(name, []).append(change)
    return bound


def bind_text(lora: LoraWeights, strengths: Strengths, encoders: Sequence[Any]) -> dict[int, Changes]:
    """The changes of the text encoders' modules, by the encoder's number.

    Args:
        encoders: the checkpoint's text encoders in order: CLIP-L, for SDXL OpenCLIP-G behind it.

    Raises:
        UserError: see `bind_unet`.
    """
    found: dict[int, Changes] = {}
    for i, model in enumerate((TEXT, TEXT2)):
        wanted = lora.models.get(model, {})
        if not wanted or not strengths.of_text:
            continue
        if i >= len(encoders):
            raise MISFIT.error(name=lora.name, reason="it has a second text encoder's part")
        ends = _ends(encoders[i])
        for module_name, parts in wanted.items():
            name, module, third = _text_module(lora.name, module_name, ends)
            change = _change(lora.name, module_name, parts, module, strengths.of_text, third)
            found.setdefault(i, {}).setdefault(name, []).append(change)
    return found


def _found(lora: str, module: str, by_name: Mapping[str, tuple[str, Any]]) -> tuple[str, Any]:
    for name in lora_names.unet_names(module):
        if name in by_name:
            return by_name[name]
    raise MISFIT.error(
        name=lora, reason=f"it changes {module[:_MOST_NAMED]}, which the checkpoint does not have"
    )


def _ends(encoder: Any) -> dict[str, tuple[str, Any]]:
    """A text encoder's modules by every end of their names that begins a part of it."""
    found: dict[str, tuple[str, Any]] = {}
    for name, module in encoder.named_modules():
        if not hasattr(module, "weight") and not hasattr(module, "in_proj_weight"):
            continue
        parts = name.split(".")
        for start in range(len(parts)):
            found.setdefault("_".join(parts[start:]), (name, module))
    return found


def _text_module(lora: str, module: str, ends: Mapping[str, tuple[str, Any]]) -> tuple[str, Any, int | None]:
    for name, third in lora_names.text_names(module):
        if name in ends:
            return (*ends[name], third)
    raise MISFIT.error(
        name=lora,
        reason=f"it changes the text encoder's {module[:_MOST_NAMED]}, which the checkpoint does not have",
    )


def _change(
    lora: str, name: str, parts: Mapping[str, Tensor], module: Any, factor: float, third: int | None = None
) -> Change:
    weight = module.in_proj_weight if third is not None else module.weight
    shape = tuple(int(n) for n in weight.shape)
    if third is not None:
        shape = (shape[0] // 3, *shape[1:])
    elif len(shape) == 1 or not hasattr(module, "in_features"):
        shape = _shape(module, shape)
    else:
        # a quantised layer's weight may be stored in another form
        shape = (int(module.out_features), int(module.in_features))
    if not parts.keys() - {"alpha"}:
        raise BROKEN.error(name=lora, module=name[:_MOST_NAMED], reason="has only alpha")
    try:
        made = delta(parts, shape)
    except ValueError as e:
        raise MISFIT.error(name=lora, reason=f"its {name[:_MOST_NAMED]} {e}") from e
    return Change(lora, made, factor * made.scale, third)


def _shape(module: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) not in (2, 4):
        raise ValueError(f"weights of {shape}")
    return shape
