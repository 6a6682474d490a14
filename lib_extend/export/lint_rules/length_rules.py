"""Captions that are longer than the base model reads, by CLIP's tokens: exact for its kin, about right for others."""

from __future__ import annotations

from collections.abc import Iterable

from lib_extend.errors import Message
from lib_extend.export.lint_finding import Finding, Level, Rule, Spot, found
from lib_extend.export.linted_folder import LintedFolder
from lib_extend.vocabulary.base_models import Base
from lib_extend.vocabulary.clip_tokens import count

OVER_CHUNK = Message(
    "over_75_tokens",
    "{captions} {has} more than {tokens} CLIP tokens: set the trainer's longest caption to 150 or 225 "
    "(max_token_length), or the rest is cut off.",
)
OVER_LIMIT = Message(
    "over_225_tokens", "{captions} {has} more than {tokens} CLIP tokens: what is behind them is cut off."
)
ABOUT_LIMIT = Message(
    "over_base_tokens",
    "{captions} {has} about {tokens} tokens or more (counted with CLIP's tokenizer): {base} may cut off what is behind them.",
)
CHUNK, LIMIT = 75, 225
"""Tokens that CLIP reads at once, and the most that trainers can set."""
_LETTERS_A_TOKEN = 1
"""A token has at least one letter: a caption with fewer letters than tokens allowed need not be counted."""


def _lengths(folder: LintedFolder) -> Iterable[Finding]:
    base = folder.base
    if base is not None and base.tokenizer != "clip":
        yield from _about(folder, base)
        return
    chunk = base.chunk if base and base.chunk else CHUNK
    limit = base.tokens if base and base.tokens else LIMIT
    over_chunk: list[Spot] = []
    over_limit: list[Spot] = []
    for picture in folder.captioned:
        longest = max(
            (
                count(text)
                for text in picture.captions(folder.trainer.lines)
                if len(text) > chunk * _LETTERS_A_TOKEN
            ),
            default=0,
        )
        if longest > chunk:
            (over_limit if longest > limit else over_chunk).append(Spot(picture.name, f"{longest} tokens"))
    yield from found(OVER_CHUNK, Level.NOTE, over_chunk, tokens=chunk)
    yield from found(OVER_LIMIT, Level.WARNING, over_limit, tokens=limit)


def _about(folder: LintedFolder, base: Base) -> Iterable[Finding]:
    """Captions that may be too long for a base with another tokenizer; of English, all give about as many tokens as CLIP's."""
    long = []
    for picture in folder.captioned if base.tokens else ():
        texts = (t for t in picture.captions(folder.trainer.lines) if len(t) > base.tokens)
        longest = max(map(count, texts), default=0)
        if longest > base.tokens:
            long.append(Spot(picture.name, f"about {longest} tokens"))
    yield from found(ABOUT_LIMIT, Level.NOTE, long, tokens=base.tokens, base=base.title)


RULES = (
    Rule(
        "over_75_tokens", "captions longer than 75 or 225 CLIP tokens, or than the base model reads", _lengths
    ),
)
