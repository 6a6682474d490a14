"""The trees of tokens behind one or several pictures, and the positions of a picture's prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

CHUNK = 2048
"""New tokens one forward pass takes at the most, of all pictures: bounds the mask (CHUNK × all tokens)."""

Grow = Callable[[Any, Tensor, Tensor, Tensor], Tensor]
"""`answering.Scorer.grow`."""


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


@dataclass(frozen=True)
class Trunk:
    """What is kept of a picture: keys and values of its prompt's beginning. Never changed.

    Attributes:
        layers: keys and values a layer, (1, heads, length, size) each.
        length: tokens of the beginning, the picture's included.
        follow: rotary position of the first token behind it.
    """

    layers: tuple[tuple[Tensor, Tensor], ...]
    length: int
    follow: int


def split(cache: Any, lengths: Sequence[int]) -> list[tuple[tuple[Tensor, Tensor], ...]]:
    """The layers of each row of transformers' cache, of which the first `lengths[row]` tokens count."""
    layers = _layers(cache)
    if len(lengths) == 1:
        return [tuple(layers)]
    # Copied, so that one picture that is asked on does not keep the keys and values of all.
    return [
        tuple((k[row : row + 1, :, :n].clone(), v[row : row + 1, :, :n].clone()) for k, v in layers)
        for row, n in enumerate(lengths)
    ]


def join(trunks: Sequence[Trunk]) -> Any:
    """One of transformers' caches with a row a trunk, the shorter ones filled up with zeros behind."""
    from transformers import DynamicCache

    cache = DynamicCache()
    longest = max(t.length for t in trunks)
    for index in range(len(trunks[0].layers)):
        keys, values = (_stack([t.layers[index][which] for t in trunks], longest) for which in (0, 1))
        cache.update(keys, values, index)
    return cache


def _layers(cache: Any) -> list[tuple[Tensor, Tensor]]:
    """Keys and values a layer: transformers keeps them in objects from about 4.54 on, in two lists before."""
    if hasattr(cache, "layers"):
        return [(layer.keys, layer.values) for layer in cache.layers]
    return list(zip(cache.key_cache, cache.value_cache, strict=True))


def _stack(parts: Sequence[Tensor], length: int) -> Tensor:
    if len(parts) == 1:
        return parts[0]
    _, heads, _, size = parts[0].shape
    whole = parts[0].new_zeros((len(parts), heads, length, size))
    for row, part in enumerate(parts):
        whole[row, :, : part.shape[2]] = part[0]
    return whole


@dataclass
class _Node:
    row: int
    parent: int
    token: int
    depth: int
    column: int = -1  # in the cache, behind the trunks; −1 until it was run
    children: dict[int, int] = field(default_factory=dict)


class Tails:
    """The trees of tokens behind trunks, one a trunk, run side by side. Nodes are numbered as they are added."""

    def __init__(self, trunks: Sequence[Trunk], grow: Grow) -> None:
        self._trunks = trunks
        self._grow = grow
        self._cache = join(trunks)
        self._nodes: list[_Node] = []
        self._roots: list[dict[int, int]] = [{} for _ in trunks]
        self._new: list[list[int]] = [[] for _ in trunks]
        self._before = max(t.length for t in trunks)
        # (rows, tokens of the tail, all tokens): which each sees. Trunks are seen whole, their padding never.
        self._sees = torch.zeros((len(trunks), 0, self._before), dtype=torch.bool)
        self._states: dict[int, Tensor] = {}

    def add(self, row: int, parent: int, tokens: Sequence[int]) -> int:
        """The node at the end of `tokens` behind `parent` (−1: the row's trunk); what is there is shared."""
        for token in tokens:
            known = self._nodes[parent].children if parent >= 0 else self._roots[row]
            node = known.setdefault(token, len(self._nodes))
            if node == len(self._nodes):
                depth = self._nodes[parent].depth + 1 if parent >= 0 else 0
                self._nodes.append(_Node(row, parent, token, depth))
                self._new[row].append(node)
            parent = node
        return parent

    def states(self, nodes: Sequence[int]) -> Tensor:
        """Last hidden states (nodes, hidden) of the given nodes, running all that is new."""
        step = max(1, CHUNK // len(self._trunks))
        while width := min(step, max(len(new) for new in self._new)):
            self._run([new[:width] for new in self._new], width)
            self._new = [new[width:] for new in self._new]
        return torch.stack([self._states[n] for n in nodes])

    def _run(self, parts: Sequence[Sequence[int]], width: int) -> None:
        """One forward pass over `width` new tokens a row; rows with fewer are filled up behind."""
        rows, done, total = self._sees.shape
        ids = [[0] * width for _ in parts]
        places = [[0] * width for _ in parts]
        sees = torch.zeros((rows, done + width, total + width), dtype=torch.bool)
        sees[:, :done, :total] = self._sees
        for row, part in enumerate(parts):
            trunk = self._trunks[row]
            sees[row, done:, : trunk.length] = True
            for i, number in enumerate(part):
                node = self._nodes[number]
                node.column = done + i
                if node.parent >= 0:
                    sees[row, node.column] = sees[row, self._nodes[node.parent].column]
                sees[row, node.column, total + i] = True
                ids[row][i] = node.token
                places[row][i] = node.depth + trunk.follow
        self._sees = sees
        states = self._grow(self._cache, torch.tensor(ids), torch.tensor(places), sees[:, done:])
        for row, part in enumerate(parts):
            for i, number in enumerate(part):
                self._states[number] = states[row, i]
