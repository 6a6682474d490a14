"""The colors an answer may name, their spellings, and the color in a free sentence."""

from __future__ import annotations

import re

NONE = "none"
MULTICOLORED = "multicolored"

# name → further spellings; the order is the order of the choices put to a model
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "white": (),
    "black": (),
    "grey": ("gray",),
    "red": (),
    "orange": (),
    "yellow": (),
    "green": (),
    "blue": (),
    "aqua": ("cyan", "turquoise", "teal"),
    "purple": ("violet",),
    "pink": (),
    "brown": (),
    "beige": ("cream", "tan"),
    "gold": ("golden",),
    "silver": (),
    MULTICOLORED: ("multicolor", "colorful", "rainbow"),
}

CHOICES: tuple[tuple[str, ...], ...] = (
    *((name, *spellings) for name, spellings in _SPELLINGS.items()),
    (NONE, "no", "nothing"),
)
"""The choices of a color question: (name, spelling, …) rows."""

_NAMES = {s: name for name, spellings in _SPELLINGS.items() for s in (name, *spellings)}
_SHADES = {"light": "light", "pale": "light", "dark": "dark", "deep": "dark"}
_WORD = re.compile(r"[a-z]+")


def color_in(text: str) -> str:
    """The color a text names, in canonical form: `red`, `light_brown`, `multicolored`; "" when none.

    Two colors or more are `multicolored`. A shade (light, pale, dark, deep) counts only before its color.
    """
    words = _WORD.findall(
        text.lower().replace("multi-colo", "multicolo").replace("multicolour", "multicolor")
    )
    found: list[str] = []
    for i, word in enumerate(words):
        if word == "multicolored":
            return MULTICOLORED
        name = _NAMES.get(word)
        # "ish" forms: "reddish", "bluish" are not that color
        if name is None:
            continue
        shade = _SHADES.get(words[i - 1], "") if i else ""
        whole = f"{shade}_{name}" if shade and name not in ("white", "black", MULTICOLORED) else name
        if whole not in found:
            found.append(whole)
    if not found:
        return ""
    return found[0] if len(found) == 1 else MULTICOLORED
