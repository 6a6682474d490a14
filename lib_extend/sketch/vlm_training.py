"""Train the sketch vision-language model: first the vision part, then questions.

1. *Eyes.* On cut-outs, throw-away linear heads on the visual tokens say what each cell shows (see
   `vlm_data.cells`). Without this the language model would have to find the objects by itself, from one
   answer word a question.
2. *Questions.* Whole pictures; all questions of a picture are packed behind it in one row, each with its
   positions counted from the picture's end and seeing nothing of the others. The heads stay on.

The same seed and steps give the same lessons in the same order.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.vlm_data import COVERS, KINDS, SYSTEM, UNKNOWN, Lessons, Snippets
from lib_extend.sketch.vlm_model import HIDDEN, answer_states, make_config, patches, save_model, visual_tokens
from lib_extend.sketch.vlm_questions import COUNTS, answer_words, corpus
from lib_extend.sketch.vlm_tokenizer import SPECIAL, build_tokenizer

Report = Callable[[str], None]

VOCABULARY = 768
EYES_SHARE = 0.3
"""Share of the steps (or of the time) that goes to the eyes alone."""

_BATCH = 8
_QUESTIONS = 18
_RATES = {"eyes": 1.5e-3, "questions": 1e-3}
"""The highest learning rate of each part."""
_COOLING = 0.45  # the share of the budget in which the rate falls
_MANY = 10**7


@dataclass
class Budget:
    """How long to train: until `steps` or until `minutes` have passed since `started`.

    `step` is how many steps are done.
    """

    steps: int | None
    minutes: float | None
    started: float
    step: int = 0

    @property
    def spent(self) -> float:
        """The share of the budget that is spent, 0…1."""
        if self.steps is not None:
            return min(1.0, self.step / self.steps)
        assert self.minutes is not None
        return min(1.0, (time.monotonic() - self.started) / (60 * self.minutes))


class Heads(nn.Module):
    """Linear heads on the visual tokens; used in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes = (len(COVERS), len(words.COLORS), 1 + len(words.OBJECTS), 2)
        self.out = nn.Linear(HIDDEN, sum(self.sizes))
        # Start at zero, so that untrained heads do not disturb a vision part that is trained already.
        nn.init.zeros_(self.out.weight)

    def loss(self, tokens: Tensor, cells: Tensor, places: Tensor) -> tuple[Tensor, dict[str, float]]:
        """How badly `tokens` (B, T, hidden) tell what the cells show, with a few shares to watch.

        `cells` and `places` (B, 3, rows, columns) are those of `vlm_data.cells`.
        """
        cover, color, centre, offset = self.out(tokens).float().split(self.sizes, -1)
        kinds = cells.long().flatten(2)
        total, watched = torch.zeros(()), {}
        for name, scores, truth in (("cover", cover, kinds[:, 0]), ("cell color", color, kinds[:, 1])):
            known = truth != UNKNOWN
            if known.any():
                total = total + F.cross_entropy(scores[known], truth[known])
                watched[name] = float((scores[known].argmax(-1) == truth[known]).float().mean())
        share, right, down = places.flatten(2).unbind(1)
        likely = centre.log_softmax(-1)
        named = likely.gather(-1, kinds[:, 2:].transpose(1, 2))[..., 0]
        surprise = -(share * named + (1 - share) * likely[..., 0])
        # Per object, not per cell: most cells are empty and soon cost nothing.
        total = total + surprise.sum() / share.sum().clamp(min=1)
        some = share > 0.6
        if some.any():
            watched["centre"] = float((centre.argmax(-1) == kinds[:, 2])[some].float().mean())
        covered = ~right.isnan()
        if covered.any():
            aims = torch.stack([right[covered], down[covered]], -1)
            total = total + F.smooth_l1_loss(offset[covered], aims, beta=0.3)
            watched["aim"] = float((offset[covered].detach() - aims).abs().mean())
        return total, watched


