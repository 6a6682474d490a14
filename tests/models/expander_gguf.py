"""A small LLaMA with a SentencePiece tokenizer as one GGUF file: what llama.cpp's own converter makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file


def convert(folder: Path, target: Path, architecture: str = "llama") -> Path:
    """Writes `model.gguf` into `target` from the model of `folder`; its path."""
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = load_file(folder / "model.safetensors")
    out = target / "model.gguf"
    heads = settings["num_attention_heads"]
    writer = gguf.GGUFWriter(str(out), architecture)
    writer.add_name("sketch")
    writer.add_context_length(settings["max_position_embeddings"])
    writer.add_embedding_length(settings["hidden_size"])
    writer.add_block_count(settings["num_hidden_layers"])
    writer.add_feed_forward_length(settings["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(settings["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(settings["rms_norm_eps"])
    writer.add_rope_dimension_count(settings["hidden_size"] // heads)
    writer.add_vocab_size(settings["vocab_size"])
    _describe_tokens(writer, folder)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, settings["num_hidden_layers"])
    for name, weight in weights.items():
        weight = weight.astype(np.float32)
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            # llama.cpp turns neighbouring pairs, transformers the two halves
            rows, columns = weight.shape
            weight = (
                weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
            )
        known = names.get_name(name, try_suffixes=(".weight",))
        assert known is not None, name
        writer.add_tensor(known, np.ascontiguousarray(weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def _describe_tokens(writer: Any, folder: Path) -> None:
    from sentencepiece import SentencePieceProcessor

    pieces = SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    kinds = gguf.TokenType
    tokens, scores, types = [], [], []
    for i in range(pieces.get_piece_size()):
        tokens.append(pieces.id_to_piece(i).encode())
        scores.append(pieces.get_score(i))
        kind = kinds.BYTE if pieces.is_byte(i) else kinds.CONTROL if pieces.is_control(i) else kinds.NORMAL
        types.append(kinds.UNKNOWN if pieces.is_unknown(i) else kind)
    added = json.loads((folder / "added_tokens.json").read_text(encoding="utf-8"))
    for token in sorted(added, key=added.__getitem__):
        tokens.append(token.encode())
        scores.append(-1000.0)
        types.append(kinds.CONTROL)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(True)
