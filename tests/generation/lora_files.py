"""LoRA files as sd-scripts writes them, a few hundred bytes each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save

KOHYA = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight"
SEPARATION_TAGS = {"1_A": {"2girls": 9, "α black hair": 5, "β white hair": 4, "indoors": 3}}
BACKGROUND_TAGS = {"1_A": {"1girl": 9, "2cakes": 3, "wooden floor": 3}}


def lora(width: int = 2048, name: str = KOHYA, seed: int = 0, **metadata: str) -> bytes:
    """A file's bytes; `width` are the channels of the text conditioning."""
    weights = np.random.default_rng(seed).standard_normal((2, width)).astype(np.float16)
    return save({name: weights, "lora_unet_out_0.alpha": np.array([1], np.float32)}, metadata or None)


def published(images: int, tags: dict[str, dict[str, int]], **metadata: str) -> dict[str, str]:
    """The metadata that the published LoRAs are said to have."""
    return {
        "ss_base_model_version": "sdxl_base_v1-0",
        "ss_dataset_dirs": json.dumps({"1_A": {"n_repeats": 1, "img_count": images}}),
        "ss_num_train_images": str(images),
        "ss_tag_frequency": json.dumps(tags),
        **metadata,
    }


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
