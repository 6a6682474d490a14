"""Drawing the next token."""

from __future__ import annotations

import pytest
import torch

from lib_extend.models.expanders.token_choice import draw, options_of, seeded
from lib_extend.prompt_expansion import Sampling


@pytest.mark.parametrize(
    ("sampling", "forbidden"),
    [
        (Sampling(1.0, 1.0, 0, 0.0), set()),
        (Sampling(0.7, 0.9, 6, 0.0), {3}),
        (Sampling(1.5, 1.0, 5, 0.3), {0, 1}),
        # more is forbidden than was looked at first
        (Sampling(1.0, 0.95, 4, 0.0), set(range(90))),
    ],
)
def test_tokens_come_as_often_as_transformers_would_draw_them(
    sampling: Sampling, forbidden: set[int]
) -> None:
    from transformers import (
        LogitsProcessorList,
        MinPLogitsWarper,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    logits = torch.linspace(3, -3, 120)[None]
    masked = logits.clone()
    masked[0, list(forbidden)] = -torch.inf
    steps: list[object] = [TemperatureLogitsWarper(sampling.temperature)]
    steps += [TopKLogitsWarper(sampling.top_k)] if sampling.top_k else []
    steps += [TopPLogitsWarper(sampling.top_p), MinPLogitsWarper(sampling.min_p)]
    wanted = torch.softmax(LogitsProcessorList(steps)(torch.zeros(1, 1), masked)[0], -1)
    (options,) = options_of(logits, sampling)
    randomness = seeded(5)
    drawn = torch.tensor([draw(options, sampling, randomness, forbidden) for _ in range(3000)])
    found = torch.bincount(drawn, minlength=120) / 3000
    assert float((found - wanted).abs().max()) < 0.03
    assert not found[wanted == 0].any()


def test_nothing_is_left() -> None:
    (options,) = options_of(torch.zeros(1, 200), Sampling(top_k=5))
    assert draw(options, Sampling(top_k=5), seeded(1), set(range(200))) is None