def answer_scores(
    model: Any, batch: dict[str, Tensor], tokens: Tensor, grid: tuple[int, int], system: Tensor
) -> Tensor:
    """The scores of all tokens for each question's answer and what follows it: (B, Q, 2, vocabulary).

    `batch` holds `ids` and `last` (see `Lessons`); `tokens` (B, T, hidden) are the visual tokens of `grid`
    = (rows, columns) cells, `system` the ids before the picture.
    """
    rows, columns = grid
    before = len(system)
    embed = model.get_input_embeddings()
    start, stop = embed(system), embed(torch.tensor([SPECIAL.index("<|vision_end|>")]))
    b = tokens.shape[0]
    prefix = torch.cat([start.expand(b, -1, -1), tokens.to(start.dtype), stop.expand(b, -1, -1)], 1)
    row = torch.arange(rows).repeat_interleave(columns)
    picture = torch.stack([torch.zeros_like(row), row, torch.arange(columns).repeat(rows)]) + before
    after = torch.full((3, 1), before + max(rows, columns))
    positions = torch.cat([torch.arange(before).expand(3, -1), picture, after], 1)
    text = model.model.language_model
    states = answer_states(text, prefix, embed(batch["ids"]), positions, batch["last"])
    return F.linear(states, embed.weight).float()


