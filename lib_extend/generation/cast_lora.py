"""A LoRA in a cast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib_extend.generation import value_checks as checks
from lib_extend.generation.cast_records import field_names, plain_json, put
from lib_extend.generation.value_checks import FieldError

MAX_NAME = 100
BLOCK_NUMBERS = (12, 17, 20, 26)
"""How many block weights there are: of a LoRA's or a LoCon's layers, SDXL's or Stable Diffusion 1.5's."""


@dataclass(frozen=True)
class Lora:
    """A LoRA as the host's prompt names it: `<lora:name:weight>`.

    Attributes:
        weight: -5…5. text_weight: of what it changes in the text encoders; None is the same.
        blocks: further factors, one a block of the UNet, as `<lora:name:1:lbw=…>` has them: none, or 12, 17, 20 or 26.
    """

    name: str
    weight: float = 1.0
    text_weight: float | None = None
    blocks: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        name = checks.text("name", self.name, MAX_NAME * 2, lines=False)
        if not name or not set(name).isdisjoint("<>:"):
            raise FieldError("name", "must be the LoRA's file name without its ending, and without < > :")
        put(self, "name", name)
        put(self, "weight", checks.number("weight", self.weight, -5, 5))
        if self.text_weight is not None:
            put(self, "text_weight", checks.number("text_weight", self.text_weight, -5, 5))
        blocks = checks.items("blocks", self.blocks, max(BLOCK_NUMBERS))
        if blocks and len(blocks) not in BLOCK_NUMBERS:
            known = ", ".join(map(str, BLOCK_NUMBERS))
            raise FieldError("blocks", f"has {len(blocks)} numbers, but must have one of: {known}")
        put(self, "blocks", tuple(checks.number(f"blocks[{i}]", b, -5, 5) for i, b in enumerate(blocks)))

    @property
    def tag(self) -> str:
        """The LoRA's tag in a prompt."""
        text = "" if self.text_weight is None else f"{self.text_weight:g}:"
        blocks = f":lbw={','.join(f'{b:g}' for b in self.blocks)}" if self.blocks else ""
        return f"<lora:{self.name}:{text}{self.weight:g}{blocks}>"

    @property
    def acts(self) -> bool:
        """Whether it changes anything at all."""
        return bool(self.weight or self.text_weight)

    def to_json(self, *, brief: bool = False) -> dict[str, Any]:
        return plain_json(self, brief)

    @classmethod
    def from_json(cls, data: Any) -> Lora:
        data = checks.mapping("", data, field_names(cls))
        return cls(**{"name": "", **data})
