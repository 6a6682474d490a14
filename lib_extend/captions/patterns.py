"""Patterns for tags: names, wildcards (`*_background`) and `/regular expressions/`.

All are matched against the whole canonical name and, so that people may write what they read, against
the name with spaces, without regard to case. Names are short and each is tried once a run, but a regular
expression is the user's own: one that backtracks without end (`/(a+)+b/`) is slow here as anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib_extend.errors import UserError
from lib_extend.vocabulary.tag_names import KAOMOJI, canonical, key

_REMEMBERED = 50_000
_ESCAPED = re.compile(r"\\+([()\[\]])")


class Patterns:
    """A list of patterns, compiled once; what a name matched is remembered."""

    def __init__(self, texts: Sequence[str], setting: str) -> None:
        self._names: dict[str, str] = {}
        self._regexes: list[tuple[re.Pattern[str], str]] = []
        for text in texts:
            regex = _compile(text, setting)
            if regex is None:
                self._names[key(canonical(text))] = text
            else:
                self._regexes.append((regex, text))
        self._seen: dict[str, str | None] = {}

    def match(self, name: str) -> str | None:
        """The pattern that `name` (canonical) matches, as the user wrote it, or None."""
        if not self._regexes:
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
        for regex, text in self._regexes:
            if regex.fullmatch(folded) or regex.fullmatch(folded.replace("_", " ")):
                return text
        return None


@dataclass(frozen=True)
class Replacement:
    """`old=new`: `regex` is None for a plain name; an empty `new` removes the tag."""

    old: str
    new: str
    regex: re.Pattern[str] | None


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
        for rule in self._rules:
            if rule.regex is None:
                if folded == rule.old:
                    return canonical(rule.new)
                continue
            for text in (folded, folded.replace("_", " ")):
                match = rule.regex.fullmatch(text)
                if match:
                    return canonical(match.expand(rule.new))
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
    regex = _compile(old, "replace")
    if regex is None:
        return Replacement(key(canonical(old)), new, None)
    if not old.startswith("/"):
        return Replacement(old, new.replace("\\", r"\\"), regex)  # a wildcard has no groups
    try:
        # a group that does not exist is found now, not at the first tag that matches
        re.compile(regex.pattern + "|", re.IGNORECASE).fullmatch("").expand(new)  # type: ignore[union-attr]
    except (re.error, IndexError) as e:
        raise UserError(f"replace has {text!r}, whose new text is wrong: {e}.") from None
    return Replacement(old, new, regex)


@lru_cache(maxsize=64)
def patterns(texts: tuple[str, ...], setting: str) -> Patterns:
    """`Patterns`, compiled once for each list."""
    return Patterns(texts, setting)


@lru_cache(maxsize=64)
def replacements(texts: tuple[str, ...]) -> Replacements:
    """`Replacements`, compiled once for each list."""
    return Replacements(texts)


def _compile(text: str, setting: str) -> re.Pattern[str] | None:
    text = text.strip()
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        try:
            return re.compile(text[1:-1], re.IGNORECASE)
        except re.error as e:
            raise UserError(f"{setting} has {text!r}, which is no regular expression: {e}.") from None
    # kaomoji such as *_* and tags such as !? are names, not wildcards
    if not set(text) & {"*", "?"} or set(text) <= {"!", "?"} or key(canonical(text)) in KAOMOJI:
        return None
    wild = {"*": ".*", "?": "."}
    return re.compile(
        "".join(wild.get(c) or re.escape(c) for c in _ESCAPED.sub(r"\1", text.lower())),
        re.IGNORECASE | re.DOTALL,
    )
