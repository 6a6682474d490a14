"""Tags that cannot both be true of one person: two hair colors, two colors of one skirt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from lib_extend.vocabulary.colors import OF_PERSONS, SEVERAL
from lib_extend.vocabulary.person_aspects import ALTERNATIVES, aspect_of

_BOTH_EYES = "heterochromia"


@lru_cache(maxsize=65536)
def colored(name: str) -> tuple[str, str]:
    """(`color`, `thing`) of a tag such as `blue_skirt`; ("", "") when it names no color or no person's thing."""
    for words in (2, 1):
        parts = name.split("_", words)
        color = "_".join(parts[:words])
        if len(parts) > words and color in OF_PERSONS:
            thing = parts[words]
            return (color, thing) if aspect_of(name) in ("hair", "eyes", "clothes", "body") else ("", "")
    return "", ""


def contradicted(scores: Mapping[str, float]) -> dict[str, str]:
    """The tags of one person that a better one rules out: name → name of the better one.

    `scores` are in 0…1 by canonical name. Colors of a thing that is tagged as of several colors
    (`multicolored_hair`, `heterochromia`) do not rule each other out.
    """
    losers: dict[str, str] = {}
    by_thing: dict[str, list[str]] = {}
    for name in scores:
        color, thing = colored(name)
        if color and not of_several_colors(thing, scores):
            by_thing.setdefault(thing, []).append(name)
    groups = [*by_thing.values(), *([n for n in line if n in scores] for line in ALTERNATIVES)]
    for group in groups:
        if len(group) > 1:
            best = max(group, key=lambda n: (scores[n], n))
            losers.update({n: best for n in group if n != best and n not in losers})
    return losers


def of_several_colors(thing: str, names: Collection[str]) -> bool:
    """Whether the tags say that something of a person has several colors (`multicolored_hair`, `heterochromia`)."""
    if thing == "eyes" and _BOTH_EYES in names:
        return True
    return any(f"{word}_{thing}" in names for word in SEVERAL)
