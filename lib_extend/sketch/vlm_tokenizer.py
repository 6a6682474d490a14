"""The sketch model's tokenizer: Qwen2's byte-level BPE with a vocabulary of under a thousand entries.

Normalisation (NFC), splitting and special tokens are Qwen2's own, so every release of transformers that
loads a Qwen2-VL loads this one. All 256 bytes are in the vocabulary: any text can be encoded. Every
answer word is one token, so that an answer's probability is one number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
"""The special tokens; their ids are 0, 1, 2 … in this order."""

_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "{% endif %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n"
    "{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}"
    "<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif content['type'] == 'video' or 'video' in content %}"
    "<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Qwen2-VL's chat template, without the numbering of several images."""


def build_tokenizer(corpus: Iterable[str], words: Iterable[str], size: int) -> Any:
    """A `tokenizers.Tokenizer` of at most `size` entries, learned from `corpus`.

    `words` are made single tokens both at the start of a text and after a space; `size` must leave
    room for them (ValueError otherwise).
    """
    words = ["system", "user", "assistant", *words]
    # The words are heard more often than anything else, so their merges are found first.
    heard = [w for word in words for w in (word, f" {word}") for _ in range(200)]
    tokenizer = learn_tokenizer([*corpus, *heard], size)
    for word in words:
        for spelled in (word, f" {word}"):
            # Spaces and digits are split off a digit, as in Qwen2.
            if len(tokenizer.encode(spelled).ids) != (2 if spelled[0] == " " and word.isdigit() else 1):
                raise ValueError(f"a vocabulary of {size} leaves no room for {spelled!r}")
    return tokenizer


def learn_tokenizer(corpus: Iterable[str], size: int) -> Any:
    """Qwen2's kind of `tokenizers.Tokenizer` with at most `size` entries, learned from `corpus` alone."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=[AddedToken(s, special=True, normalized=False) for s in SPECIAL],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def save_tokenizer(tokenizer: Any, directory: Path) -> None:
    """Writes `tokenizer.json`, `tokenizer_config.json` and `chat_template.json`."""
    tokenizer.save(str(directory / "tokenizer.json"))
    added = {
        str(tokenizer.token_to_id(s)): {
            "content": s,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
        for s in SPECIAL
    }
    settings = {
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "additional_special_tokens": list(SPECIAL[1:]),
        "bos_token": None,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": 8192,
        "pad_token": "<|endoftext|>",
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    write_json(directory / "tokenizer_config.json", settings)
    write_json(directory / "chat_template.json", {"chat_template": CHAT_TEMPLATE})


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON with sorted keys."""
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
