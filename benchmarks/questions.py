"""Questions about one picture: all on a shared prefix against one `generate` a question, in the same run.

    python -m benchmarks questions [--json] [--rounds 5] [--side 1024] [--threads N]

The model is a Qwen2-VL of about 30 million random parameters, made here, on the CPU: ratios are what
counts. The loop does what the reference system does: for each question the picture is processed and encoded
again, and the answer and the token that ends it are generated; each of the 40 is measured once, a few a
round, and costs the same whatever it asks. Ours runs the code that the product runs, from
the PIL picture to probabilities over all allowed answers. The questions are the built-in ones. The logits of
each answer's first token are compared between the two.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib_extend.questions.asking import prompt
from lib_extend.questions.builtin import BUILTIN
from lib_extend.records import Prompt

FEW, MANY = 12, 40
NEW_TOKENS = 2
"""Tokens generated an answer: itself and the end of the turn, the least that it takes."""


def main(argv: Sequence[str]) -> int:
    """Measures and prints a table; with `--json` one object on the last line. Returns the exit code."""
    parser = argparse.ArgumentParser("python -m benchmarks questions")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    parser.add_argument("--rounds", type=int, default=5, help="1 to 40; the median ratio of all counts")
    parser.add_argument("--side", type=int, default=1024, help="pixels of the picture's sides")
    parser.add_argument("--threads", type=int, default=0, help="torch's threads (default: its own choice)")
    options = parser.parse_args(argv)
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), options.side, min(max(1, options.rounds), MANY))
    print(f"{'':26}{FEW:>6} questions{MANY:>6} questions")
    for name, key in (("one generate a question", "generate"), ("on the shared prefix", "ours")):
        print(f"{name:26}{result[f'{key}_seconds_{FEW}']:14.2f} s{result[f'{key}_seconds_{MANY}']:14.2f} s")
    print(f"{'ratio':26}{result[f'ratio_{FEW}']:14.1f} ×{result[f'ratio_{MANY}']:14.1f} ×")
    print(
        f"largest difference of logits {result['max_logit_difference']:.1e}, of {result['logit_scale']:.1f}"
    )
    if options.json:
        print(json.dumps(result))
    return 0


def measure(folder: Path, side: int, rounds: int) -> dict[str, float]:
    """Seconds of both ways for 12 and 40 questions, their ratios and the difference of logits."""
    import torch

    from lib_extend.models.vlms.local import LocalVlm
    from lib_extend.models.vlms.prefix import PrefixEngine, PrefixLook

    build(folder)
    vlm = LocalVlm(folder, device="cpu")
    engine = vlm._engine
    assert isinstance(engine, PrefixEngine), vlm.device
    noise = np.random.default_rng(1).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)
    prompts = questions(MANY)
    look = vlm.look(image)
    look.ask(prompts)  # caches of spellings fill on both sides' account
    look.close()
    generate(engine, image, prompts[0])

    ours: dict[int, list[float]] = {FEW: [], MANY: []}
    plain: list[float] = []
    logits = []
    for turn in range(rounds):
        # Both ways in every round, so that whatever else this machine does meets both.
        start = time.perf_counter()
        part = prompts[turn * MANY // rounds : (turn + 1) * MANY // rounds]
        logits += [generate(engine, image, p) for p in part]
        plain.append((time.perf_counter() - start) / len(part))
        for count, seconds in ours.items():
            start = time.perf_counter()
            look = vlm.look(image)
            look.ask(prompts[:count])
            look.close()
            seconds.append(time.perf_counter() - start)
    packed = PrefixLook(engine, image).logits([(p.text, ()) for p in prompts])
    reference = torch.stack(logits)
    result = {
        "max_logit_difference": float((packed - reference).abs().max()),
        "logit_scale": float(reference.abs().max()),
    }
    for count, seconds in ours.items():
        result[f"generate_seconds_{count}"] = statistics.median(plain) * count
        result[f"ours_seconds_{count}"] = statistics.median(seconds)
        ratios = [one * count / all_ for one, all_ in zip(plain, seconds, strict=True)]
        result[f"ratio_{count}"] = statistics.median(ratios)
    return result


def generate(engine: Any, image: Image.Image, asked: Prompt) -> Any:
    """One `generate`, the picture and all; the logits (vocabulary,) of its first token."""
    import torch

    from lib_extend.models.vlms.plain import forget_positions

    forget_positions(engine.model)
    with torch.inference_mode():
        made = engine.model.generate(
            **engine.moved(engine.chat.inputs(image, asked.text)),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
    return made.logits[0][0].float()


def questions(count: int) -> list[Prompt]:
    """`count` of the built-in questions, kind after kind in turn."""
    things = {q.name: list(q.each or q.answers or ("",)) for q in BUILTIN}
    found: list[Prompt] = []
    turn = 0
    while len(found) < count:
        for question in BUILTIN:
            if turn < len(things[question.name]) and question.name != "floor_material":
                found.append(prompt(question, things[question.name][turn]))
        turn += 1
    return found[:count]


def build(folder: Path) -> None:
    """Writes the model's folder, in the layout of the published ones."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForImageTextToText

    from lib_extend.sketch.vlm_tokenizer import save_tokenizer

    save_tokenizer(_tokenizer(), folder)
    files: dict[str, dict[str, Any]] = {
        "config.json": {
            "model_type": "qwen2_vl",
            "architectures": ["Qwen2VLForConditionalGeneration"],
            "vocab_size": 2048,
            "hidden_size": 512,
            "intermediate_size": 2560,
            "num_hidden_layers": 8,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "max_position_embeddings": 8192,
            "rms_norm_eps": 1e-6,
            "rope_theta": 1e6,
            "rope_scaling": {"type": "mrope", "mrope_section": [8, 12, 12]},
            "tie_word_embeddings": True,
            "bos_token_id": 0,
            "eos_token_id": 2,
            "pad_token_id": 0,
            **{
                f"{n}_token_id": i + 3 for i, n in enumerate(("vision_start", "vision_end", "image", "video"))
            },
            "vision_config": {
                "depth": 4,
                "embed_dim": 128,
                "hidden_size": 512,
                "num_heads": 4,
                "patch_size": 14,
                "spatial_merge_size": 2,
                "temporal_patch_size": 2,
                "in_channels": 3,
                "in_chans": 3,
            },
        },
        "preprocessor_config.json": {
            "image_processor_type": "Qwen2VLImageProcessor",
            "processor_class": "Qwen2VLProcessor",
            "patch_size": 14,
            "merge_size": 2,
            "temporal_patch_size": 2,
            "min_pixels": 3136,
            "max_pixels": 12845056,
            "size": {"shortest_edge": 3136, "longest_edge": 12845056},
        },
        # No end token: every answer generates its NEW_TOKENS.
        "generation_config.json": {"eos_token_id": 2047, "pad_token_id": 0, "do_sample": False},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(folder))
    for value in model.parameters():
        # Large weights: logits then differ well above rounding, and so would a mistake.
        if value.dim() > 1:
            value.data.normal_(0, value.shape[-1] ** -0.5 if value.dim() == 2 else 0.02)
    weights = {
        n.replace("model.visual.", "visual.").replace("model.language_model.", "model."): v.contiguous()
        for n, v in model.state_dict().items()
        if n != "lm_head.weight"
    }
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})


def _tokenizer() -> Any:
    """One that knows the words of the questions and answers, as Qwen2's does."""
    from lib_extend.models.vlms.choices import spellings
    from lib_extend.sketch.vlm_tokenizer import learn_tokenizer

    asked = questions(MANY)
    answers = {s for p in asked for choice in p.choices for s in spellings(choice)}
    corpus = [p.text for p in asked] + sorted(answers) + ["system You are a helpful assistant.", "user"]
    return learn_tokenizer(corpus * 5, 2000)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
