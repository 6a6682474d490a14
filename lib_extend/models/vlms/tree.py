"""The tree of tokens behind a picture, and the positions of its prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

CHUNK = 2048
"""New tokens one forward pass takes at the most: bounds the mask (CHUNK × all tokens)."""

Grow = Callable[[Any, Tensor, Tensor, Tensor], list[Tensor]]
"""`PrefixEngine.grow`."""


def positions(ids: Tensor, image_token: int, rows: int, columns: int) -> tuple[Tensor, int]:
    """Rotary positions of a prompt with one still picture, and that of the token behind it.

    Text counts on by one on all three axes. The picture's tokens, row by row, share the time axis and
    count rows and columns from where it begins; the text behind goes on after the larger of both
    (`get_rope_index` of the three architectures, for one still picture).

    Args:
        ids: (tokens,), exactly rows × columns of them `image_token`, in one run.
        rows, columns: of the picture's merged patches.

    Returns:
        int64 (3, tokens): time, row, column; and the next position, the same on all axes.
    """
    start = int((ids == image_token).nonzero()[0, 0])
    before = torch.arange(start).expand(3, -1)
    grid = torch.stack(
        [
            torch.zeros(rows * columns, dtype=torch.long),
            torch.arange(rows).repeat_interleave(columns),
            torch.arange(columns).repeat(rows),
        ]
    )
    follow = start + max(rows, columns)
    count = ids.shape[0] - start - rows * columns
    after = torch.arange(count).expand(3, -1) + follow
    return torch.cat([before, grid + start, after], 1), follow + count


@dataclass
class Trunk:
    """What is kept of a picture: keys and values of its prompt's beginning.

    Attributes:
        cache: transformers' cache, `length` tokens long between two calls.
        length: tokens of the beginning, the picture's included.
        follow: rotary position of the first token behind it.
    """

    cache: Any
    length: int
    follow: int


class Tail:
    """The tree of tokens behind a trunk. Nodes are numbered as they are added; −1 is the trunk."""

    def __init__(self, trunk: Trunk, grow: Grow) -> None:
        self._trunk = trunk
        self._grow = grow
        self._tokens: list[int] = []
        self._parents: list[int] = []
        self._depths: list[int] = []
        self._known: dict[tuple[int, int], int] = {}
        self._sees = torch.zeros((0, 0), dtype=torch.bool)
        self._states: list[Tensor] = []

    def add(self, parent: int, tokens: Sequence[int]) -> int:
        """The node at the end of `tokens` behind `parent`; tokens that are there already are shared."""
        for token in tokens:
            node = self._known.setdefault((parent, token), len(self._tokens))
            if node == len(self._tokens):
                self._tokens.append(token)
                self._parents.append(parent)
                self._depths.append(self._depths[parent] + 1 if parent >= 0 else 0)
            parent = node
        return parent

    def states(self, nodes: Sequence[int]) -> Tensor:
        """Last hidden states (nodes, hidden) of the given nodes, running all that is new."""
        self._run()
        return torch.stack([self._states[n] for n in nodes])

    def _run(self) -> None:
        done, total = len(self._states), len(self._tokens)
        sees = torch.zeros((total, total), dtype=torch.bool)
        sees[:done, :done] = self._sees
        for node in range(done, total):
            if self._parents[node] >= 0:
                sees[node] = sees[self._parents[node]]
            sees[node, node] = True
        self._sees = sees
        for start in range(done, total, CHUNK):
            stop = min(total, start + CHUNK)
            places = torch.tensor(self._depths[start:stop]) + self._trunk.follow
            ids = torch.tensor(self._tokens[start:stop])
            self._states += self._grow(self._trunk.cache, ids, places, sees[start:stop, :stop])
