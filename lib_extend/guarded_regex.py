"""Regular expressions that a user typed: they have the meaning of Python's `re` and cannot block the program.

`re` blocks the interpreter while it matches, and some patterns (`(a+)+b`) never end. The package `regex`, which comes
with transformers, has a time limit. A pattern is compiled by `re` first, so that its syntax and its errors are those of
Python; parts that `regex` would read differently are escaped.
"""

from __future__ import annotations

import functools
import importlib
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from lib_extend.errors import UserError

LONGEST_PATTERN = 2000
"""Characters of a pattern, at the most."""
SECONDS = 4.0
"""Time of the processor that one question over many texts may take; an ordinary one takes half a second for 100,000."""
LONGEST_RESULT = 1_000_000
"""Characters of a text that is made by replacing, at the most."""
_QUICK = 0.02
"""Seconds that one text may take while no other thread runs: letting others run costs more than most texts take."""
_LARGEST = 20_000
"""Items of a pattern whose repetitions are written out, as `regex` does when it compiles."""

_REPEAT = re.compile(r"\{([0-9]*)(?:(,)([0-9]*))?\}")
_VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")
_CAPITAL = re.compile(r"(?:\\.)|([A-Z])", re.DOTALL)


class Match(Protocol):
    """The methods of a match of `regex` that are used here."""

    def expand(self, template: str) -> str: ...
    def start(self) -> int: ...
    def end(self) -> int: ...


class Budget:
    """The time left for matching: `seconds` at first, plus `a_text` seconds for each text that is tried."""

    def __init__(self, seconds: float, a_text: float = 0.0) -> None:
        self.left = seconds
        self.a_text = a_text


class GuardedRegex:
    """One pattern, ready to be matched within a time.

    Attributes:
        pattern: what the user typed. what: the words that name it in a message ("exclude has '/(a+)+b/'").
    """

    def __init__(self, pattern: str, what: str, *, ignore_case: bool = True) -> None:
        """
        Args:
            ignore_case: whether letters match without regard to case.

        Raises:
            UserError: the pattern is not a regular expression of Python, is too long, or cannot be run safely here.
        """
        self.pattern = pattern
        self.what = what
        check_pattern(pattern, what)
        try:
            self._regex = _compiled(pattern, ignore_case)
        except RecursionError:
            raise UserError(f"{what}, which goes too deep: write it with fewer brackets.") from None
        except ValueError as e:  # `regex.error` is not a subclass of `re.error`
            raise UserError(f"{what}, which is no regular expression: {e}.") from None

    def fullmatch(self, text: str, budget: Budget) -> Match | None:
        """The match when all of `text` matches. Raises UserError when the budget is spent."""
        found: Match | None = self._timed(self._regex.fullmatch, text, budget)
        return found

    def find(self, texts: Iterable[str], budget: Budget) -> list[bool]:
        """For each text, whether the pattern is found in it. Raises UserError when the budget is spent."""
        search, timed = self._regex.search, self._timed
        return [timed(search, text, budget) is not None for text in texts]

    def replaced(self, text: str, by: str, budget: Budget) -> str:
        r"""`text` with every match replaced by `by` (`\1` stands for a group; see `check_template`).

        A result longer than `LONGEST_RESULT` is cut off there. Raises UserError when the budget is spent.
        """
        result: list[str] = []
        length = done = 0
        for match in self._timed(self._all, text, budget):
            pieces = (text[done : match.start()], match.expand(by))
            result += pieces
            length += sum(map(len, pieces))
            done = match.end()
            if length > LONGEST_RESULT:
                break
        return "".join((*result, text[done:]))

    def check_template(self, by: str) -> None:
        """Raises UserError when the new text `by` is wrong or names a group that is not there."""
        try:
            re.compile(self.pattern + "|").fullmatch("").expand(by)  # type: ignore[union-attr]
        except (re.error, IndexError) as e:
            raise UserError(f"{self.what}, whose new text is wrong: {e}.") from None

    def _all(self, text: str, *, concurrent: bool, timeout: float) -> list[Match]:
        return list(self._regex.finditer(text, concurrent=concurrent, timeout=timeout))

    def _timed(self, match: Callable[..., Any], text: str, budget: Budget) -> Any:
        began = time.thread_time()
        try:
            if budget.left > 0:
                return match(text, concurrent=False, timeout=_QUICK)
        except TimeoutError:
            pass
        finally:
            budget.left += budget.a_text - (time.thread_time() - began)
        return self._slow(match, text, budget)

    def _slow(self, match: Callable[..., Any], text: str, budget: Budget) -> Any:
        """Match again while other threads run. If `regex` counted their time too, match once more."""
        share = 1.0  # how much of the time that `regex` counts is this thread's
        for _ in range(2):
            if budget.left <= 0:
                break
            began = time.thread_time()
            seconds = budget.left / share
            try:
                return match(text, concurrent=True, timeout=seconds)
            except TimeoutError:
                pass
            finally:
                used = time.thread_time() - began
                budget.left -= used
                share = min(1.0, max(used, 1e-3) / seconds)
        raise UserError(
            f"{self.what}, which takes too long: leave out repetitions within repetitions, such as (a+)+."
        )


