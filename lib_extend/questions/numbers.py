"""Numbers in a model's words: "Three", "there are 3 cakes.", "about 5" — but not "2 or 3"."""

from __future__ import annotations

import re

from lib_extend.vocabulary import hedges

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = (
    {word: value for value, word in enumerate(_WORDS)}
    | {word: 20 + 10 * i for i, word in enumerate(_TENS)}
    | {"hundred": 100, "pair": 2, "couple": 2, "dozen": 12, "single": 1, "a": 1, "an": 1}
)
_UNITS = frozenset(_WORDS[1:10])
# these count as numbers only if the text has no other number: "a cake", "one of them"
_WEAK = frozenset({"one", "single", "a", "an"})
MOST = 20

CHOICES: tuple[tuple[str, ...], ...] = tuple(
    (str(n), word, *(("none",) if n == 0 else ())) for n, word in enumerate(_WORDS)
)
"""The choices of a count question: (digits, word) rows from 0 to 20."""

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[a-z]+")
_BOUND = re.compile(
    r"\b(?:more|less|fewer|greater) than\b|\bat (?:least|most)\b|\bup to\b|\bor (?:more|so)\b|\bpairs\b"
    r"|\b(?:over|under|above|below|beyond) (?:a |an )?(?:\d|dozen|hundred|" + "|".join(_WORDS) + r")"
)
_VAGUE = re.compile(
    r"\b(?:several|few|many|some|multiple|numerous|various|countless|plenty|lots?|bunch|handful|"
    r"group|number|dozens|hundreds|thousands)\b"
)
_RANGE = re.compile(r"\bone (?:or|to|and) (?:\d|" + "|".join(_WORDS) + r")")
_NONE = re.compile(
    r"\b(?:no|none|nothing|zero)\b|(?:n't|\bnot|\bwithout)\b.*\b(?:any|visible|present|there)\b"
)
LARGEST = 999


def count_in(text: str) -> int | None:
    """The one number a text names, 0 … 999, or None: no number, two, a range, a fraction, "several".

    "about 5" is 5; "at least 5" is no count. "There are no cakes, but 2 cups" is 0.
    """
    text = hedges.plain(text)
    if hedges.absent(text):
        return 0
    if _BOUND.search(text) or _RANGE.search(text):
        return None
    exact, weak = _numbers(_TOKEN.findall(text))
    if exact:
        # "2 or 3" is unsure, and so is "12 cakes in 3 rows"
        return exact.pop() if len(exact) == 1 and max(exact) <= LARGEST else None
    if hedges.unsure(text) or _VAGUE.search(text):
        return None
    if _NONE.search(text):
        return 0
    return 1 if weak else None


def _numbers(tokens: list[str]) -> tuple[set[int], bool]:
    """The numbers in a row of words, and whether there is also an article or a "one" alone."""
    exact: set[int] = set()
    weak = False
    i = 0
    while i < len(tokens):
        token = tokens[i]
        following = tokens[i + 1] if i + 1 < len(tokens) else ""
        if token[0].isdigit():
            # a fraction, or a number that is far too long, is not in 0 … 999
            value = int(token) if token.isdigit() and len(token) <= 6 else LARGEST + 1
            i += following == "dozen"
            exact.add(value * 12 if following == "dozen" else value)
        elif token == "half" and tokens[i + 1 : i + 3] in (["a", "dozen"], ["dozen"]):
            exact.add(6)
            i += len(tokens[i + 1 : i + 3])
        elif token in _TENS and following in _UNITS:
            exact.add(_VALUES[token] + _VALUES[following])
            i += 1
        elif token in _VALUES and following in ("dozen", "hundred"):
            exact.add(_VALUES[token] * _VALUES[following])
            i += 1
        elif token in _WEAK:
            weak = True
        elif token in _VALUES and token != "zero":
            exact.add(_VALUES[token])
        i += 1
    return exact, weak
