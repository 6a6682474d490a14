"""Numbers in a model's words: "Three", "there are 3 cakes.", "about 5" — but not "2 or 3"."""

from __future__ import annotations

import re

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
_VALUES = {word: value for value, word in enumerate(_WORDS)} | {
    "no": 0,
    "none": 0,
    "nothing": 0,
    "single": 1,
    "a": 1,
    "an": 1,
    "pair": 2,
    "couple": 2,
    "dozen": 12,
}
MOST = 20

CHOICES: tuple[tuple[str, ...], ...] = tuple(
    (str(n), word, *(("none",) if n == 0 else ())) for n, word in enumerate(_WORDS)
)
"""The choices of a count question: (digits, word) rows from 0 to 20."""

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[a-z]+")
# words that join two numbers into a range, which is no count
_BETWEEN = re.compile(r"\b(?:or|to|and|between)\b|-|–|~")


def count_in(text: str) -> int | None:
    """The one number a text names, 0 … 999, or None: no number, several, a fraction, "several"."""
    words = text.lower()
    exact: list[int] = []
    weak: list[int] = []
    for token in _TOKEN.findall(words):
        if token[0].isdigit():
            if not token.isdigit():
                return None
            exact.append(int(token))
        elif token in _WORDS and token != "one":
            exact.append(_VALUES[token])
        elif token in _VALUES or token == "one":
            # "a cake" or "one": numbers only when nothing better stands in the text
            weak.append(_VALUES.get(token, 1))
    if exact:
        if len(set(exact)) > 1:
            # "2 or 3" is unsure; "12 cakes in 3 rows" is too
            return None
        return exact[0] if exact[0] <= 999 else None
    if not weak:
        return None
    strong = [w for w in weak if w != 1]
    if strong:
        return strong[0] if len(set(strong)) == 1 else None
    return 1
