"""Parse a filter into the tree of `filters.py`, or report one sentence that names the place of the error."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lib_extend.datasets.filters import (
    NUMBERS,
    SOURCES,
    THINGS,
    All,
    And,
    Changed,
    Compare,
    Exact,
    From,
    Has,
    LeftOut,
    Node,
    Not,
    Or,
    Regex,
    Text,
    Unsure,
    Wild,
    Words,
)
from lib_extend.errors import UserError
from lib_extend.guarded_regex import check_pattern
from lib_extend.vocabulary.tag_names import KAOMOJI, canonical, key

LONGEST_FILTER = 2000
LONGEST_REGEX = 300
DEEPEST = 50
"""Brackets and negations within one another, at the most."""

_FIELD = re.compile(r"(tag|missing|text|source|has|changed):", re.IGNORECASE)
_COMPARISON = re.compile(rf"({'|'.join(NUMBERS)})\s*(<=|>=|<|>|=)\s*", re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]{1,9})(?=[\s)]|\Z)")


class FilterError(UserError):
    """The filter cannot be parsed; `place` is the character (from 0) of the error."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.place = place


def parse(text: str) -> Node:
    """The tree of a filter; an empty one is `All`.

    Raises:
        FilterError: one sentence that names the place.
    """
    if len(text) > LONGEST_FILTER:
        raise FilterError(
            f"The filter has {len(text)} characters: {LONGEST_FILTER} are the most.", LONGEST_FILTER
        )
    return _Parser(_tokens(text)).whole()


@dataclass(frozen=True)
class _Token:
    """`kind` is one of ( ) and or not leaf; `at` its place in the filter."""

    kind: str
    at: int
    leaf: Node | None = None


def _fail(what: str, at: int) -> FilterError:
    return FilterError(f"{what} (character {at + 1} of the filter).", at)


# from characters to tokens


def _tokens(text: str) -> list[_Token]:
    tokens = []
    i = 0
    while i < len(text):
        c = text[i]
        if c.isspace():
            i += 1
        elif c in "()":
            tokens.append(_Token(c, i))
            i += 1
        elif c == "-" and _word(text, i)[0].lower() not in KAOMOJI:
            tokens.append(_Token("not", i))
            i += 1
            if i == len(text) or text[i].isspace():
                raise _fail("Nothing follows the minus: write it right before a word", i - 1)
        else:
            token, i = _leaf(text, i)
            tokens.append(token)
    return tokens


def _leaf(text: str, i: int) -> tuple[_Token, int]:
    if text[i] == '"':
        value, end = _quoted(text, i)
        return _Token("leaf", i, Words(_name(value, i))), end
    if text[i] == "/":
        return _regex(text, i)
    compared = _COMPARISON.match(text, i)
    if compared:
        number = _NUMBER.match(text, compared.end())
        if number is None:
            raise _fail(f"{compared[1]}{compared[2]} needs a whole number", i)
        return _Token("leaf", i, Compare(compared[1].lower(), compared[2], int(number[1]))), number.end()
    field = _FIELD.match(text, i)
    if field:
        at = field.end()
        value, end = _quoted(text, at) if text[at : at + 1] == '"' else _word(text, at)
        if not value.strip():
            raise _fail(f"Nothing follows {field[0]}", i)
        return _Token("leaf", i, _valued(field[1].lower(), value, i)), end
    value, end = _word(text, i)
    lower = value.lower()
    if lower in ("and", "or", "not"):
        return _Token(lower, i), end
    if lower == "unsure":
        return _Token("leaf", i, Unsure()), end
    if lower == "left-out":
        return _Token("leaf", i, LeftOut()), end
    name = _name(value, i)
    # kaomoji such as *_* and tags such as !? are names, not wildcards
    wild = set(value) & {"*", "?"} and not set(value) <= {"!", "?"} and name not in KAOMOJI
    return _Token("leaf", i, Wild(name) if wild else Words(name)), end


def _word(text: str, start: int) -> tuple[str, int]:
    """A word up to a space; a closing bracket ends it unless the word itself opened it (`saber_(fate)`)."""
    depth = 0
    i = start
    while i < len(text) and not text[i].isspace():
        if text[i] == "(":
            depth += 1
        elif text[i] == ")":
            if not depth:
                break
            depth -= 1
        i += 1
    return text[start:i], i


