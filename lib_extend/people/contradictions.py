"""Tags that cannot both be true of one person: two hair colors, two colors of one skirt."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from lib_extend.people.describing import aspect_of

COLORS = frozenset(
    "black brown blonde red blue pink purple white green grey gray silver orange yellow aqua light_blue "
    "light_brown light_purple light_green dark_blue dark_green dark_brown dark_red platinum_blonde gold golden "
    "violet beige tan maroon navy".split()
)

ALTERNATIVES: tuple[frozenset[str], ...] = tuple(
    frozenset(line.split())
    for line in (
        "bald very_short_hair short_hair medium_hair long_hair",
        "bald very_short_hair short_hair medium_hair very_long_hair absurdly_long_hair",
        "ponytail twintails",
        "open_mouth closed_mouth parted_lips",
        "smile frown expressionless",
        "flat_chest small_breasts medium_breasts large_breasts huge_breasts",
        "standing sitting kneeling squatting lying",
        "dark_skin pale_skin",
        "short_sleeves long_sleeves sleeveless",
        "blunt_bangs parted_bangs swept_bangs",
    )
)
"""Of each line one person has one at the most."""

MIXED = ("multicolored", "two-tone", "gradient", "streaked", "colored_inner", "split-color", "mismatched")
"""With `{word}_{thing}` two colors of the thing are right."""

_BOTH_EYES = "heterochromia"


@lru_cache(maxsize=65536)
def colored(name: str) -> tuple[str, str]:
    """(`color`, `thing`) of a tag such as `blue_skirt`; ("", "") when it names no color or no person's thing."""
    for words in (2, 1):
        parts = name.split("_", words)
        color = "_".join(parts[:words])
        if len(parts) > words and color in COLORS:
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
        if color and not _mixed(thing, scores):
            by_thing.setdefault(thing, []).append(name)
    groups = [*by_thing.values(), *([n for n in line if n in scores] for line in ALTERNATIVES)]
    for group in groups:
        if len(group) > 1:
            best = max(group, key=lambda n: (scores[n], n))
            losers.update({n: best for n in group if n != best and n not in losers})
    return losers


def _mixed(thing: str, scores: Mapping[str, float]) -> bool:
    if thing == "eyes" and _BOTH_EYES in scores:
        return True
    return any(f"{word}_{thing}" in scores for word in MIXED)
