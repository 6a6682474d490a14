"""Random dart models of a few thousand weights, in the layouts of the real ones."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

MARKS_V1 = (
    "<|bos|> <|eos|> <|pad|> <|unknown|> <rating> </rating> <copyright> </copyright> <character> </character> <general> "
    "</general> <|input_end|> <|very_short|> <|short|> <|long|> <|very_long|>"
).split()
MARKS_V2 = (
    "<|bos|> <|eos|> <|pad|> <|unk|> <copyright> </copyright> <character> </character> <general> </general> <|input_end|> "
    "<|rating:sfw|> <|rating:general|> <|rating:nsfw|> <|aspect_ratio:tall|> <|aspect_ratio:wide|> <|aspect_ratio:square|> "
    "<|length:very_short|> <|length:short|> <|length:long|> <|length:very_long|> <|identity:none|>"
).split()
RATINGS = [f"rating:{word}" for word in ("sfw", "nsfw", "general", "explicit")]
TAGS = (
    (
        "1girl,2girls,1boy,solo,black hair,blonde hair,red hair,long hair,short hair,blue eyes,hat,white hat,smile,cake,"
        "table,tree,indoors,outdoors,>_<,<|>_<|>,o_o,hatsune miku,vocaloid,chair,window,dress,ribbon,bow,shoes,cat,dog,bird,"
        "flower,sky,cloud,moon,star \\(sky\\),book,cup,sitting,standing,open mouth,night,day"
    )
    .replace("\\", "")
    .split(",")
)


def tokenizer(folder: Path, marks: list[str]) -> list[str]:
    """Saves `tokenizer.json` with code of its own named beside it; returns the tokens by id."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    words = [*marks, *(RATINGS if marks is MARKS_V1 else ()), *TAGS]
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token=marks[3]))
    made.pre_tokenizer = pre_tokenizers.Split(", ", "removed")
    made.add_special_tokens([AddedToken(mark, normalized=False) for mark in marks])
    made.save(str(folder / "tokenizer.json"))
    own = {
        "tokenizer_class": "DartTokenizer",
        "auto_map": {"AutoTokenizer": ["tokenization_dart.DartTokenizer"] * 2},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(own), encoding="utf-8")
    return words


def second(folder: Path, mixture: bool) -> Any:
    """A Mistral or a Mixtral."""
    from transformers import MistralConfig, MistralForCausalLM, MixtralConfig, MixtralForCausalLM

    words = tokenizer(folder, MARKS_V2)
    torch.manual_seed(3)
    common: dict[str, Any] = {
        "vocab_size": len(words), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 48, "max_position_embeddings": 128, "bos_token_id": 0,
        "eos_token_id": 1, "pad_token_id": 2,
    }  # fmt: skip
    model = (
        MixtralForCausalLM(MixtralConfig(**common, num_local_experts=4))
        if mixture
        else MistralForCausalLM(MistralConfig(**common))
    ).eval()
    model.save_pretrained(folder)
    return model


def first(folder: Path) -> Any:
    """An OPT, as ONNX with a cache (`model.onnx`); returns the model of transformers."""
    from transformers import OPTConfig, OPTForCausalLM

    words = tokenizer(folder, MARKS_V1)
    torch.manual_seed(3)
    config = OPTConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64,
        word_embed_proj_dim=32, max_position_embeddings=128, bos_token_id=0, eos_token_id=1, pad_token_id=2,
    )  # fmt: skip
    model = OPTForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.2)
    config.save_pretrained(folder)
    export(model, folder / "model.onnx")
    return model


class _Plain(nn.Module):
    """The same in plain steps, the cache as arguments, so that it can be traced."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.inner, self.head = model.model.decoder, model.lm_head

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, *past: torch.Tensor) -> tuple[torch.Tensor, ...]:
        places = mask.cumsum(1) * mask - 1
        before, length = past[0].shape[2], ids.shape[1]
        x = self.inner.embed_tokens(ids) + self.inner.embed_positions.weight[places[:, before:] + 2]
        total = before + length
        rows = torch.arange(total)[before:, None]
        hidden = (
            torch.where(torch.arange(total)[None] > rows, -1e9, 0.0)
            + (1.0 - mask[:, None, None].float()) * -1e9
        )
        present: list[torch.Tensor] = []
        for at, layer in enumerate(self.inner.layers):
            heads = layer.self_attn
            y = layer.self_attn_layer_norm(x)
            shape = (ids.shape[0], -1, heads.num_heads, heads.head_dim)
            q, k, v = (p(y).view(shape).transpose(1, 2) for p in (heads.q_proj, heads.k_proj, heads.v_proj))
            k, v = torch.cat([past[2 * at], k], 2), torch.cat([past[2 * at + 1], v], 2)
            present += [k, v]
            weight = torch.softmax(q @ k.transpose(2, 3) * heads.head_dim**-0.5 + hidden, -1)
            x = x + heads.out_proj(
                (weight @ v).transpose(1, 2).reshape(ids.shape[0], -1, heads.num_heads * heads.head_dim)
            )
            x = x + layer.fc2(torch.relu(layer.fc1(layer.final_layer_norm(x))))
        return (self.head(self.inner.final_layer_norm(x)), *present)


def export(model: Any, file: Path) -> None:
    """As Optimum exports it: the cache's names, and its first axis and third free."""
    config = model.config
    past = [
        f"past_key_values.{i}.{kind}" for i in range(config.num_hidden_layers) for kind in ("key", "value")
    ]
    present = [name.replace("past_key_values", "present") for name in past]
    empty = torch.zeros(2, config.num_attention_heads, 3, config.hidden_size // config.num_attention_heads)
    axes = {"input_ids": {0: "batch", 1: "length"}, "attention_mask": {0: "batch", 1: "total"}}
    axes |= {name: {0: "batch", 2: "past"} for name in past}
    axes |= {name: {0: "batch", 2: "total"} for name in present} | {"logits": {0: "batch", 1: "length"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter that needs no further package
        torch.onnx.export(
            _Plain(model).eval(),  # the export sets all of it back to this
            (torch.zeros(2, 4, dtype=torch.long), torch.ones(2, 7, dtype=torch.long), *[empty] * len(past)),
            str(file),
            input_names=["input_ids", "attention_mask", *past],
            output_names=["logits", *present],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
