"""The graphics card's memory: what a model may take of it, and how many pictures fit into one pass.

The card may be a WebUI's too, whose own model needs room for its pictures. So a part is always left
(`reserve`), or the user says how much may be taken (`vram_limit`), which torch then keeps to. What a pass will
need is estimated with room to spare; where the estimate was wrong, the pass runs out of memory and is
done in halves (`batcher`).
"""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

GIB = 2**30

WORKING = GIB
"""Bytes a model needs besides its weights: enough for a picture of a megapixel."""

NO_ROOM = (
    "The memory did not suffice for the vision-language model: lower max_pixels, choose a smaller model or "
    "close other programs that use the graphics card."
)

_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, the card's or the machine's, did not suffice."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)


def give_back() -> None:
    """Hands memory that nothing uses any more back to the card."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def free_ram() -> int | None:
    """Bytes of the machine's memory that programs may still take, None where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return _windows_ram() if sys.platform == "win32" else None


def _windows_ram() -> int | None:
    import ctypes

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
        )

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined,unused-ignore]
        return None
    return int(status.free)


def reserve(total: int) -> int:
    """Bytes of a card of `total` bytes that are left to others where no limit is set: an eighth, at least 2 GiB."""
    return max(2 * GIB, total // 8)


def allowance(free: int, total: int, limit: int | None) -> int:
    """Bytes of a card that a model not yet loaded may take.

    Args:
        free, total: bytes of the card.
        limit: the most it may take; None leaves `reserve` to others.
    """
    return max(0, free - reserve(total) if limit is None else min(free, limit))


@dataclass(frozen=True)
class Card:
    """The card a model is on.

    Attributes:
        limit: bytes that torch may take of it; None leaves `reserve` to others.
    """

    limit: int | None = None

    @classmethod
    def of(cls, gigabytes: float | None) -> Card:
        """From a limit in GB (2³⁰ bytes)."""
        return cls(None if gigabytes is None else int(gigabytes * GIB))

    def hold(self) -> None:
        """Have torch keep to the limit, or to none, from now on: beyond it, it is out of memory."""
        total = torch.cuda.mem_get_info()[1]
        share = 1.0 if self.limit is None else min(1.0, self.limit / total)
        torch.cuda.set_per_process_memory_fraction(share)

    def room(self) -> int:
        """Bytes that may still be taken, those included that torch holds and does not use."""
        free, total = torch.cuda.mem_get_info()
        used = torch.cuda.memory_allocated()
        unused = torch.cuda.memory_reserved() - used
        if self.limit is None:
            return max(0, free + unused - reserve(total))
        return max(0, min(free + unused, self.limit - used))


def bytes_per_token(config: Any, width: int) -> int:
    """Bytes that one token of a picture's prompt needs while it is encoded and asked about: an estimate.

    Keys and values twice (a picture's own and those of the pass it takes part in); of the text model and of
    the vision model, which run one after the other, the wider layer's states, once over for what is being
    computed; and the mask of a prompt of 2048 tokens.

    Args:
        config: transformers' configuration of a Qwen model.
        width: bytes of a number.
    """
    text, vision = getattr(config, "text_config", config), config.vision_config
    heads = text.num_attention_heads
    size = getattr(text, "head_dim", None) or text.hidden_size // heads
    kept = 2 * 2 * text.num_hidden_layers * text.num_key_value_heads * size
    # Input and residual of a layer, queries, keys and values of all heads, the three of the gated product.
    language = 4 * text.hidden_size + 4 * heads * size + 3 * text.intermediate_size
    inside = getattr(vision, "embed_dim", None) or vision.hidden_size
    wide = getattr(vision, "intermediate_size", None) or int(inside * getattr(vision, "mlp_ratio", 4))
    patches = vision.spatial_merge_size**2
    pixels = 3 * vision.temporal_patch_size * vision.patch_size**2
    seeing = patches * (8 * inside + 2 * wide + 2 * pixels)
    mask = 2 * 2048
    return int(width * (kept + 2 * max(language, seeing) + mask))
