"""Training the sketch expander: a LLaMA of about a million parameters with a SentencePiece tokenizer of its own.

The files are laid out as TIPO's and DanTagGen's are: `tokenizer.model` and `added_tokens.json`, no `tokenizer.json`;
weights in half precision.
"""

from __future__ import annotations

import io
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from lib_extend.sketch.expander_data import ADDED_TOKENS, END, texts

PIECES = 900
HIDDEN, LAYERS, HEADS, INNER = 160, 3, 5, 432
CONTEXT = 1024
BATCH, RATE, WARM_UP = 24, 3e-3, 100
_LEARNED_FROM = 4000
"""Texts from which the tokenizer is learned."""


def train_expander(
    out: Path, *, steps: int, seed: int, log: Callable[[str], None] = print, threads: int | None = None
) -> None:
    """Train and save into `out`, in transformers' layout. Takes about a second a step on one slow core."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    write_tokenizer(out, seed)
    tokenizer = AutoTokenizer.from_pretrained(out)
    config = LlamaConfig(
        vocab_size=PIECES + len(ADDED_TOKENS),
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=INNER,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    began, shown = time.monotonic(), 0.0
    for step, (ids, mask) in enumerate(itertools.islice(_batches(tokenizer, seed), steps)):
        labels = ids.masked_fill(mask == 0, -100)
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        shown = 0.98 * shown + 0.02 * loss.item() if step else loss.item()
        if step % 50 == 0 or step == steps - 1:
            log(f"expander {step + 1}/{steps}: loss {shown:.3f}, {time.monotonic() - began:.0f} s")
    model.half().save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)


def write_tokenizer(out: Path, seed: int) -> None:
    """`tokenizer.model` learned from the texts, and the files that name the added tokens."""
    import sentencepiece

    plain = []
    for text in itertools.islice(texts(seed), _LEARNED_FROM):
        for token in (*ADDED_TOKENS, END):
            text = text.replace(token, "")
        plain += text.split("\n")
    learned = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(plain),
        model_writer=learned,
        vocab_size=PIECES,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    (out / "tokenizer.model").write_bytes(learned.getvalue())
    added = {token: PIECES + i for i, token in enumerate(ADDED_TOKENS)}
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>"}
    decoder = {
        str(id): {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
        for t, id in {"<unk>": 0, "<s>": 1, "</s>": 2, **added}.items()
    }  # fmt: skip
    config: dict[str, Any] = {
        "tokenizer_class": "LlamaTokenizer",
        "add_bos_token": True,
        "add_eos_token": False,
        "legacy": False,
        "model_max_length": CONTEXT,
        "added_tokens_decoder": decoder,
        **special,
    }
    for name, value in (
        ("added_tokens.json", added),
        ("special_tokens_map.json", special),
        ("tokenizer_config.json", config),
    ):
        (out / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _batches(tokenizer: Any, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Token ids and mask, int64 [batch, longest]. Texts of like length go together, so that little is padding."""
    source = texts(seed)
    while True:
        rows = [
            [1, *tokenizer(text, add_special_tokens=False).input_ids][:CONTEXT]
            for text in itertools.islice(source, BATCH * 16)
        ]
        rows.sort(key=len)
        parts = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
        order = torch.randperm(len(parts)).tolist()
        for i in order:
            longest = max(map(len, parts[i]))
            ids = torch.tensor([[*row, *[2] * (longest - len(row))] for row in parts[i]])
            mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in parts[i]])
            yield ids, mask


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate: warm-up, then a straight line down to a twentieth."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    return max(0.05, (steps - step) / max(1, steps - WARM_UP))
