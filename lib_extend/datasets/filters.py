"""The filter language of the browser: it selects the pictures to show.

    red_hair "school uniform" -hat             words and quoted words: tags they stand in; `-` and `not` exclude
    tag:1girl  missing:1girl  *_background     a tag by its whole name, its absence, wildcards over whole names
    (a or b) and not c                         `and` is understood, `or` binds less, `not` more
    text:"in her hand"  /\\d+ (boxes|bags)/    text anywhere in the caption, a regular expression on it
    source:question  has:caption  unsure       where tags came from, what there is, answers to look at
    left-out                                   pictures that were left out
    changed:last  changed:12                   captions changed by the newest run that changed any, or by run 12
    tokens>75  tags<5                          numbers of CLIP tokens and of tags

Upper and lower case are the same. A filter is parsed into a small tree and evaluated over whole sets of pictures
(bits of one integer), so that its time hardly depends on the number of matches.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lib_extend.guarded_regex import wild_match

SOURCES = ("tagger", "question", "person", "human")
THINGS = ("caption", "analysis")
NUMBERS = ("tokens", "tags")

_SYMBOL = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class All:
    """Every picture: the empty filter."""


@dataclass(frozen=True)
class Words:
    """Pictures with a tag that contains these words (`text` as a key, words joined by underscores)."""

    text: str


@dataclass(frozen=True)
class Wild:
    """Pictures with a tag whose whole key matches the wildcards `*` and `?`."""

    pattern: str


@dataclass(frozen=True)
class Exact:
    """Pictures with the tag of this key."""

    key: str


@dataclass(frozen=True)
class Text:
    """Pictures whose caption contains this text (kept in lower case; the caption's case is ignored)."""

    text: str


@dataclass(frozen=True)
class Regex:
    """Pictures in whose caption the regular expression is found."""

    pattern: str


@dataclass(frozen=True)
class From:
    """Pictures with a tag from this one of `SOURCES`."""

    source: str


@dataclass(frozen=True)
class Has:
    """Pictures that have this one of `THINGS`."""

    thing: str


@dataclass(frozen=True)
class Changed:
    """Pictures whose caption a run changed; None for the newest run that changed any."""

    run: int | None


@dataclass(frozen=True)
class Compare:
    """Pictures whose number of tokens or tags fits this comparison."""

    number: str
    operator: str
    value: int


@dataclass(frozen=True)
class Unsure:
    """Pictures with an uncertain answer that no person has checked."""


@dataclass(frozen=True)
class LeftOut:
    """Pictures that a person left out."""


@dataclass(frozen=True)
class Not:
    """Pictures that are not among these."""

    item: Node


@dataclass(frozen=True)
class And:
    """Pictures that are among all of these."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """Pictures that are among any of these."""

    items: tuple[Node, ...]


Leaf = All | Words | Wild | Exact | Text | Regex | From | Has | Changed | Compare | Unsure | LeftOut
Node = Leaf | Not | And | Or


class Rows(Protocol):
    """The pictures on which a filter is evaluated, as the bits of integers."""

    def select(self, leaf: Leaf, among: int) -> int:
        """The pictures that match a leaf; the result may or may not include pictures outside `among`."""
        ...


def evaluate(node: Node, rows: Rows, among: int) -> int:
    """The pictures of `among` that match a filter. Cheap parts are evaluated first, so that the others search fewer
    pictures."""
    if isinstance(node, Not):
        return among & ~evaluate(node.item, rows, among)
    if isinstance(node, And):
        for item in sorted(node.items, key=_cost):
            among = evaluate(item, rows, among) if among else 0
        return among
    if isinstance(node, Or):
        found = 0
        for item in sorted(node.items, key=_cost):
            found |= evaluate(item, rows, among & ~found)
        return found
    return among & rows.select(node, among)


def speaks_of_left_out(node: Node) -> bool:
    """Whether a filter itself names left-out pictures."""
    if isinstance(node, Not):
        return speaks_of_left_out(node.item)
    if isinstance(node, (And, Or)):
        return any(map(speaks_of_left_out, node.items))
    return isinstance(node, LeftOut)


def _cost(node: Node) -> int:
    if isinstance(node, Not):
        return _cost(node.item)
    if isinstance(node, (And, Or)):
        return max(map(_cost, node.items))
    return 2 if isinstance(node, Regex) else 1 if isinstance(node, Text) else 0


def matcher(leaf: Words | Wild) -> Callable[[str], bool]:
    """A test for the key of one tag."""
    if isinstance(leaf, Wild):
        pattern = leaf.pattern
        return lambda name: wild_match(pattern, name)
    text = leaf.text
    open_left = _SYMBOL.match(text[0]) is None
    open_right = _SYMBOL.match(text[-1]) is None

    def stands(name: str) -> bool:
        at = name.find(text)
        while at >= 0:
            end = at + len(text)
            left = open_left or at == 0 or _SYMBOL.match(name[at - 1]) is None
            if left and (open_right or end == len(name) or _SYMBOL.match(name[end]) is None):
                return True
            at = name.find(text, at + 1)
        return False

    return stands
