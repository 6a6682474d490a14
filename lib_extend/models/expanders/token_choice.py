"""Which token comes next: temperature, top-k, top-p and min-p, in this order, as transformers applies them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from lib_extend.prompt_expansion import Sampling

if TYPE_CHECKING:
    import torch


def draw(
    logits: torch.Tensor, sampling: Sampling, randomness: torch.Generator, forbidden: Collection[int] = ()
) -> int | None:
    """A token drawn from one row.

    Args:
        logits: float [vocabulary], on the CPU. forbidden: ids that must not come.

    Returns:
        The id; None where all that is left is forbidden.
    """
    import torch

    scores = logits.float() / max(sampling.temperature, 1e-4)
    if forbidden:
        scores[list(forbidden)] = -torch.inf
    # the likeliest first
    kept, ids = torch.topk(scores, min(sampling.top_k or len(scores), len(scores)))
    share = torch.softmax(kept, -1)
    if not bool(torch.isfinite(share[0])):
        return None
    # the first token that reaches top-p still belongs to it
    there = torch.cumsum(share, -1) - share < sampling.top_p
    there &= share >= sampling.min_p * share[0]
    there[0] = True
    share = torch.where(there, share, torch.zeros_like(share))
    return int(ids[torch.multinomial(share, 1, generator=randomness)])


def seeded(seed: int) -> torch.Generator:
    """Randomness that is the same for the same seed."""
    import torch

    return torch.Generator().manual_seed(seed % (1 << 63))
