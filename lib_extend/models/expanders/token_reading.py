"""Reading tokens: the prompt once for all drafts, then one token a draft; what was read before stays in a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


class Reader(Protocol):
    """The forward passes of a model for the drafts, its rows, of one prompt."""

    def first(self) -> torch.Tensor:
        """float [rows, vocabulary]: what may follow the prompt."""
        ...

    def keep(self, rows: list[int]) -> None:
        """Go on with these rows only."""
        ...

    def read(self, tokens: list[int], hide: list[int]) -> torch.Tensor:
        """float [rows, vocabulary]: what may follow when each row reads its token.

        `hide`: how many of the tokens that a row read last are taken back before that.
        """
        ...


class CachedReader:
    """A model of transformers."""

    def __init__(self, model: Any, cache_argument: str, prompt: list[int], rows: int) -> None:
        import torch

        self._model, self._cache_argument = model, cache_argument
        device = model.device
        # transformers 5.40 renames it
        made = model(input_ids=torch.tensor([prompt], device=device), use_cache=True)
        self._cache: Any = made[cache_argument]
        self._cache.batch_repeat_interleave(rows)
        self._mask = torch.ones((rows, len(prompt)), dtype=torch.long, device=device)
        self._position = torch.full((rows,), len(prompt), dtype=torch.long, device=device)
        self._first: torch.Tensor = made.logits[0, -1].float().cpu().expand(rows, -1)

    def first(self) -> torch.Tensor:
        return self._first

    def keep(self, rows: list[int]) -> None:
        import torch

        chosen = torch.tensor(rows, device=self._mask.device)
        self._cache.batch_select_indices(chosen)
        self._mask, self._position = self._mask[chosen], self._position[chosen]

    def read(self, tokens: list[int], hide: list[int]) -> torch.Tensor:
        import torch

        device = self._mask.device
        for row, count in enumerate(hide):
            if count:
                seen = self._mask[row].nonzero()[-count:, 0]
                self._mask[row, seen] = 0
                self._position[row] -= count
        self._mask = torch.cat([self._mask, self._mask.new_ones((len(tokens), 1))], 1)
        made = self._model(
            input_ids=torch.tensor(tokens, device=device)[:, None],
            attention_mask=self._mask,
            position_ids=self._position[:, None],
            use_cache=True,
            **{self._cache_argument: self._cache},
        )
        self._position += 1
        logits: torch.Tensor = made.logits[:, -1].float().cpu()
        return logits
