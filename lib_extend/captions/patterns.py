"""Patterns for tags: names, wildcards (`*_background`) and `/regular expressions/`.

All are matched against the whole canonical name and, so that people may write what they read, against
the name with spaces, without regard to case. A regular expression that takes too long ends the run with a sentence
that names the setting and the expression (see `guarded_regex`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib_extend.errors import UserError
from lib_extend.guarded_regex import Budget, GuardedRegex, Match, wild_match
from lib_extend.vocabulary.tag_names import KAOMOJI, canonical, key

_REMEMBERED = 50_000
_SECONDS, _A_NAME = 2.0, 0.001
"""The time that one pattern may take for all names, and how much each name adds."""
_ESCAPED = re.compile(r"\\+([()\[\]])")


class Patterns:
    """A list of patterns, compiled once; what a name matched is remembered."""

    def __init__(self, texts: Sequence[str], setting: str) -> None:
        self._names: dict[str, str] = {}
        self._wider: list[tuple[Callable[[str], object], str]] = []
        for text in texts:
            regex = _regex(text, setting)
            if regex is not None:
                self._wider.append((regex.match, text))
            elif _is_wild(text):
                self._wider.append((_wild(text), text))
            else:
                self._names[key(canonical(text))] = text
        self._seen: dict[str, str | None] = {}

    def match(self, name: str) -> str | None:
        """The pattern that `name` (canonical) matches, as the user wrote it, or None."""
        if not self._wider:
            return self._names.get(key(name)) if self._names else None
        if name in self._seen:
            return self._seen[name]
        found = self._find(key(name))
        if len(self._seen) < _REMEMBERED:
            self._seen[name] = found
        return found

    def _find(self, folded: str) -> str | None:
        if folded in self._names:
            return self._names[folded]
        spaced = folded.replace("_", " ")
        for matches, text in self._wider:
            if matches(folded) or (spaced != folded and matches(spaced)):
                return text
        return None


@dataclass(frozen=True)
class Replacement:
    """`old=new`: what makes the new name of a name in lower case, None where the rule says nothing of it.

    An empty new name removes the tag.
    """

    renamed: Callable[[str], str | None]


class Replacements:
    """A list of `old=new` rules; the first that matches applies, once."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._rules = [_rule(text) for text in texts]
        self._seen: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._rules)

    def apply(self, name: str) -> str:
        """The new canonical name; "" when the tag is to go."""
        if name in self._seen:
            return self._seen[name]
        new = self._new(name, key(name))
        if len(self._seen) < _REMEMBERED:
            self._seen[name] = new
        return new

    def settled(self, name: str) -> str:
        """As `apply`, but `name` itself where the rules would change the result again and again.

        For names that come back in the next run as they were written in this one.
        """
        new = self.apply(name)
        return new if not new or self.apply(new) == new else name

    def _new(self, name: str, folded: str) -> str:
        forms = dict.fromkeys((folded, folded.replace("_", " ")))
        for rule in self._rules:
            for form in forms:
                new = rule.renamed(form)
                if new is not None:
                    return canonical(new)
        return name


def _rule(text: str) -> Replacement:
    text = text.strip()
    face = next((k for k in KAOMOJI if "=" in k and text.startswith(f"{k}=")), "")
    cut = len(face) or (text.rfind("/=") + 1 if text.startswith("/") else text.find("="))
    if cut <= 0:
        raise UserError(f"replace has {text!r}, but must be written old=new.")
    old, new = text[:cut].strip(), _ESCAPED.sub(r"\1", text[cut + 1 :].strip())
    if "," in new:
        raise UserError(f"replace has {text!r}, whose new text has a comma: write one tag.")
    regex = _regex(old, "replace")
    if regex is not None:
        regex.check_template(new)
        return Replacement(lambda name: regex.renamed(name, new))
    if _is_wild(old):
        wild = _wild(old)
        return Replacement(lambda name: new if wild(name) else None)
    plain = key(canonical(old))
    return Replacement(lambda name: new if name == plain else None)


@lru_cache(maxsize=64)
def patterns(texts: tuple[str, ...], setting: str) -> Patterns:
    """`Patterns`, compiled once for each list."""
    return Patterns(texts, setting)


@lru_cache(maxsize=64)
def replacements(texts: tuple[str, ...]) -> Replacements:
    """`Replacements`, compiled once for each list."""
    return Replacements(texts)


class _Regex:
    """A regular expression of a setting, with its own share of time."""

    def __init__(self, pattern: str, what: str) -> None:
        self._regex = GuardedRegex(pattern, what)
        self._budget = Budget(_SECONDS, _A_NAME)
        self.check_template = self._regex.check_template

    def match(self, name: str) -> Match | None:
        """The match of a whole name. Raises UserError when the expression takes too long."""
        return self._regex.fullmatch(name, self._budget)

    def renamed(self, name: str, new: str) -> str | None:
        """`new` with the groups of the match in it; None when `name` does not match."""
        match = self.match(name)
        return None if match is None else match.expand(new)


def _regex(text: str, setting: str) -> _Regex | None:
    """The expression between slashes; None for a name or a wildcard. Raises UserError."""
    pattern = text.strip()
    if len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/"):
        return _Regex(pattern[1:-1], f"{setting} has {pattern!r}")
    return None


def _is_wild(text: str) -> bool:
    text = text.strip()
    # kaomoji such as *_* and tags such as !? are names, not wildcards
    return (
        bool(set(text) & {"*", "?"}) and not set(text) <= {"!", "?"} and key(canonical(text)) not in KAOMOJI
    )


def _wild(text: str) -> Callable[[str], bool]:
    pattern = _ESCAPED.sub(r"\1", text.strip().lower())
    return lambda name: wild_match(pattern, name)
