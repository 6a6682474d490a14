"""Loading a Qwen2-VL folder with transformers' own Auto classes, as any other model of that kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib_extend.models.vlms.chat import load_processor
from lib_extend.models.vlms.folders import temperature

__all__ = ["load_model", "load_processor", "temperature"]


def load_model(directory: Path) -> Any:
    """The folder's model in float32 on the CPU, ready to answer."""
    import torch
    import transformers
    from transformers import AutoModelForImageTextToText

    # 4.x knows the argument by its older name only.
    name = "dtype" if int(transformers.__version__.split(".")[0]) >= 5 else "torch_dtype"
    return AutoModelForImageTextToText.from_pretrained(directory, **{name: torch.float32}).eval()
