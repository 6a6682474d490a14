"""A parsed prompt: its tags and extra networks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from lib_extend.generation import syntax
from lib_extend.generation.syntax import AND, BREAK, Piece

_LED = re.compile(rf"[\s,]*({BREAK}|{AND})(?![^\s,])")
_REMEMBERED = 256
"""Prompts that are remembered: the fields of a cast are looked at for its slips, its prompts and its check."""


@dataclass(frozen=True)
class Prompt:
    """A parsed prompt.

    Attributes:
        text: as it was typed, without the spaces around it.
        guarded: the text as a part of a longer prompt: brackets without a fellow are escaped.
        pieces: the tags in order, guarded, without extra networks.
        networks: the extra networks in order, as they stand: `<lora:name:1>`.
    """

    text: str
    guarded: str
    pieces: tuple[Piece, ...]
    networks: tuple[str, ...]

    @property
    def leads(self) -> bool:
        """Whether it begins with `BREAK` or `AND`, which then separate it from what stands before it."""
        return _LED.match(self.text) is not None

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags without regard to what stands between them."""
        return tuple(p.text for p in self.pieces if p.text)

    @cached_property
    def listed(self) -> tuple[Piece, ...]:
        """The tags for a single conditioning, see `syntax.as_list`."""
        return tuple(syntax.as_list(self.pieces))


@lru_cache(_REMEMBERED)
def read(text: str) -> Prompt:
    """A prompt from its text."""
    text = text.strip()
    plain, networks = syntax.networks(text)
    return Prompt(text, syntax.guarded(text), tuple(syntax.pieces(syntax.guarded(plain))), tuple(networks))
