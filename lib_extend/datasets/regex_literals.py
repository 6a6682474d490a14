"""The texts that every match of a regular expression contains: searching for them first is much faster than
matching."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from typing import Any

Needed = list[tuple[str, ...]]
"""Of each of these groups at least one text must be there."""

LONGEST = 60
_MANY = 20
"""Texts in a group, at the most."""
# if case is ignored, these also match letters outside ASCII (ſ, the Kelvin sign, İ)
_DOUBTFUL = frozenset("ksi")


def needed(pattern: str, *, ignore_case: bool) -> Needed:
    """The texts that every text with a match of `pattern` contains, in lower case when `ignore_case`; [] when unknown.

    Longest texts first. `pattern` must be a valid regular expression.
    """
    try:
        # the parser of `re` itself; its module differs between Python versions
        parser = importlib.import_module("re._parser" if hasattr(re, "_parser") else "sre_parse")
        tree = parser.parse(pattern)
        flags = tree.state.flags
    except (ImportError, AttributeError, RecursionError, re.error):
        return []
    reader = _Reader(ignore_case or bool(flags & re.IGNORECASE))
    try:
        reader.read(tree)
    except (RecursionError, TypeError, ValueError):
        return []  # an unknown version of the parser
    groups = dict.fromkeys(reader.groups())
    return sorted(groups, key=lambda group: -min(map(len, group)))


class _Reader:
    """Reads a parsed expression from left to right and collects the texts that every match contains."""

    def __init__(self, ignore_case: bool) -> None:
        self._ignore_case = ignore_case
        self._run = ""
        self._found: Needed = []

    def groups(self) -> Needed:
        """What was found."""
        self._end()
        return self._found

    def read(self, items: Iterable[Any]) -> None:
        """One sequence."""
        for op, value in items:
            name = str(op)
            if name == "LITERAL":
                self._letter(chr(value))
            elif name == "SUBPATTERN":
                _, added, removed, inner = value
                if added or removed:
                    self._end()  # other flags apply there
                else:
                    self.read(inner)
            elif name == "ATOMIC_GROUP":
                self.read(value)
            elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
                least, _, inner = value
                self._end()
                if least:
                    self.read(inner)
                    self._end()
            elif name == "BRANCH":
                self._branch(value[1])
            elif name not in ("AT", "ASSERT", "ASSERT_NOT"):  # these match no characters
                self._end()

    def _branch(self, ways: Iterable[Iterable[Any]]) -> None:
        self._end()
        texts: list[str] = []
        for way in ways:
            reader = _Reader(self._ignore_case)
            reader.read(way)
            best = max(reader.groups(), key=lambda group: min(map(len, group)), default=None)
            if best is None:
                return
            texts += best
        if len(texts) <= _MANY:
            self._found.append(tuple(dict.fromkeys(texts)))

    def _letter(self, letter: str) -> None:
        if self._ignore_case:
            letter = letter.lower()
            if not letter.isascii() or letter in _DOUBTFUL:
                return self._end()
        self._run += letter
        if len(self._run) >= LONGEST:
            self._end()
        return None

    def _end(self) -> None:
        if self._run:
            self._found.append((self._run,))
        self._run = ""
