"""Which token comes next: temperature, top-k, top-p and min-p, in this order, as transformers applies them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lib_extend.prompt_expansion import Sampling

if TYPE_CHECKING:
    import torch

_SPARE = 64
"""Tokens that are looked at beside top-k: so many may be forbidden before all are looked at."""


@dataclass(frozen=True)
class Options:
    """What may follow in one row.

    Attributes:
        ids, scores: the likeliest tokens, the likeliest first, and their logits.
        logits: float [vocabulary], of all tokens.
    """

    ids: list[int]
    scores: npt.NDArray[np.float32]
    logits: torch.Tensor


def options_of(logits: torch.Tensor, sampling: Sampling) -> list[Options]:
    """What may follow in each row of float [rows, vocabulary], on the CPU: all rows are sorted at once."""
    size = logits.shape[-1]
    count = min(sampling.top_k + _SPARE, size) if sampling.top_k else size
    scores, ids = logits.float().topk(count)
    return [
        Options(i, s, row) for i, s, row in zip(ids.tolist(), scores.numpy(), logits, strict=True)
    ]  # fmt: skip


def draw(
    options: Options, sampling: Sampling, randomness: torch.Generator, forbidden: Collection[int] = ()
) -> int | None:
    """A token drawn from one row.

    Args:
        forbidden: ids that must not come.

    Returns:
        The id; None where all that is left is forbidden.
    """
    import torch

    most = sampling.top_k or options.logits.shape[-1]
    places = [at for at, token in enumerate(options.ids) if token not in forbidden][:most]
    if len(places) < most and len(options.ids) < options.logits.shape[-1]:
        every = Sampling(sampling.temperature, sampling.top_p, 0, sampling.min_p)
        (options,) = options_of(options.logits[None], every)
        places = [at for at, token in enumerate(options.ids) if token not in forbidden][:most]
    scores: npt.NDArray[Any] = options.scores[places].astype(np.float64) / max(sampling.temperature, 1e-4)
    if not len(scores) or not np.isfinite(scores[0]):
        return None
    share = np.exp(scores - scores[0])
    total = np.cumsum(share)
    # the first token that reaches top-p still belongs to it
    there = (total - share < sampling.top_p * total[-1]) & (share >= sampling.min_p)
    there[0] = True
    total = np.cumsum(np.where(there, share, 0.0))
    chosen = torch.rand(1, generator=randomness, dtype=torch.float64).item() * total[-1]
    return options.ids[places[int(np.searchsorted(total, chosen, "right"))]]


def seeded(seed: int) -> torch.Generator:
    """Randomness that is the same for the same seed."""
    import torch

    return torch.Generator().manual_seed(seed % (1 << 63))
