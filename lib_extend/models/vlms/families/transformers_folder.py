"""Folders in transformers' format: `config.json`, `*.safetensors`, a tokenizer and a processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_extend.models.family import LATE, Family
from lib_extend.models.vlms.vlm_options import VlmOptions, VlmSource

if TYPE_CHECKING:
    from lib_extend.models.ports import Vlm


def recognises(source: VlmSource) -> bool:
    """Whether it may be one: any folder; `load` says what is amiss."""
    return source.folder is not None


def load(source: VlmSource, options: VlmOptions) -> Vlm:
    """The model of the folder. Raises ModelError."""
    from lib_extend.models.vlms.local import LocalVlm

    assert source.folder is not None
    return LocalVlm(
        source.folder,
        device=options.device,
        max_pixels=options.max_pixels,
        batch=options.batch,
        vram_limit=options.vram_limit,
        four_bit=options.four_bit,
    )


FAMILY = Family(recognises, load, LATE)
