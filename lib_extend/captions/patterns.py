"""Patterns for tags: names, wildcards (`*_background`) and `/regular expressions/`.

All are matched against the whole canonical name and, so that people may write what they read, against
the name with spaces, without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from lib_extend.captions.names import KAOMOJI, canonical, key
from lib_extend.errors import UserError


class Patterns:
    """A list of patterns, compiled once."""

    def __init__(self, texts: Sequence[str], setting: str) -> None:
        self._names: dict[str, str] = {}
        self._regexes: list[tuple[re.Pattern[str], str]] = []
        for text in texts:
            regex = _compile(text, setting)
            if regex is None:
                self._names[key(canonical(text))] = text
            else:
                self._regexes.append((regex, text))

    def match(self, name: str) -> str | None:
        """The pattern that `name` (canonical) matches, as the user wrote it, or None."""
        folded = key(name)
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
    """A list of `old=new` rules; the first that matches applies."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._rules: list[Replacement] = []
        for text in texts:
            cut = text.rfind("/=") + 1 if text.startswith("/") else text.find("=")
            if cut <= 0:
                raise UserError(f"replace has {text!r}, but must be written old=new.")
            old, new = text[:cut], text[cut + 1 :].strip()
            regex = _compile(old, "replace")
            if regex is not None:
                try:
                    # a group that does not exist is found now, not at the first tag that matches
                    regex_template = re.compile(regex.pattern + "|", re.IGNORECASE)
                    regex_template.fullmatch("").expand(new)  # type: ignore[union-attr]
                except (re.error, IndexError) as e:
                    raise UserError(f"replace has {text!r}, whose new text is wrong: {e}.") from None
            self._rules.append(Replacement(key(canonical(old)), new, regex))

    def __bool__(self) -> bool:
        return bool(self._rules)

    def apply(self, name: str) -> str:
        """The new canonical name; "" when the tag is to go."""
        folded = key(name)
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
    # kaomoji such as *_* and ?_? are names, not wildcards
    if ("*" in text or ("?" in text and len(text) > 1)) and key(canonical(text)) not in KAOMOJI:
        return re.compile(translate(text.lower()), re.IGNORECASE)
    return None