def _quoted(text: str, start: int) -> tuple[str, int]:
    end = text.find('"', start + 1)
    if end < 0:
        raise _fail("The quotation mark is never closed", start)
    value = text[start + 1 : end]
    if not value.strip():
        raise _fail("There is nothing between the quotation marks", start)
    return value, end + 1


def _name(value: str, at: int) -> str:
    name = key(canonical(value))
    if not name:
        raise _fail("There is no word here", at)
    return name


def _regex(text: str, start: int) -> tuple[_Token, int]:
    i = start + 1
    while i < len(text) and text[i] != "/":
        i += 2 if text[i] == "\\" else 1
    if i >= len(text):
        raise _fail("The slash of a regular expression is never closed", start)
    return _Token("leaf", start, Regex(_checked_regex(text[start + 1 : i], start))), i + 1


def _checked_regex(pattern: str, at: int) -> str:
    """`pattern`, if it is a regular expression that can be run safely.

    Raises:
        FilterError: it is not a regular expression, or it is too long.
    """
    if not pattern:
        raise _fail("There is nothing between the slashes", at)
    try:
        check_pattern(pattern, f"The filter has /{pattern}/", LONGEST_REGEX)
    except UserError as e:
        raise _fail(str(e).removesuffix("."), at) from None
    return pattern


def _valued(field: str, value: str, at: int) -> Node:
    if field == "tag":
        return Exact(_name(value, at))
    if field == "missing":
        return Not(Exact(_name(value, at)))
    if field == "text":
        return Text(value.lower())
    lower = value.lower()
    if field == "source":
        if lower not in SOURCES:
            raise _fail(f"There is no source {value}: the sources are {', '.join(SOURCES)}", at)
        return From(lower)
    if field == "has":
        if lower not in THINGS:
            raise _fail(f"has:{value} is unknown: has: takes {' or '.join(THINGS)}", at)
        return Has(lower)
    if lower == "last":
        return Changed(None)
    if not (lower.isascii() and lower.isdigit() and len(lower) < 10):
        raise _fail("changed: takes the word last or the number of a run", at)
    return Changed(int(lower))


# from tokens to the tree


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        if not self._tokens:
            return All()
        node = self._any()
        if self._next < len(self._tokens):  # only an extra closing bracket ends `_any` early
            raise _fail("This bracket was never opened", self._tokens[self._next].at)
        return node

    def _peek(self) -> str:
        return self._tokens[self._next].kind if self._next < len(self._tokens) else ""

    def _any(self) -> Node:
        items = [self._all()]
        while self._peek() == "or":
            self._next += 1
            items.append(self._all())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _all(self) -> Node:
        items = [self._one()]
        while self._peek() not in ("", "or", ")"):
            if self._peek() == "and":
                self._next += 1
            items.append(self._one())
        return items[0] if len(items) == 1 else And(tuple(items))

    def _one(self) -> Node:
        kind = self._peek()
        if kind in ("", ")", "and", "or"):
            raise self._missing(kind)
        token = self._tokens[self._next]
        self._next += 1
        if token.leaf is not None:
            return token.leaf
        self._depth += 1
        if self._depth > DEEPEST:
            raise _fail(f"Brackets and negations go {DEEPEST} deep at the most", token.at)
        if kind == "not":
            node: Node = Not(self._one())
        else:
            node = self._any()
            if self._peek() != ")":
                raise _fail("This bracket is never closed", token.at)
            self._next += 1
        self._depth -= 1
        return node

    def _missing(self, kind: str) -> FilterError:
        before = self._tokens[self._next - 1] if self._next else None
        if kind == ")" and (before is None or before.kind != "("):
            if before is None or before.kind == "leaf":
                return _fail("This bracket was never opened", self._tokens[self._next].at)
            return _fail(f"Nothing follows {before.kind}", before.at)
        if before is not None and before.kind == "(":
            return _fail("There is nothing in the brackets", before.at)
        if before is None:
            return _fail(f"Nothing stands before {kind}", self._tokens[self._next].at)
        return _fail(f"Nothing follows {before.kind}", before.at)
