"""Recognise denial and doubt in a model's reply, for all kinds of questions."""

from __future__ import annotations

import re

# "with no frosting", "no doubt" and "no more than 3" deny nothing that was asked
_DENIES = re.compile(
    r"(?<!with )\bno\b(?! (?:doubt|more|less|fewer|other))|\b(?:not|none|never|nothing|cannot|false)\b|n't\b"
)
_ABSENT = re.compile(
    r"^\W*(?:(?:there (?:is|are)|i (?:can )?see|(?:the|this) (?:image|picture) (?:has|shows|contains)) )?"
    r"(?:(?:no|zero) (?!doubt|more|less|fewer|other)\w|(?:nothing|none)\b)"
)
_UNSURE = re.compile(
    r"(?:\b(?:not|cannot|hard|difficult|impossible|unable)\b|n't\b)(?: \w+){0,2}? "
    r"(?:sure|clear|certain|know|tell|say|count|determine|determined|identify|identified|answer|help|assist)\b"
    r"|\b(?:unsure|unclear|unknown|uncertain|maybe|perhaps|possibly|probably|might|could be)\b"
)


def plain(text: str) -> str:
    """Lower case, straight apostrophes, single spaces."""
    return " ".join(text.lower().replace("’", "'").split())


def denies(text: str) -> bool:
    """Whether a reply denies something. `text` is `plain`."""
    return _DENIES.search(text) is not None


def absent(text: str) -> bool:
    """Whether a reply begins by saying that the thing is not there: "There are no cakes, but …"."""
    return _ABSENT.match(text) is not None


def unsure(text: str) -> bool:
    """Whether a reply says that it does not know: "I cannot tell", "maybe"."""
    return _UNSURE.search(text) is not None
