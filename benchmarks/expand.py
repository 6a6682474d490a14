"""Eight drafts of one prompt: in one batch, one after the other, and by a plain `generate` loop.

    python -m benchmarks expand [--json] [--drafts 8] [--rounds 3] [--hidden 768 --layers 20]

The plain loop is what the usual extension does: a whole text is generated, banned and repeated tags are thrown away, and
where it is too short the whole prompt is read again with what is left behind it. All three draw with the same settings
and want the same number of tags; medians of the rounds, the ways one after the other in each.

The built-in model is small. `--hidden` and `--layers` take a random one of another size (768 and 20 are TIPO-200M's),
whose tags are nonsense: then every draft runs over the same number of tokens in all three ways.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lib_extend.models.expanders.drafting import write
from lib_extend.models.expanders.language_model import LanguageModel, load
from lib_extend.models.expanders.written_draft import TAGS, Plan
from lib_extend.models.registry import SKETCH
from lib_extend.prompt_expansion import Given, Sampling, Wish, heard

PROMPT = "rating: safe\nquality: masterpiece\naspect ratio: 1.0\ntarget: <|short|>\ntag: 1girl, solo, cake,"
GIVEN = Given(people=("1girl", "solo"), general=("cake",))
THERE = frozenset(GIVEN.tags)
LEAST, MOST = 18, 24
TOKENS = 48
"""Of each draft of a random model."""
RETRIES = 10


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks expand")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--drafts", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=0)
    parser.add_argument("--layers", type=int, default=20)
    args = parser.parse_args(argv)
    result = measure(args.drafts, args.rounds, args.hidden, args.layers)
    one, each, plain = (result[n] for n in ("batch", "calls", "plain"))
    print(f"{args.drafts} drafts in one batch:      {one:.2f} s")
    print(f"{args.drafts} calls:                    {each:.2f} s, {each / one:.1f} times as long")
    print(f"a plain generate loop:       {plain:.2f} s, {plain / one:.1f} times as long")
    if args.json:
        print(json.dumps(result))
    return 0


def measure(drafts: int, rounds: int, hidden: int, layers: int) -> dict[str, float]:
    """Median seconds of each way."""
    model = load(SKETCH / "expander", "cpu")
    if hidden:
        model = _random(model, hidden, layers)
    banned: Callable[[str], bool] = (lambda name: False) if hidden else (lambda name: name.endswith("_hair"))
    most = 10_000 if hidden else MOST
    plan = Plan(PROMPT, (TAGS,), len(THERE), most if hidden else LEAST, most)
    sampling = Sampling(most_tokens=TOKENS if hidden else 512)

    def wish(seed: int, count: int) -> Wish:
        return Wish(GIVEN, sampling=replace(sampling, seed=seed), drafts=count, banned=banned)

    ways: dict[str, Callable[[int], object]] = {
        "batch": lambda seed: write(model, plan, wish(seed, drafts)),
        "calls": lambda seed: [write(model, plan, wish(seed + n, 1)) for n in range(drafts)],
        "plain": lambda seed: [
            _plain(model, sampling, seed + n, banned, bool(hidden)) for n in range(drafts)
        ],
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way(100 * turn)
            if turn:  # the first round warms up
                taken[name].append(time.perf_counter() - began)
    result = {name: statistics.median(seconds) for name, seconds in taken.items()}
    return {**result, "drafts": drafts, "speedup": result["calls"] / result["batch"]}


def _plain(
    model: LanguageModel, sampling: Sampling, seed: int, banned: Callable[[str], bool], one_pass: bool
) -> list[str]:
    """One draft by `generate`, fed back to itself until it is long enough."""
    import torch

    tags: list[str] = []
    for attempt in range(1 if one_pass else RETRIES):
        torch.manual_seed(seed + attempt)
        text = PROMPT + (" " + ", ".join(t.replace("_", " ") for t in tags) + "," if tags else "")
        ids = torch.tensor([model.encode(text)])
        made = model.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            max_new_tokens=sampling.most_tokens,
            min_new_tokens=sampling.most_tokens if one_pass else None,
            pad_token_id=model.end,
        )
        said = map(heard, model.decode(made[0, ids.shape[1] :].tolist()).split(","))
        tags = list(dict.fromkeys([*tags, *(t for t in said if t and t not in THERE and not banned(t))]))
        if len(tags) + len(THERE) >= LEAST:
            break
    return tags


def _random(model: LanguageModel, hidden: int, layers: int) -> LanguageModel:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config: dict[str, Any] = model.model.config.to_dict()
    changed = {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // 64,
        "num_key_value_heads": hidden // 64,
        "head_dim": 64,
        "intermediate_size": hidden * 3,
    }
    other = LlamaForCausalLM(LlamaConfig(**{**config, **changed})).eval()
    return LanguageModel(other, model.tokenizer, "random", model.context)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
