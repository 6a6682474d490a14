"""The background's objects as tags in the form that the background LoRA was trained on: `3 cakes, red cake, wooden
floor`."""

from __future__ import annotations

from collections.abc import Iterable

from lib_extend.generation.cast import Cast, Thing
from lib_extend.vocabulary import objects
from lib_extend.vocabulary.colors import CHOICES
from lib_extend.vocabulary.objects import COLORABLE, COUNTABLE, FURNITURE
from lib_extend.vocabulary.plurals import naive_plural, plural
from lib_extend.vocabulary.tag_names import canonical, key, written

COLORS: tuple[str, ...] = tuple(c[0] for c in CHOICES if c[0] != "none")
"""The colors that training captions name."""
OBJECTS: tuple[str, ...] = tuple(dict.fromkeys((*COUNTABLE, *COLORABLE, *FURNITURE)))
"""The objects that training captions count or color: canonical names."""
FLOORS = objects.FLOORS

_NO_FLOOR_WORD = frozenset({"carpet"})
"""Materials that captions name without the word floor."""


def tags(cast: Cast) -> list[str]:
    """The tags of a cast's background in the captions' spelling, each once."""
    found = [t for thing in cast.things for t in thing_tags(thing, cast.count_style)]
    if cast.floor:
        found.append(floor_tag(cast.floor))
    return _unique(found)


def thing_tags(thing: Thing, count_style: str = "english") -> list[str]:
    """The tags of one object: how many, if more than one, and its color; only its name when it has neither.

    `english` counts `3 boxes`, `naive` counts `3boxs`.
    """
    name = canonical(thing.object)
    found = []
    if thing.number > 1:
        found.append(
            f"{thing.number}{naive_plural(name)}"
            if count_style == "naive"
            else f"{thing.number}_{plural(name)}"
        )
    if thing.color:
        found.append(f"{canonical(thing.color)}_{name}")
    return [written(t, escape_brackets=True) for t in found or [name]]


def floor_tag(material: str) -> str:
    """`wooden` → `wooden floor`; a carpet stays a carpet."""
    name = canonical(material)
    whole = name if name in _NO_FLOOR_WORD or name.endswith("floor") else f"{name}_floor"
    return written(whole, escape_brackets=True)


def _unique(names: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(key(canonical(name)), name)
    return list(found.values())
