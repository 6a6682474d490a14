"""The LoRAs of a run that act in places: each file is read once and bound to the checkpoint in use.

    placed = PlacedLoras(cast, find)       # find: a LoRA's name to its file
    placed.regional(unet)                  # for the sampling passes
    with placed.encoding(loras, encoders): # while a prompt of their own place is encoded
        ...

torch is imported only when there is a LoRA.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_extend.errors import Message
from lib_extend.generation.cast import Cast
from lib_extend.generation.cast_lora import Lora
from lib_extend.generation.masks import shares

if TYPE_CHECKING:
    from lib_extend.generation.lora_weights import LoraWeights, Strengths
    from lib_extend.generation.regional_lora import RegionalLoras

NO_FILE = Message(
    "no_lora",
    "The LoRA {name} is not among the WebUI's: put its file into the folder of LoRAs, or take it out of the panel.",
)


class PlacedLoras:
    """A cast's LoRAs in places. False where there are none."""

    def __init__(self, cast: Cast, find: Callable[[str], Path | None]) -> None:
        self._cast = cast
        self._find = find
        self._read: dict[str, LoraWeights] = {}

    def __bool__(self) -> bool:
        return bool(self._cast.placed_loras)

    def forget(self) -> None:
        """Forgets the files' tensors."""
        self._read.clear()

    def regional(self, unet: Any) -> RegionalLoras:
        """All of them for a UNet.

        Raises:
            UserError: a file is not there, cannot be read, or does not fit the UNet.
        """
        from lib_extend.generation.lora_weights import Changes, bind_unet
        from lib_extend.generation.regional_lora import RegionalLoras

        characters = self._cast.characters
        of = shares([c.box for c in characters], [c.weight for c in characters], 0.0)
        by_place: dict[int, Changes] = {}
        for place, lora in self._cast.placed_loras:
            bound = bind_unet(self._weights(lora), strengths(lora), unet.named_modules())
            for module, changes in bound.items():
                by_place.setdefault(place, {}).setdefault(module, []).extend(changes)
        return RegionalLoras(of, by_place)

    @contextlib.contextmanager
    def encoding(self, loras: Sequence[Lora], encoders: Callable[[], Sequence[Any]]) -> Iterator[None]:
        """Inside this context, these LoRAs change the text encoders.

        Args:
            encoders: called only if a LoRA changes them: CLIP-L, for SDXL OpenCLIP-G behind it.
        """
        if not any(self._weights(lora).has_text for lora in loras):
            yield
            return
        from lib_extend.generation.lora_text_hooks import TextHooks
        from lib_extend.generation.lora_weights import bind_text

        found = encoders()
        bound = [bind_text(self._weights(lora), strengths(lora), found) for lora in loras]
        hooks = TextHooks(found, bound)
        try:
            yield
        finally:
            hooks.remove()

    def _weights(self, lora: Lora) -> LoraWeights:
        from lib_extend.generation.lora_weights import read_weights

        if lora.name not in self._read:
            path = self._find(lora.name)
            if path is None:
                raise NO_FILE.error(name=lora.name)
            self._read[lora.name] = read_weights(path, lora.name)
        return self._read[lora.name]


def strengths(lora: Lora) -> Strengths:
    """How strong a cast's LoRA is in each part of the checkpoint."""
    from lib_extend.generation.lora_weights import Strengths

    text = lora.weight if lora.text_weight is None else lora.text_weight
    return Strengths(lora.weight, text, lora.blocks)
