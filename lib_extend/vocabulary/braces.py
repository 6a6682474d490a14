"""Words written together: `{black,white}_shirt` is `black_shirt` and `white_shirt`."""

from __future__ import annotations

import re

_BRACE = re.compile(r"(.*?)\{([^{}]*)\}(.*)", re.DOTALL)


def expanded(word: str) -> list[str]:
    """All words that a word with braces stands for, in order; a word without braces is itself."""
    match = _BRACE.fullmatch(word)
    if match is None:
        return [word]
    before, inside, after = match.groups()
    return [whole for part in inside.split(",") for whole in expanded(before + part + after)]