def search(pattern: str, texts: Sequence[str], what: str, budget: Budget | None = None) -> list[bool]:
    """In which of the texts a pattern is found, without regard to case.

    Raises:
        UserError: it is no regular expression, or takes too long.
    """
    ignore = ignores_case(pattern)
    # a pattern without capitals finds the same in lower case, and much faster
    return GuardedRegex(pattern, what, ignore_case=ignore).find(
        map(str.lower, texts), budget or Budget(SECONDS)
    )


def wild_match(pattern: str, name: str) -> bool:
    """Whether all of `name` matches a pattern with the wildcards `*` and `?`, in a time that no pattern can make
    long."""
    p = n = 0
    star, resume = -1, 0  # only the last star is tried again
    while n < len(name):
        if p < len(pattern) and pattern[p] == "*":
            star, resume = p, n
            p += 1
        elif p < len(pattern) and pattern[p] in ("?", name[n]):
            p += 1
            n += 1
        elif star >= 0:
            p, resume = star + 1, resume + 1
            n = resume
        else:
            return False
    return not pattern[p:].strip("*")


def ignores_case(pattern: str) -> bool:
    """Whether `search` looks without regard to case in texts that it made lower case."""
    return any(m[1] for m in _CAPITAL.finditer(pattern))


def check_pattern(pattern: str, what: str, longest: int = LONGEST_PATTERN) -> None:
    """Raises UserError ("`what`, which …") when `pattern` is not a regular expression or cannot be run safely."""
    if len(pattern) > longest:
        raise UserError(f"{what}, but a regular expression has at most {longest} characters.")
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as e:
        raise UserError(f"{what}, which is no regular expression: {e}.") from None
    except RecursionError:
        raise UserError(f"{what}, which goes too deep: write it with fewer brackets.") from None
    if _VERBOSE.search(pattern):
        raise UserError(f"{what}, whose flag x is not understood: write it without spaces and comments.")
    if _translated(pattern)[1] > _LARGEST:
        raise UserError(f"{what}, which repeats too much: write smaller numbers.")
    if _module() is None:
        raise UserError(
            f"{what}, but regular expressions need the package regex, which is missing here: write names and "
            "wildcards (*) instead."
        )


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str, ignore_case: bool) -> Any:
    module = _module()
    assert module is not None
    try:
        return module.compile(_translated(pattern)[0], module.IGNORECASE if ignore_case else 0)
    except module.error as e:
        raise ValueError(str(e)) from None


@functools.lru_cache(maxsize=1)
def _module() -> Any:
    """The package `regex`, or None where it is missing or too old to watch the time."""
    try:
        module = importlib.import_module("regex")
        module.compile("a").search("a", concurrent=True, timeout=1.0)
    except (ImportError, TypeError, AttributeError):
        return None
    return module


def _translated(pattern: str) -> tuple[str, int]:
    """A valid pattern of `re` in the syntax of `regex`, and its number of items with all repetitions written out."""
    out: list[str] = []
    sizes, last = [0], [0]  # of each open bracket: items so far, and those of the newest item
    i = 0
    while i < len(pattern):
        c = pattern[i]
        repeat = _REPEAT.match(pattern, i) if c == "{" and pattern[i : i + 2] != "{}" else None
        end = i + 1
        text = c
        if c == "\\":
            end = i + 2
            text = pattern[i:end]
        elif c == "[":
            end, text = _translated_set(pattern, i)
        elif pattern.startswith("(?#", i):
            end = pattern.index(")", i) + 1
            text = ""
        elif repeat:
            low, comma, high = repeat[1] or "0", repeat[2] or "", repeat[3] or ""
            text, end = "{" + low + comma + high + "}", repeat.end()
            sizes[-1] += last[-1] * (max(1, int(low)) - 1)
            last[-1] *= max(1, int(low))
        elif c == "{":
            text = r"\{"  # approximate matching, in the syntax of `regex`
        if c == "(" and text:
            sizes.append(0)
            last.append(0)
        elif c == ")" and len(sizes) > 1:
            inner = sizes.pop() + 1
            last.pop()
            sizes[-1] += inner
            last[-1] = inner
        elif not repeat and text and c not in "*+?|":
            sizes[-1] += 1
            last[-1] = 1
        out.append(text)
        i = end
    return "".join(out), sum(sizes)


def _translated_set(pattern: str, start: int) -> tuple[int, str]:
    """Where the set `[…]` at `start` ends, and its text; a `[` within is escaped, since `[:` begins a class there."""
    i = start + 1
    out = ["["]
    if pattern[i] == "^":
        out.append("^")
        i += 1
    first = i
    while pattern[i] != "]" or i == first:
        if pattern[i] == "\\":
            out.append(pattern[i : i + 2])
            i += 2
        else:
            out.append(rf"\{pattern[i]}" if pattern[i] in "[]" else pattern[i])
            i += 1
    return i + 1, "".join((*out, "]"))
