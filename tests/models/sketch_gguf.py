"""The sketch vision-language model as llama.cpp takes it: the language model and its eyes, a GGUF file each.

What llama.cpp's own converter does for a Qwen2-VL, without its list of known tokenizers, in which one made
here cannot be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file

SUFFIXES = (".weight", ".bias")


def convert(folder: Path, target: Path) -> tuple[Path, Path]:
    """Writes `model.gguf` and `mmproj.gguf` into `target` from a Qwen2-VL's `folder`; the two paths."""
    settings = _json(folder / "config.json")
    weights = load_file(folder / "model.safetensors")
    eyes = {n: w for n, w in weights.items() if n.startswith("visual.")}
    text, mmproj = target / "model.gguf", target / "mmproj.gguf"

    writer = gguf.GGUFWriter(str(text), "qwen2vl")
    _describe_text(writer, settings)
    _describe_tokens(writer, folder, settings)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2VL, settings["num_hidden_layers"])
    _write(writer, names, {n: w for n, w in weights.items() if n not in eyes}.items())

    writer = gguf.GGUFWriter(str(mmproj), "clip")
    _describe_eyes(writer, settings, _json(folder / "preprocessor_config.json"))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.MMPROJ, settings["vision_config"]["depth"])
    _write(writer, names, _split(eyes))
    return text, mmproj


def _describe_text(writer: Any, settings: dict[str, Any]) -> None:
    writer.add_name("sketch")
    writer.add_context_length(settings["max_position_embeddings"])
    writer.add_embedding_length(settings["hidden_size"])
    writer.add_block_count(settings["num_hidden_layers"])
    writer.add_feed_forward_length(settings["intermediate_size"])
    writer.add_head_count(settings["num_attention_heads"])
    writer.add_head_count_kv(settings["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(settings["rms_norm_eps"])
    writer.add_rope_freq_base(settings["rope_theta"])
    writer.add_rope_dimension_sections([*settings["rope_scaling"]["mrope_section"], 0])


def _describe_tokens(writer: Any, folder: Path, settings: dict[str, Any]) -> None:
    tokenizer = _json(folder / "tokenizer.json")
    special = {a["content"] for a in tokenizer["added_tokens"]}
    vocabulary = {a["content"]: a["id"] for a in tokenizer["added_tokens"]} | tokenizer["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    kinds = gguf.TokenType
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds.CONTROL if t in special else kinds.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(m) for m in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(settings["eos_token_id"])
    writer.add_pad_token_id(settings["pad_token_id"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(_json(folder / "chat_template.json")["chat_template"])


def _describe_eyes(writer: Any, settings: dict[str, Any], pictures: dict[str, Any]) -> None:
    vision = settings["vision_config"]
    writer.add_type(gguf.GGUFType.MMPROJ)
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(gguf.VisionProjectorType.QWEN2VL)
    writer.add_vision_use_silu(vision["hidden_act"] == "silu")
    writer.add_vision_image_size(round(pictures["max_pixels"] ** 0.5))
    writer.add_vision_patch_size(vision["patch_size"])
    writer.add_vision_spatial_merge_size(vision["spatial_merge_size"])
    writer.add_vision_embedding_length(vision["embed_dim"])
    writer.add_vision_feed_forward_length(vision["embed_dim"] * vision["mlp_ratio"])
    writer.add_vision_projection_dim(vision["hidden_size"])
    writer.add_vision_block_count(vision["depth"])
    writer.add_vision_head_count(vision["num_heads"])
    writer.add_vision_attention_layernorm_eps(1e-6)
    writer.add_vision_image_mean(pictures["image_mean"])
    writer.add_vision_image_std(pictures["image_std"])


def _split(eyes: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Query, key and value apart; the picture's two moments apart."""
    for name, weight in eyes.items():
        if ".qkv." in name:
            for part, piece in zip("qkv", np.split(weight, 3), strict=True):
                yield name.replace("qkv", part), piece
        elif "patch_embed" in name:
            yield "v.patch_embd.weight", weight[:, :, 0]
            yield "v.patch_embd.weight.1", weight[:, :, 1]
        else:
            yield name, weight


def _write(writer: Any, names: Any, weights: Any) -> None:
    """Everything in single precision, so that differences are not the format's."""
    for name, weight in weights:
        known = name if name.startswith("v.") else names.get_name(name, try_suffixes=SUFFIXES)
        if known is None:
            raise ValueError(f"GGUF has no name for {name}")
        writer.add_tensor(known, np.ascontiguousarray(weight, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _json(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value