def answer_loss(scores: Tensor, batch: dict[str, Tensor], digits: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of the answers, and for each question (kind, right or not) as (N, 2).

    Counts of nothing are told apart as kind `len(KINDS)`. `digits` are the tokens of the numbers 0, 1, 2 …
    """
    asked = batch["answer"] >= 0
    target, kind = batch["answer"][asked], batch["kind"][asked]
    answers, ends = scores[asked].unbind(1)
    losses = F.cross_entropy(answers, target, reduction="none")
    counting = kind == KINDS.index("count")
    weight = torch.where(counting, 3.0, 1.0)  # the hardest of them
    total = (losses * weight).sum() / weight.sum()
    total = total + 0.1 * F.cross_entropy(ends, torch.full_like(target, SPECIAL.index("<|im_end|>")))
    if counting.any():
        # A 4 for a 5 is less wrong than a 1; early in the training this guides the model.
        numbers = torch.arange(len(digits), dtype=torch.float32)
        expected = answers[counting][:, digits].softmax(-1) @ numbers
        true = (target[counting][:, None] == digits).float() @ numbers
        total = total + 0.1 * F.smooth_l1_loss(expected, true)
    right = (answers.argmax(-1) == target).long()
    kind = torch.where(counting & (target == digits[0]), len(KINDS), kind)
    return total, torch.stack([kind, right], 1)


def _optimizers(model: nn.Module, heads: nn.Module) -> list[Any]:
    """Muon for the matrices inside the layers, Adam for everything else."""
    matrices: list[nn.Parameter] = []
    others = list(heads.parameters())
    for name, value in model.named_parameters():
        inside = ".blocks." in name or ".layers." in name or ".merger.mlp." in name
        (matrices if inside and value.dim() == 2 else others).append(value)
    return [
        torch.optim.Muon(matrices, lr=0.0, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def _rate(phase: str, budget: Budget) -> float:
    """The learning rate: in each part a short rise, a plateau, and down to nothing at its end."""
    begin, end = (0.0, EYES_SHARE) if phase == "eyes" else (EYES_SHARE, 1.0)
    done = (budget.spent - begin) / max(1e-9, end - begin)
    falling = min(1.0, max(0.0, 1.0 - done) / _COOLING)
    return _RATES[phase] * falling * min(1.0, (done + 1e-3) / 0.02)


class _Tally:
    """Running shares of right answers since the last line of the log."""

    def __init__(self) -> None:
        self.right: dict[str, list[float]] = {}

    def add(self, name: str, value: float, n: int = 1) -> None:
        total = self.right.setdefault(name, [0.0, 0.0])
        total[0] += value * n
        total[1] += n

    def line(self) -> str:
        text = ", ".join(f"{k} {a / max(1, n):.3f}" for k, (a, n) in self.right.items())
        self.right = {}
        return text


def train_vlm(
    out_dir: Path,
    *,
    seed: int = 0,
    steps: int | None = None,
    minutes: float | None = None,
    report: Report = print,
    start: Path | None = None,
    save_every: float | None = None,
) -> None:
    """Trains the model and writes its folder to `out_dir` (temperature 1: see `vlm_scores.calibrate`).

    Give `steps` (7,000 are worth it; reproducible) or `minutes`. `report` gets a line now and
    then. `start` is a folder written earlier whose weights are taken up; `save_every` minutes a
    copy is written on the way. Uses torch's current number of threads, and one process that draws.
    """
    if (steps is None) == (minutes is None):
        raise ValueError("give either steps or minutes")
    from transformers import Qwen2VLForConditionalGeneration

    torch.manual_seed(seed)
    tokenizer = build_tokenizer(corpus(), answer_words(), VOCABULARY)
    model: Any = Qwen2VLForConditionalGeneration(make_config(tokenizer.get_vocab_size())).float()
    if start is not None:
        from lib_extend.sketch.vlm_loading import load_model

        model.load_state_dict(load_model(start).state_dict())
    averaged = copy.deepcopy(model).eval()
    heads = Heads()
    optimizers = _optimizers(model, heads)
    budget = Budget(steps, minutes, time.monotonic())
    system = torch.tensor(tokenizer.encode(SYSTEM).ids)
    digits = torch.tensor([tokenizer.token_to_id(n) for n in COUNTS])
    tally, saved = _Tally(), time.monotonic()

    for phase, batch in _course(tokenizer.to_str(), seed, budget):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = _rate(phase, budget)
            optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            grid = batch["cells"].shape[2], batch["cells"].shape[3]
            tokens = visual_tokens(model.model.visual, patches(batch["pixels"]), grid)
            loss, right = heads.loss(tokens, batch["cells"], batch["places"])
            if phase == "questions":
                scores = answer_scores(model, batch, tokens, grid, system)
                answers, hits = answer_loss(scores, batch, digits)
                loss = answers + 0.3 * loss
                _count_hits(tally, hits)
                tally.add("answer loss", float(answers.detach()))
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_([*model.parameters(), *heads.parameters()], 1.0)
        for optimizer in optimizers:
            optimizer.step()
        tally.add("loss", float(loss.detach()))
        for name, share in right.items():
            tally.add(name, share)
        budget.step += 1
        _follow(averaged, model, min(0.995, budget.step / (budget.step + 20)))
        if budget.step % 50 == 0:
            report(f"{phase} {budget.step} ({100 * budget.spent:.0f} %): {tally.line()}")
        if save_every is not None and time.monotonic() - saved > 60 * save_every:
            save_model(averaged, tokenizer, out_dir)
            saved = time.monotonic()
    save_model(averaged, tokenizer, out_dir)
    report(f"done after {budget.step} steps")


def _course(tokenizer: str, seed: int, budget: Budget) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """The batches of both parts, drawn ahead by one process."""
    phases: tuple[tuple[str, Any, float], ...] = (
        ("eyes", Snippets(seed, _MANY), EYES_SHARE),
        ("questions", Lessons(tokenizer, seed, _MANY, batch=_BATCH, most=_QUESTIONS), 1.0),
    )
    for name, lessons, until in phases:
        loader = DataLoader(lessons, batch_size=None, sampler=range(_MANY), num_workers=1, prefetch_factor=6)
        for batch in loader:
            if budget.spent >= until:
                break
            yield name, batch


def _follow(averaged: nn.Module, model: nn.Module, keep: float) -> None:
    """A running average of the weights answers better than the last of them."""
    with torch.no_grad():
        torch._foreach_lerp_(list(averaged.parameters()), list(model.parameters()), 1.0 - keep)


def _count_hits(tally: _Tally, hits: Tensor) -> None:
    for number, kind in enumerate((*KINDS, "zero")):
        of_kind = hits[hits[:, 0] == number, 1]
        if len(of_kind):
            tally.add(kind, float(of_kind.float().mean()), len(of_kind))
