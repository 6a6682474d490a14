"""Weights in 4 bits (NF4, by bitsandbytes): a third of the memory, where an NVIDIA card is short of it."""

from __future__ import annotations

import importlib.util
from typing import Any

SHARE = 0.4
"""Of the bytes in bfloat16: 9 of 32 bits with the scales, and embeddings and head as they are."""


def obstacle(*, cuda: bool) -> str:
    """Why models cannot be loaded in 4 bits here, "" when they can."""
    if not cuda:
        return "4-bit needs an NVIDIA card"
    missing = [name for name in ("bitsandbytes", "accelerate") if importlib.util.find_spec(name) is None]
    if missing:
        return f"4-bit is not available, for {' and '.join(missing)} is not installed where the models run"
    return ""


def decide(wanted: str, needed: int, allowed: int | None, hindrance: str) -> tuple[bool, str]:
    """Whether to load in 4 bits, and what there is to say about it ("" where nothing).

    Args:
        wanted: "yes", "no", or "auto": only where the model would not fit otherwise.
        needed: bytes of the weights in 16 bits.
        allowed: bytes the model may take, None where it does not matter.
        hindrance: see `obstacle`.
    """
    short = allowed is not None and needed > allowed
    if wanted == "no" or (wanted == "auto" and not short):
        return False, ""
    if hindrance:
        return False, hindrance
    return True, "in 4-bit" if wanted == "yes" else "in 4-bit, to fit into the memory allowed"


def options(dtype: Any) -> dict[str, Any]:
    """What `from_pretrained` needs to load in 4 bits onto the card, computing in `dtype`."""
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)
    return {"quantization_config": config, "device_map": {"": 0}}
