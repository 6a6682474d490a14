"""The questions of a round, put behind one or several pictures' trunks, and the replies to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lib_extend.models.vlms.choices import ChoiceBook, Choices, Path
from lib_extend.models.vlms.plain import check_numbers, scored
from lib_extend.models.vlms.tree import Tails, Trunk
from lib_extend.records import Prompt, Reply

if TYPE_CHECKING:
    from torch import Tensor

    from lib_extend.models.vlms.chat import Chat

T = TypeVar("T")

ROWS = 64
"""Next-token scores computed at once at the most: bounds their memory (ROWS × vocabulary)."""


class Scorer(Protocol):
    """What runs the model: `prefix.PrefixEngine`.

    Attributes:
        temperature: divides the scores of closed answers. ends: the ids that end an answer.
    """

    temperature: float
    ends: frozenset[int]
    book: ChoiceBook
    chat: Chat

    def grow(self, cache: Any, ids: Tensor, places: Tensor, sees: Tensor) -> Tensor:
        """Last hidden states of new tokens behind what is in the cache."""
        ...

    def head(self, states: Tensor) -> Tensor:
        """Next-token logits of hidden states."""
        ...


@dataclass(frozen=True)
class Asked:
    """A prompt in tokens.

    Attributes:
        suffix: what stands behind the picture.
        choices: the tree of a closed prompt's answers, None for a free one.
    """

    prompt: Prompt
    suffix: Path
    choices: Choices | None


@dataclass
class _Open:
    """A prompt on its way: the row of its picture, the node its suffix ends at, and the reply once there."""

    row: int
    end: int
    asked: Asked
    reply: Reply | None = None


def answer(engine: Scorer, trunks: Sequence[Trunk], asked: Sequence[Sequence[Asked]]) -> list[list[Reply]]:
    """The replies to each picture's prompts, in order: all closed ones in one forward pass, or a few where
    answers have several tokens; free ones in a pass a token, side by side."""
    tails = Tails(trunks, engine.grow)
    ways = [[_Open(row, tails.add(row, -1, a.suffix), a) for a in part] for row, part in enumerate(asked)]
    every = [way for part in ways for way in part]
    closed = [way for way in every if way.asked.choices is not None]
    for start in range(0, len(closed), ROWS):
        _closed(engine, tails, closed[start : start + ROWS])
    _free(engine, tails, [way for way in every if way.asked.choices is None])
    return [[way.reply for way in part if way.reply is not None] for part in ways]


def _closed(engine: Scorer, tails: Tails, ways: Sequence[_Open]) -> None:
    roots = engine.head(tails.states([way.end for way in ways])).log_softmax(-1)
    begun: list[tuple[_Open, Choices, Tensor, dict[Path, int]]] = []
    for way, root in zip(ways, roots, strict=True):
        check_numbers(root)
        choices = way.asked.choices
        assert choices is not None
        # The nodes of all questions are added before the first of them is run.
        inner = choices.inner(root, engine.temperature)
        begun.append((way, choices, root, {p: tails.add(way.row, way.end, p) for p in inner}))
    for way, choices, root, nodes in begun:
        at: dict[Path, Any] = {(): root}
        if nodes:
            at |= zip(nodes, engine.head(tails.states(list(nodes.values()))).log_softmax(-1), strict=True)
        way.reply = scored(choices.names, choices.probabilities(at, engine.book.boundary, engine.temperature))


def _free(engine: Scorer, tails: Tails, ways: Sequence[_Open]) -> None:
    """Greedy decoding, one forward pass a token for all."""
    written: list[list[int]] = [[] for _ in ways]
    live = {i: way.end for i, way in enumerate(ways) if way.asked.prompt.max_new_tokens > 0}
    while live:
        best = engine.head(tails.states(list(live.values()))).argmax(-1).tolist()
        for (i, node), token in zip(list(live.items()), best, strict=True):
            if token in engine.ends:
                del live[i]
                continue
            written[i].append(token)
            if len(written[i]) == ways[i].asked.prompt.max_new_tokens:
                del live[i]
            else:
                live[i] = tails.add(ways[i].row, node, [token])
    for way, ids in zip(ways, written, strict=True):
        way.reply = Reply(engine.chat.decode(ids))


def alike(items: Sequence[T], size: Callable[[T], int]) -> list[list[T]]:
    """`items` in groups in which no size is less than half of another: what is filled up stays little.

    >>> alike([10, 3, 8, 5, 2], lambda n: n)
    [[10, 8, 5], [3, 2]]
    """
    groups: list[list[T]] = []
    for item in sorted(items, key=size, reverse=True):
        if groups and 2 * size(item) >= size(groups[-1][0]):
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups
