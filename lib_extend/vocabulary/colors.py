"""The colors an answer may name, their spellings, and the color in a free sentence."""

from __future__ import annotations

import re

from lib_extend.vocabulary import hedges

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

PLAIN: tuple[str, ...] = (*_SPELLINGS, "blonde", "multicolored", "two-tone")
"""First words of tags that say the color of something."""

CHOICES: tuple[tuple[str, ...], ...] = (
    *((name, *spellings) for name, spellings in _SPELLINGS.items()),
    (NONE, "no", "nothing"),
)
"""The choices of a color question: (name, spelling, …) rows."""

OF_PERSONS = frozenset(
    "black brown blonde red blue pink purple white green grey gray silver orange yellow aqua light_blue "
    "light_brown light_purple light_green dark_blue dark_green dark_brown dark_red platinum_blonde gold golden "
    "violet beige tan maroon navy".split()
)
"""First words of tags that say the color of a person's hair, eyes or clothes."""

SEVERAL = ("multicolored", "two-tone", "gradient", "streaked", "colored_inner", "split-color", "mismatched")
"""With `{word}_{thing}` two colors of the thing are right."""

_NAMES = {s: name for name, spellings in _SPELLINGS.items() for s in (name, *spellings)}
# words that only people and models use: understood, not offered
_NAMES |= {
    "navy": "dark_blue", "indigo": "dark_blue", "maroon": "dark_red", "burgundy": "dark_red",
    "crimson": "red", "scarlet": "red", "magenta": "pink", "fuchsia": "pink", "lavender": "light_purple",
    "lilac": "light_purple", "mint": "light_green", "lime": "light_green", "olive": "dark_green",
    "ivory": "white", "charcoal": "dark_grey", "khaki": "beige", "blond": "yellow", "blonde": "yellow",
    "bronze": "brown", "copper": "brown",
}  # fmt: skip
_SHADES = {"light": "light", "pale": "light", "dark": "dark", "deep": "dark"}
# "navy blue" is one color; "bright" and "off" change none
_SAME = {"navy": "blue", "lime": "green", "mint": "green", "olive": "green", "lavender": "purple"}
_WORD = re.compile(r"[a-z]+")


def color_in(text: str) -> str:
    """The color a text names: `red`, `light_brown`, `multicolored`, `none` where it says there is none.

    Two colors or more are `multicolored`, "red or blue" is "" like every reply that names none. A shade
    (light, pale, dark, deep) counts only before its color.
    """
    text = hedges.plain(text).replace("multi-colo", "multicolo").replace("colour", "color")
    if hedges.absent(text):
        return NONE
    found = _colors(_WORD.findall(text))
    if hedges.unsure(text):
        return ""
    if hedges.denies(text):
        # "it is not red" names a color and means another
        return "" if found else NONE
    if not found or (len(found) > 1 and re.search(r"\bor\b", text)):
        return ""
    return found[0] if len(found) == 1 else MULTICOLORED


def _colors(words: list[str]) -> list[str]:
    found: list[str] = []
    for i, word in enumerate(words):
        name = _NAMES.get(word)
        if name is None or (i and _SAME.get(words[i - 1]) == word):
            continue
        if name == MULTICOLORED:
            return [MULTICOLORED]
        shade = _SHADES.get(words[i - 1], "") if i else ""
        whole = f"{shade}_{name}" if shade and "_" not in name and name not in ("white", "black") else name
        if whole not in found:
            found.append(whole)
    return found
