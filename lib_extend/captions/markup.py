"""What stands around words in a caption: brackets that belong together, weights, separators.

Everything here is one pass over a line: brackets that nothing closes are letters like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

HARD = ("|||", "BREAK", "AND")
"""Separators that stay where they are: of kept tokens (sd-scripts), of prompts (WebUI)."""
SECONDARY = ";;;"
"""sd-scripts' separator of tags that are shuffled together."""

_SPECIAL = re.compile(r"[()\[\]{}<，、\r\n]|::|;;;|\|\|\||BREAK|AND")
# all repetitions are bounded: a line of a million digits or brackets is scanned once
_DIGITS = r"-?(?:\d{1,8}(?:\.\d{0,8})?|\.\d{1,8})"
_NUMBER = re.compile(rf"\s*{_DIGITS}\s*")
_NOVELAI = re.compile(rf"{_DIGITS}::")
_FILE_WILDCARD = re.compile(r"__[^\s,]+__")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_LONGEST_NUMBER = 16


@dataclass(frozen=True)
class Token:
    """A place in a line that separates (`hard`, `soft`)."""

    start: int
    end: int
    hard: bool = False


@dataclass(frozen=True)
class Marks:
    """The separators of a line, and the brackets that belong together.

    Attributes:
        cuts: separators outside all brackets, in order.
        closed: where the bracket opened at an index closes.
        inner: separators inside of brackets, in order.
    """

    cuts: list[Token]
    closed: dict[int, int]
    inner: list[Token]


def scan_line(text: str, extra: Sequence[str], line_breaks: bool, spaces: bool = False) -> Marks:
    """The separators and brackets of a line of `text`.

    Args:
        extra: what separates besides commas. line_breaks, spaces: whether these separate.
    """
    if spaces:
        return Marks([Token(m.start(), m.end()) for m in re.finditer(r"[\s,]+", text)], {}, [])
    if not extra and not _SPECIAL.search(text):
        return Marks([Token(m.start(), m.end()) for m in re.finditer(",", text)], {}, [])
    found: list[tuple[Token, int]] = []
    closed: dict[int, int] = {}
    stack: list[tuple[str, int]] = []
    counts = dict.fromkeys("([{:", 0)
    for match in _tokens(tuple(extra), line_breaks).finditer(text):
        kind, token, at = match.lastgroup or "", match[0], match.start()
        if kind in ("soft", "hard", "own"):
            found.append((Token(at, match.end(), kind == "hard"), at))
            continue
        if kind == "novelai":
            opens = token != "::" and not (counts[":"] and not _at_start(text, at))
            if token != "::" and not opens:
                at = match.end() - 2
            mark = ":" if opens else "::"
        elif kind == "bracket":
            mark = token
        else:
            continue
        if mark in counts:
            counts[mark] += 1
            stack.append((mark, at))
            continue
        wanted = ":" if mark == "::" else _PAIRS[mark]
        if not counts[wanted]:
            continue
        while stack:
            opened, start = stack.pop()
            counts[opened] -= 1
            if opened == wanted:
                closed[start] = match.end() - 1
                break
    cuts: list[Token] = []
    inner: list[Token] = []
    end = -1
    spans = iter(sorted(closed.items()))
    span = next(spans, None)
    for token_, at in found:
        while span is not None and span[0] <= at:
            end = max(end, span[1])
            span = next(spans, None)
        (inner if at <= end else cuts).append(token_)
    return Marks(cuts, closed, inner)


def unmatched(text: str) -> list[int]:
    """Where brackets of a line stand that nothing closes or opens; escaped ones and faces (`:(`) are letters."""
    closed = scan_line(text, (), False).closed
    matched = {*closed, *closed.values()}
    brackets = (m.start() for m in _tokens((), False).finditer(text) if m.lastgroup == "bracket")
    return [at for at in brackets if at not in matched]


def bare(text: str, start: int, end: int, closed: dict[int, int]) -> tuple[int, int]:
    """Where the words stand within `text[start:end]`: inside of its weights and brackets.

    `(smile:1.2)`, `{{smile}}` and `1.5::smile::` all have `smile` there.
    """
    while True:
        close = closed.get(start)
        first = text[start : start + 1]
        if close == end - 1 and first in ("(", "[", "{") and end - start > 2:
            inner_start, inner_end = start + 1, end - 1
            colon = text.rfind(":", max(inner_start, inner_end - _LONGEST_NUMBER), inner_end)
            if first == "(" and colon > inner_start and _NUMBER.fullmatch(text, colon + 1, inner_end):
                inner_end = colon
        else:
            number = _NOVELAI.match(text, start, end)
            if not number or number.end() >= end:
                return start, end
            inner_start, inner_end = number.end(), end
            if close == end - 1:
                inner_end -= 2
        while inner_start < inner_end and text[inner_start].isspace():
            inner_start += 1
        while inner_start < inner_end and text[inner_end - 1].isspace():
            inner_end -= 1
        if inner_start >= inner_end:
            return start, end
        start, end = inner_start, inner_end


def is_marked(text: str) -> bool:
    """Whether a line has brackets, weights or other separators than commas."""
    return _SPECIAL.search(text) is not None


def is_literal(raw: str) -> bool:
    """Whether a part is a name for a program: `<lora:a:1>`, `__wildcard__`."""
    if raw[0] == "<":
        return raw[-1] == ">" and ":" in raw
    return _FILE_WILDCARD.fullmatch(raw) is not None


def _at_start(text: str, at: int) -> bool:
    """Whether a piece begins at `at`."""
    before = text[max(0, at - 64) : at].rstrip()
    return not before or before[-1] in ",，、|([{"


@lru_cache(maxsize=256)
def _tokens(extra: tuple[str, ...], line_breaks: bool) -> re.Pattern[str]:
    # `|` is no part of `|||`, unless the user separates tags by it
    own = [re.escape(x) for x in sorted(extra, key=len, reverse=True)]
    first = any(h in x for x in extra for h in HARD)
    ends = re.escape("".join(x.strip()[:1] + x.strip()[-1:] for x in extra))
    start, end = rf"(?<![^\s,，、|({{\[;{ends}])", rf"(?=\s{{0,8}}(?:[,，、|;{ends}]|$))"
    soft = [r"[,，、]", re.escape(SECONDARY)]
    if line_breaks:
        soft.append(r"[\r\n]+")
    return re.compile(
        "|".join(
            (
                r"(?P<escaped>\\.)",
                *([f"(?P<own>{'|'.join(own)})"] if first else []),
                rf"(?P<face>{start}(?:>?[:;=8x]['\-^]?|d:)[()\[\]{{}}<>|]{{1,3}}{end}"
                rf"|{start}[(\[{{<]{{1,3}}['\-^]?[:;=8]{end})",
                r"(?P<markup><\w+:[^<>]*>)",
                r"(?P<hard>\|\|\||(?<![^\s,，、])(?:BREAK|AND)(?![^\s,，、]))",
                *([f"(?P<own>{'|'.join(own)})"] if own and not first else []),
                rf"(?P<novelai>(?<![\w.]){_DIGITS}::|::)",
                rf"(?P<soft>{'|'.join(soft)})",
                r"(?P<bracket>[()\[\]{}])",
            )
        )
    )
