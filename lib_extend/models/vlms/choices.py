"""How likely each allowed answer of a closed question is, from a language model's next-token scores.

Each choice has several spellings; each spelling is tried in its cases and with and without a leading
space, since chat models begin their answers either way. The token sequences of all of them form a tree
(`Choices`). A choice's mass is the sum over its sequences of the product of their tokens' probabilities,
which teacher forcing gives: the model need only be run where the tree branches or goes on, the
*inner nodes*. At the root that is the end of the question itself.

A sequence that stops at an inner node ("1", when "10" is allowed too) counts only as far as the model
ends the word there: times the probability that the next token begins no letter or digit and leads to no
other allowed answer. Without that factor "10" would be counted for "1" as well.

The masses are then made probabilities: softmax of their logarithms divided by the temperature.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from lib_extend.errors import ModelError

Path = tuple[int, ...]
"""Token ids from the end of the question on; () is the root."""

NEGLIGIBLE = 1e-4
"""First tokens this much less likely than the likeliest allowed one are not followed further."""


def spellings(choice: Sequence[str]) -> list[str]:
    """Every way of writing a choice, each once: its spellings × cases × a leading space.

    >>> spellings(["no"])
    ['no', ' no', 'No', ' No', 'NO', ' NO']
    """
    found = [
        lead + text
        for s in choice
        for text in (s, s.lower(), s[:1].upper() + s[1:], s.title(), s.upper())
        for lead in ("", " ")
    ]
    return list(dict.fromkeys(found))


class Choices:
    """The token tree of a closed question's allowed answers.

    Attributes:
        names: the choices' names, in order.
        ends: token path → index of the choice that is complete there.
        children: inner node → the tokens that go on from it; () is always one.
    """

    def __init__(self, choices: Sequence[Sequence[str]], tokenizer: Any) -> None:
        """Raises ModelError when a choice cannot be written with the tokenizer's vocabulary."""
        self.names = tuple(c[0] for c in choices)
        self.ends: dict[Path, int] = {}
        children: dict[Path, dict[int, None]] = {(): {}}
        unknown = getattr(tokenizer, "unk_token_id", None)
        for index, choice in enumerate(choices):
            for text in spellings(choice):
                path = tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
                if not path or unknown in path or self.ends.setdefault(path, index) != index:
                    continue
                for depth in range(len(path)):
                    children.setdefault(path[:depth], {})[path[depth]] = None
        for index, name in enumerate(self.names):
            if index not in self.ends.values():
                raise ModelError(
                    f"The model's vocabulary has no tokens of its own for the answer {name!r}: "
                    "reword the question's answers or take another model."
                )
        self.children = {path: tuple(tokens) for path, tokens in children.items()}

    def inner(self, root: Tensor, temperature: float = 1.0) -> list[Path]:
        """The inner nodes below the root worth running the model at, parents before children.

        Args:
            root: log-probabilities of the first token, (vocabulary,).
            temperature: as for `probabilities`: above 1 less likely answers weigh more.
        """
        first = self.children[()]
        if len(self.children) == 1:
            return []
        scores = dict(zip(first, root[list(first)].tolist(), strict=True))
        least = max(scores.values()) + math.log(NEGLIGIBLE) * max(1.0, temperature)
        paths = [p for p in self.children if p and scores[p[0]] >= least]
        return sorted(paths, key=len)

    def probabilities(
        self, at: Mapping[Path, Tensor], boundary: Tensor, temperature: float = 1.0
    ) -> tuple[float, ...]:
        """The choices' probabilities, in order, summing to 1.

        Args:
            at: log-probabilities of the next token, (vocabulary,) each, at the root and at those inner
                nodes that `inner` named. What lies behind other inner nodes counts as impossible.
            boundary: bool (vocabulary,), the tokens that begin no letter or digit (`word_ends`).
            temperature: > 0; above 1 the probabilities are evened out.
        """
        logs = {p: dict(zip(c, at[p][list(c)].tolist(), strict=True)) for p, c in self._known(at)}
        masses: list[list[float]] = [[] for _ in self.names]
        for path, index in self.ends.items():
            try:
                score = sum(logs[path[:depth]][path[depth]] for depth in range(len(path)))
            except KeyError:
                continue
            if path in at:
                score += self._stop(at[path], self.children[path], boundary)
            masses[index].append(score)
        scores = [_log_sum(m) / temperature for m in masses]
        total = _log_sum(scores)
        if total == -math.inf:  # no allowed answer has any mass in floating point: nothing is known
            return tuple(1.0 / len(scores) for _ in scores)
        return tuple(math.exp(s - total) for s in scores)

    def _known(self, at: Mapping[Path, Tensor]) -> Iterator[tuple[Path, tuple[int, ...]]]:
        return ((p, c) for p, c in self.children.items() if p in at)

    @staticmethod
    def _stop(scores: Tensor, going_on: tuple[int, ...], boundary: Tensor) -> float:
        """Log-probability that an answer ends here: the word does, and no other answer goes on."""
        ends = boundary[: scores.shape[0]].to(scores.device).clone()
        ends[list(going_on)] = False
        return float(torch.logsumexp(scores[: ends.shape[0]][ends], 0)) if bool(ends.any()) else -math.inf


def _log_sum(values: Sequence[float]) -> float:
    """log Σ exp(value); −inf of nothing."""
    top = max(values, default=-math.inf)
    if top == -math.inf:
        return top
    return top + math.log(sum(math.exp(v - top) for v in values))


def word_ends(tokenizer: Any) -> Tensor:
    """bool (vocabulary,): the tokens that cannot continue a word or number, special tokens among them.

    Byte-level and SentencePiece vocabularies spell a leading space as `Ġ` and `▁`, so a piece continues
    a word exactly when its first character is an ASCII letter or digit.
    """
    pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    return torch.tensor([not (p and p[0].isascii() and p[0].isalnum()) for p in pieces])


class ChoiceBook:
    """The trees of all questions asked of one model, each built once."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._boundary: Tensor | None = None
        self.choices = lru_cache(maxsize=256)(self._choices)

    def _choices(self, choices: tuple[tuple[str, ...], ...]) -> Choices:
        return Choices(choices, self._tokenizer)

    @property
    def boundary(self) -> Tensor:
        """`word_ends` of the model's tokenizer."""
        if self._boundary is None:
            self._boundary = word_ends(self._tokenizer)
        return self._boundary
