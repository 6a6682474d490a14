"""A user's prompt as the fields that an expander knows, and the prompt with what the expander wrote behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lib_extend.captions.patterns import patterns
from lib_extend.captions.text import Kind, parse
from lib_extend.prompt_expansion import Given
from lib_extend.vocabulary.people_tags import classify, count_people, is_people
from lib_extend.vocabulary.tag_names import written

_OPTIONS = re.compile(r"<[^<>]*>")
"""LoRAs and other networks: `<lora:name:1>`. They stay in the prompt and say nothing of the picture."""
_BREAK = "BREAK"
_FIELDS = {"people": "people", "rating": "rating", "quality": "quality"}


def given_of(
    text: str, *, aspect: float | None = None, rating: str = "", characters: Sequence[str] = ()
) -> Given:
    """The fields of a prompt.

    Weights and brackets are taken off, networks and `BREAK` left out. Tags whose kind cannot be told by their name are
    general ones.

    Args:
        aspect: width / height. rating: instead of one in the text. characters: names of characters in the picture.
    """
    fields: dict[str, list[str]] = {"people": [], "rating": [], "quality": [], "general": []}
    prose: list[str] = []
    for line in parse(_OPTIONS.sub(" ", text), one_a_line=False).lines:
        for piece in line.tags:
            if piece.kind is Kind.PROSE:
                prose.append(" ".join(piece.raw.split()))
                continue
            for name in piece.names:
                if name.strip("_") and name != _BREAK:
                    fields[_FIELDS.get(classify(name), "general")].append(name.lower())
    known = {name: tuple(dict.fromkeys(names)) for name, names in fields.items()}
    return Given(
        people=known["people"],
        general=tuple(n for n in known["general"] if n not in characters),
        characters=tuple(characters),
        quality=known["quality"],
        rating=(rating,) if rating else known["rating"],
        aspect=aspect,
        prose=" ".join(prose),
    )


def must_not_come(given: Given, ban: Sequence[str]) -> Callable[[str], bool]:
    """Whether an expander must not write a name.

    What the user banned (whole names, wildcards, `/regular expressions/`), words about quality and rating, which are
    fields of their own, and another number of people where the prompt has one.
    """
    banned = patterns(tuple(ban), "ban").match
    counted = count_people(given.people) > 0

    def must_not(name: str) -> bool:
        kind = classify(name)
        return (
            banned(name) is not None
            or kind in ("rating", "quality", "year")
            or (counted and is_people(name) and name not in given.people)
        )

    return must_not


def with_more(text: str, tags: Sequence[str], prose: str) -> str:
    """The user's prompt to the letter, and what is new behind it."""
    more = ", ".join([*(written(name, escape_brackets=True) for name in tags), *([prose] if prose else [])])
    start = text.rstrip()
    if not start or not more:
        return start or more
    return f"{start} {more}" if start.endswith((",", _BREAK)) else f"{start}, {more}"
