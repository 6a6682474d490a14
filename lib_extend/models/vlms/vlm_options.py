"""Where a vision-language model is, and how it is to be loaded. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VlmSource:
    """Where a model is: `folder` with its files, or None and the `address` that a user wrote."""

    address: str
    folder: Path | None = None


@dataclass(frozen=True)
class VlmOptions:
    """What a vision-language model is loaded with: see `loading.load_vlm`."""

    device: str = "auto"
    offline: bool = False
    max_pixels: int = 1_048_576
    vlm_model: str = ""
    vram_limit: float | None = None
    four_bit: str = "auto"
    batch: int | None = None
