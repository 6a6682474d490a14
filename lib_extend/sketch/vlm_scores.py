"""Measure how well a sketch vision-language model answers, and how well its probabilities are calibrated.

The model is loaded by transformers' Auto classes and its scores of the allowed answers are compared; asked
plainly, one question at a time behind a picture, or all questions of a picture at once.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lib_extend.sketch.folder import read_truth
from lib_extend.sketch.scores import on_white
from lib_extend.sketch.vlm_data import SYSTEM, pack
from lib_extend.sketch.vlm_loading import load_model, load_processor, temperature
from lib_extend.sketch.vlm_model import MERGE, visual_tokens
from lib_extend.sketch.vlm_questions import CHOICES, TAUGHT, Asking, examination
from lib_extend.sketch.vlm_tokenizer import write_json
from lib_extend.sketch.vlm_training import answer_scores


@dataclass(frozen=True)
class Answered:
    """One question with the model's scores: `logits` of the kind's `CHOICES`, in their order."""

    asking: Asking
    logits: tuple[float, ...]

    def probabilities(self, heat: float) -> Any:
        """The choices' probabilities at temperature `heat` (> 0), float64 (choices,)."""
        scores = np.array(self.logits, np.float64) / heat
        weights = np.exp(scores - scores.max())
        return weights / weights.sum()

    @property
    def answer(self) -> str:
        """The likeliest choice."""
        return CHOICES[self.asking.kind][int(np.argmax(self.logits))]

    @property
    def right(self) -> bool:
        return self.answer == self.asking.answer


@dataclass(frozen=True)
class VlmScores:
    """All answers to an examination; `heat` is the temperature of the probabilities."""

    answered: tuple[Answered, ...]
    heat: float

    def accuracy(self) -> dict[str, tuple[int, int]]:
        """Kind → (right, asked). Counts from 1 up, counts of absent objects, colors of absent
        objects and the materials stand apart."""
        totals: dict[str, tuple[int, int]] = {}
        for a in self.answered:
            kind = a.asking.kind
            if a.asking.answer in ("0", "none"):
                kind = f"{kind} (absent)"
            right, asked = totals.get(kind, (0, 0))
            totals[kind] = right + a.right, asked + 1
        return totals

    def reliability(self, bins: int = 10) -> list[tuple[float, float, int]]:
        """(mean probability of the answer, share that is right, how many) for each filled bin."""
        filled: dict[int, list[tuple[float, bool]]] = {}
        for a in self.answered:
            sure = float(a.probabilities(self.heat).max())
            filled.setdefault(min(bins - 1, int(sure * bins)), []).append((sure, a.right))
        return [
            (sum(p for p, _ in pairs) / len(pairs), sum(r for _, r in pairs) / len(pairs), len(pairs))
            for _, pairs in sorted(filled.items())
        ]

    def calibration_error(self, bins: int = 10) -> float:
        """The expected calibration error, 0…1."""
        table = self.reliability(bins)
        total = sum(n for _, _, n in table)
        return sum(abs(p - r) * n for p, r, n in table) / max(1, total)

    def table(self) -> str:
        """Some lines to print."""
        lines = [
            f"  {kind:18} {right / asked:6.1%}  ({right} of {asked})"
            for kind, (right, asked) in sorted(self.accuracy().items())
        ]
        lines.append(f"  calibration error {self.calibration_error():.4f} at temperature {self.heat:.3f}")
        return "\n".join(lines)


class Examiner:
    """A model folder with the means to ask it, loaded as any other model is."""

    def __init__(self, model_dir: Path) -> None:
        self.processor = load_processor(model_dir)
        self.model = load_model(model_dir)
        tokenizer = self.processor.tokenizer
        self.tokens = {
            kind: [tokenizer(c, add_special_tokens=False).input_ids for c in choices]
            for kind, choices in CHOICES.items()
        }
        if any(len(ids) != 1 for lists in self.tokens.values() for ids in lists):
            raise ValueError("an answer is not one token: not a sketch model")
        self.vocabulary = (model_dir / "tokenizer.json").read_text(encoding="utf-8")
        self.system = torch.tensor(tokenizer(SYSTEM, add_special_tokens=False).input_ids)

    def ask(self, image: Image.Image, asked: Sequence[Asking]) -> list[Answered]:
        """Asks each question alone, picture and all, through transformers' own code."""
        answers = []
        for asking in asked:
            content = [{"type": "image"}, {"type": "text", "text": asking.text}]
            prompt = self.processor.apply_chat_template(
                [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
            )
            inputs = self.processor(text=[prompt], images=[image], return_tensors="pt")
            with torch.inference_mode():
                answers.append(self._answered(asking, self.model(**inputs).logits[0, -1]))
        return answers

    def ask_packed(self, image: Image.Image, asked: Sequence[Asking]) -> list[Answered]:
        """The same scores to a rounding error, the picture looked at once: for large examinations."""
        seen = self.processor.image_processor(images=[image], return_tensors="pt")
        high, wide = seen["image_grid_thw"][0, 1:].tolist()
        grid = high // MERGE, wide // MERGE
        flat = seen["pixel_values"].view(1, high * wide, 3, 2, -1)[:, :, :, 0].flatten(2)
        with torch.inference_mode():
            tokens = visual_tokens(self.model.model.visual, flat, grid)
            batch = pack(self.vocabulary, [list(asked)])
            scores = answer_scores(self.model, batch, tokens, grid, self.system)[0, :, 0]
        return [self._answered(a, s) for a, s in zip(asked, scores, strict=True)]

    def _answered(self, asking: Asking, scores: Tensor) -> Answered:
        return Answered(asking, tuple(float(scores[ids[0]]) for ids in self.tokens[asking.kind]))


def evaluate_vlm(
    model_dir: Path,
    rows: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    seed: int = 0,
    packed: bool = False,
) -> VlmScores:
    """Examines the model on drawn pictures: `rows` of the truth of `folder`.

    The plain way costs one pass over the picture a question, `packed` one a picture; the answers are
    the same.
    """
    examiner = Examiner(model_dir)
    ask = examiner.ask_packed if packed else examiner.ask
    rng = random.Random(f"examination/{seed}")
    answered: list[Answered] = []
    for row in rows:
        answered += ask(on_white(folder / row["file"]), examination(row, rng))
    return VlmScores(tuple(answered), temperature(model_dir))


def best_temperature(answered: Sequence[Answered]) -> float:
    """The temperature (0.3…3) at which the right answers are least surprising."""

    def surprise(heat: float) -> float:
        return float(
            np.mean(
                [
                    -np.log(max(a.probabilities(heat)[CHOICES[a.asking.kind].index(a.asking.answer)], 1e-12))
                    for a in answered
                ]
            )
        )

    heats = np.exp(np.linspace(np.log(0.3), np.log(3.0), 93))
    return float(min(heats, key=lambda h: surprise(float(h))))


def calibrate(model_dir: Path, folder: Path) -> float:
    """Fits one temperature on a drawn folder and stores it as `prompt_extend.json` in the model's."""
    scores = evaluate_vlm(model_dir, read_truth(folder), folder, seed=1, packed=True)
    heat = round(best_temperature(scores.answered), 3)
    notes = {
        "temperature": heat,
        "trained_on": "drawn scenes only; it knows nothing else",
        "objects": sorted(TAUGHT),
    }
    write_json(model_dir / "prompt_extend.json", notes)
    return heat
