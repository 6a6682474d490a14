"""How many CLIP tokens a prompt has, as the hosts' own counters show it.

The rules are theirs: extra networks and the signs of emphasis are not counted; of several prompts joined by `AND`, and
of the alternatives of a schedule, the longest counts; `BREAK` fills up to the next 75. Two things are known only to the
hosts: how many tokens a textual inversion stands for (its name's are counted), and where
they move the words behind a comma into the next 75 instead of dividing them, which adds some tokens to a prompt
of more than 75. Of alternatives the one with the most characters is taken for the longest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lib_extend.generation import syntax
from lib_extend.generation.syntax import AND
from lib_extend.vocabulary import clip_tokens as tokens

CHUNK = 75
"""Tokens that the text encoders see at once."""

_BREAK = re.compile(r"\bBREAK\b")
_AND = re.compile(rf"\b{AND}\b")
_AND_WEIGHT = re.compile(r":\s*[-+]?(?:\d+\.?|\d*\.\d+)\s*$")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*")
_ATTENTION = re.compile(r"\\.|\(|\[|:\s*[+-]?[.\d]+\s*\)|\)|\]|[^\\()\[\]:]+|.", re.DOTALL)


def count(prompt: str, *, negative: bool = False) -> int:
    """The tokens of a prompt, without those that begin and end it. `negative`: `AND` is a word there."""
    text = syntax.networks(prompt)[0]
    composed = [text] if negative else [_AND_WEIGHT.sub("", part) for part in _AND.split(text)]
    return max(_count(_scheduled(part)) for part in composed)


def _count(text: str) -> int:
    """Of one prompt without schedules."""
    *before, last = (tokens.count(part) for part in _BREAK.split(_plain(text)))
    return sum(max(CHUNK, -(-n // CHUNK) * CHUNK) for n in before) + last


def _plain(text: str) -> str:
    """A text without the signs of emphasis; brackets that are letters stay."""
    parts: list[str] = []
    opened = {"(": 0, "[": 0}
    for match in _ATTENTION.finditer(text):
        token = match[0]
        if len(token) > 1 and token[0] == "\\":
            parts.append(token[1:])
        elif token in opened:
            opened[token] += 1
            parts.append(" ")
        elif token == "]" and opened["["]:
            opened["["] -= 1
            parts.append(" ")
        elif token[-1] == ")" and opened["("]:
            # `:1.2)` is a weight only where something is open
            opened["("] -= 1
            parts.append(" ")
        else:
            parts.append(token)
    return "".join(parts)


@dataclass
class _Open:
    """A bracket that is open: what was read in it since the last sign of a schedule, and the parts before."""

    bracket: str
    text: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    signs: set[str] = field(default_factory=set)

    def split(self, sign: str) -> None:
        self.parts.append("".join(self.text))
        self.text = []
        self.signs.add(sign)


def _scheduled(text: str) -> str:
    """A prompt with the longest of the alternatives in `[a:b:0.5]`, `[a:5]` and `[a|b]`."""
    stack = [_Open("")]
    for match in re.finditer(r"\\.|[()\[\]:|]|[^\\()\[\]:|]+|\\", text, re.DOTALL):
        token, here = match[0], stack[-1]
        if token in ("(", "["):
            stack.append(_Open(token))
        elif token in (")", "]") and here.bracket == {")": "(", "]": "["}[token]:
            stack.pop()
            stack[-1].text.append(_closed(here, token))
        elif token in (":", "|") and here.bracket == "[":
            here.split(token)
        else:
            here.text.append(token)
    # an unpaired bracket is an ordinary character
    return "".join(o.bracket + ":".join([*o.parts, "".join(o.text)]) for o in stack)


def _closed(here: _Open, close: str) -> str:
    last = "".join(here.text)
    if here.signs == {"|"}:
        return max([*here.parts, last], key=len)
    if here.signs == {":"} and len(here.parts) <= 2 and _NUMBER.fullmatch(last):
        return max(here.parts, key=len)
    sign = "|" if "|" in here.signs else ":"
    return here.bracket + sign.join([*here.parts, last]) + close
