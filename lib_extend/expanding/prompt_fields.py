"""A user's prompt as the fields that an expander knows, and the prompt with what the expander wrote behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from lib_extend.captions.text import Kind, parse
from lib_extend.prompt_expansion import About, Given
from lib_extend.records import Category
from lib_extend.vocabulary.people_tags import SOLO, classify, count_people
from lib_extend.vocabulary.tag_names import written

_OPTIONS = re.compile(r"<[^<>]*>")
"""LoRAs and other networks: `<lora:name:1>`. They stay in the prompt and say nothing of the picture."""
_BREAK = "BREAK"
_BY_NAME = {"people": "people", "rating": "rating", "quality": "quality"}
_BY_CATEGORY = {
    Category.CHARACTER: "characters",
    Category.COPYRIGHT: "copyrights",
    Category.ARTIST: "artist",
    Category.META: "meta",
}
_META = frozenset({"absurdres", "incredibly_absurdres", "highres", "lowres"})
"""Words of quality that the models were taught as words about the file."""
_ALL = ("people", "general", "characters", "copyrights", "artist", "quality", "rating", "meta")


def given_of(
    text: str,
    *,
    aspect: float | None = None,
    rating: str = "",
    characters: Sequence[str] = (),
    told: Iterable[str] = (),
    about: About = About.PICTURE,
    category: Callable[[str], Category | None] = lambda name: None,
) -> Given:
    """The fields of a prompt.

    Weights and brackets are taken off, networks and `BREAK` left out.

    Args:
        aspect: width / height. rating: instead of one in the text. characters: canonical names of characters in the picture.
        told: canonical names that are in the picture too, though not in the text (`2girls`, where a cast says so).
        about: of a person the models are told that they are alone, as the texts were from which they learned.
        category: of a name that says nothing by itself, None for an ordinary tag.
    """
    fields: dict[str, list[str]] = {name: [] for name in _ALL}
    prose: list[str] = []
    for line in parse(_OPTIONS.sub(" ", text), one_a_line=False).lines:
        for piece in line.tags:
            if piece.kind is Kind.PROSE:
                prose.append(" ".join(piece.raw.split()))
                continue
            for name in piece.names:
                if name.strip("_") and name != _BREAK:
                    fields[_field(name.lower(), category)].append(name.lower())
    for name in told:
        fields[_field(name, category)].append(name)
    if about is About.PERSON and count_people(fields["people"]) <= 1:
        fields["people"].append(SOLO)
    fields["characters"] += characters
    known = {name: tuple(dict.fromkeys(names)) for name, names in fields.items()}
    return Given(
        people=known["people"],
        general=tuple(n for n in known["general"] if n not in characters),
        characters=known["characters"],
        copyrights=known["copyrights"],
        artist=known["artist"],
        quality=known["quality"],
        rating=(rating,) if rating else known["rating"],
        meta=known["meta"],
        aspect=aspect,
        prose=" ".join(prose),
    )


def _field(name: str, category: Callable[[str], Category | None]) -> str:
    if name in _META:
        return "meta"
    by_name = _BY_NAME.get(classify(name))
    if by_name:
        return by_name
    found = category(name)
    return "general" if found is None else _BY_CATEGORY.get(found, "general")


def with_more(text: str, tags: Sequence[str], prose: str) -> str:
    """The user's prompt to the letter, and what is new behind it."""
    more = ", ".join([*(written(name, escape_brackets=True) for name in tags), *([prose] if prose else [])])
    start = text.rstrip()
    if not start or not more:
        return start or more
    return f"{start} {more}" if start.endswith((",", _BREAK)) else f"{start}, {more}"
