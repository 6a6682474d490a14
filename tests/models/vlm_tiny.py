"""Tiny random vision-language models in the folder format of the published ones, built in a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from lib_extend.sketch.vlm_tokenizer import SPECIAL, learn_tokenizer, save_tokenizer

ARCHITECTURES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")
WORDS = "how many is the color of what in image answer with one number yes no red blue cakes chair".split()


def available() -> list[str]:
    """Those of `ARCHITECTURES` that the installed transformers knows."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return [a for a in ARCHITECTURES if a in CONFIG_MAPPING_NAMES]


def build_tokenizer() -> Any:
    """Qwen2's byte-level BPE with some words of our questions as tokens of their own."""
    return learn_tokenizer([f"{w} {w}" for w in WORDS] * 20, 420)


def _config(kind: str, vocabulary: int) -> dict[str, Any]:
    text = {
        "vocab_size": vocabulary,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "rope_theta": 10000.0,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    tokens = {
        "image_token_id": 5,
        "video_token_id": 6,
        "vision_start_token_id": 3,
        "vision_end_token_id": 4,
    }
    if kind == "qwen3_vl":
        text["head_dim"] = 16
        text["rope_scaling"] = {"rope_type": "default", "mrope_section": [4, 2, 2], "mrope_interleaved": True}
        vision = {
            "depth": 3,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 64,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
        }
        return {
            "model_type": kind,
            "architectures": ["Qwen3VLForConditionalGeneration"],
            "text_config": {**text, "model_type": "qwen3_vl_text"},
            "vision_config": vision,
            "tie_word_embeddings": True,
            **tokens,
        }
    text["rope_scaling"] = {"type": "mrope", "mrope_section": [2, 3, 3]}
    vision = {"depth": 2, "num_heads": 2, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2}
    if kind == "qwen2_vl":
        # Rows of 64 and 128 numbers: bitsandbytes packs blocks of 64.
        text["intermediate_size"] = 128
        vision |= {"embed_dim": 64, "hidden_size": 64, "mlp_ratio": 2, "in_channels": 3, "in_chans": 3}
        name = "Qwen2VL"
    else:
        vision |= {
            "hidden_size": 32,
            "intermediate_size": 48,
            "out_hidden_size": 64,
            "window_size": 56,
            "fullatt_block_indexes": [1],
            "tokens_per_second": 2,
        }
        name = "Qwen2_5_VL"
    return {
        "model_type": kind,
        "architectures": [f"{name}ForConditionalGeneration"],
        **text,
        "vision_config": vision,
        **tokens,
    }


def build_folder(kind: str, folder: Path, *, max_pixels: int = 200_704, seed: int = 0) -> Path:
    """Writes a random model of the architecture `kind` and gives its folder."""
    from transformers import AutoConfig, AutoModelForImageTextToText

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer()
    save_tokenizer(tokenizer, folder)
    _json(folder / "config.json", _config(kind, tokenizer.get_vocab_size()))
    processor = {"qwen2_vl": "Qwen2VL", "qwen2_5_vl": "Qwen2_5_VL", "qwen3_vl": "Qwen3VL"}[kind]
    _json(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "Qwen2VLImageProcessor",
            "processor_class": f"{processor}Processor",
            "patch_size": 16 if kind == "qwen3_vl" else 14,
            "merge_size": 2,
            "temporal_patch_size": 2,
            "min_pixels": 3136,
            "max_pixels": max_pixels,
            "size": {"shortest_edge": 3136, "longest_edge": max_pixels},
        },
    )
    _json(
        folder / "generation_config.json",
        # Sampling defaults as the published models have them: greedy decoding must not mind.
        {"eos_token_id": [2, 0], "pad_token_id": 0, "do_sample": True, "temperature": 0.1, "top_p": 0.001,
         "top_k": 1, "repetition_penalty": 1.05},
    )  # fmt: skip
    torch.manual_seed(seed)
    model = AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(folder))
    for value in model.parameters():
        # Large weights: positions and masks must matter well above rounding.
        if value.dim() > 1:
            value.data.normal_(0, value.shape[-1] ** -0.5 if value.dim() == 2 else 0.05)
    _save(model, folder)
    return folder


def build_llava(folder: Path, *, text_only_template: bool = False) -> Path:
    """Writes a random LLaVA (a CLIP tower and a Llama): another architecture, whose template may take
    texts alone and put the picture's token itself, as JoyCaption's does."""
    from transformers import AutoConfig, AutoModelForImageTextToText

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    parts = (
        "<|image_pad|>{{ m['content'] }}"
        if text_only_template
        else "{% for p in m['content'] %}{% if p['type'] == 'image' %}<|image_pad|>{% else %}{{ p['text'] }}{% endif %}"
        "{% endfor %}"
    )
    template = (
        "{{ bos_token }}{% for m in messages %}<|im_start|>" + parts + "<|im_end|>{% endfor %}<|im_start|>"
    )
    _json(
        folder / "config.json",
        {
            "model_type": "llava",
            "architectures": ["LlavaForConditionalGeneration"],
            "image_token_index": 5,
            "vision_feature_select_strategy": "default",
            "vision_feature_layer": -2,
            "text_config": {
                "model_type": "llama", "vocab_size": tokenizer.get_vocab_size(), "hidden_size": 32,
                "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
                "num_key_value_heads": 2, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 0,
            },
            "vision_config": {
                "model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 48,
                "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 56, "patch_size": 14,
                "projection_dim": 32,
            },
        },
    )  # fmt: skip
    _json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "bos_token": "<|endoftext|>",
         "pad_token": "<|endoftext|>", "additional_special_tokens": list(SPECIAL[1:]), "chat_template": template},
    )  # fmt: skip
    _json(folder / "chat_template.json", {"chat_template": template})
    _json(
        folder / "processor_config.json",
        {"processor_class": "LlavaProcessor", "patch_size": 14, "vision_feature_select_strategy": "default",
         "image_token": "<|image_pad|>", "num_additional_image_tokens": 1},
    )  # fmt: skip
    _json(
        folder / "preprocessor_config.json",
        {"image_processor_type": "CLIPImageProcessor", "processor_class": "LlavaProcessor",
         "size": {"height": 56, "width": 56}, "do_center_crop": False},
    )  # fmt: skip
    _json(folder / "generation_config.json", {"eos_token_id": 2, "pad_token_id": 0})
    torch.manual_seed(0)
    AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(
        folder / "saved", safe_serialization=True
    )
    (folder / "saved" / "model.safetensors").rename(folder / "model.safetensors")
    return folder


def _save(model: Any, folder: Path) -> None:
    """Only the weights; the configuration stays the hand-written one, which every release reads."""
    from safetensors.torch import save_file

    flat = model.config.model_type != "qwen3_vl"
    weights = {}
    for name, value in model.state_dict().items():
        if flat:  # the published names of Qwen2-VL and 2.5
            name = name.replace("model.visual.", "visual.").replace("model.language_model.", "model.")
        if name != "lm_head.weight":
            weights[name] = value.detach().contiguous()
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
