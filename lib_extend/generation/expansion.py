"""How a cast is expanded: the expander's settings, and its additions to each text, stored apart from the user's
words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from lib_extend.generation import value_checks as checks
from lib_extend.generation.cast_lora import MAX_NAME
from lib_extend.generation.cast_records import field_names, plain_json, put
from lib_extend.generation.value_checks import FieldError
from lib_extend.prompt_expansion import DEFAULT_EXPANDER, Length, Wanted

WHENS = ("shown", "generation")
"""`shown`: what stands in the panel is used; `generation`: each picture draws its own, seeded by its seed."""
PLACES = ("prompt", "characters", "scene")
"""What can be expanded: the host's own prompt, each character, the scene."""
LENGTHS = tuple(x.value for x in Length)
WANTED = tuple(x.value for x in Wanted)
MAX_ADDED = 150
MAX_PROSE = 4000
_BRACKETS = re.compile(r"(?<!\\)([()\[\]])")


@dataclass(frozen=True)
class Added:
    """What an expander added to one text.

    Attributes:
        tags: in their order, as they stand in a prompt. prose: sentences behind them.
        locked: those of the tags that stay when others are drawn.
    """

    tags: tuple[str, ...] = ()
    prose: str = ""
    locked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("tags", "locked"):
            found = [
                checks.text(f"{name}[{i}]", tag, MAX_NAME, lines=False)
                for i, tag in enumerate(checks.items(name, getattr(self, name), MAX_ADDED))
            ]
            put(self, name, tuple(dict.fromkeys(filter(None, found))))
        put(self, "prose", " ".join(checks.text("prose", self.prose, MAX_PROSE).split()))

    @property
    def texts(self) -> tuple[str, ...]:
        """The tags, and the prose with its brackets escaped, which would be emphasis in a prompt."""
        return (*self.tags, *([_BRACKETS.sub(r"\\\1", self.prose)] if self.prose else []))

    @property
    def stays(self) -> Added:
        """What is left when others are drawn."""
        locked = tuple(t for t in self.tags if t in self.locked)
        return Added(locked, "", locked)

    def to_json(self, *, brief: bool = False) -> dict[str, Any]:
        return plain_json(self, brief)

    @classmethod
    def from_json(cls, data: Any) -> Added:
        """The inverse of `to_json`. Raises FieldError."""
        return cls(**checks.mapping("", data, field_names(cls)))


NOTHING = Added()


@dataclass(frozen=True)
class Expansion:
    """What is asked of the expander.

    Attributes:
        when: one of `WHENS`. places: those of `PLACES` that pictures expand.
        expander: a name of the list, a folder or a `.gguf` file.
        length: of `LENGTHS`; of several characters each gets one step less. to: one of `WANTED`.
        ban: tags that must not come, with commas; `*` and `/regular expressions/` too.
        temperature: above 0, up to 10. top_p: above 0 up to 1. top_k: 0 is all. min_p: 0 to below 1.
    """

    when: str = "shown"
    places: tuple[str, ...] = PLACES[:2]
    expander: str = DEFAULT_EXPANDER
    length: str = Length.SHORT.value
    to: str = Wanted.TAGS.value
    ban: str = ""
    temperature: float = 0.5
    top_p: float = 0.95
    top_k: int = 80
    min_p: float = 0.1

    def __post_init__(self) -> None:
        put(self, "when", checks.choice("when", self.when, WHENS))
        places = checks.items("places", self.places, len(PLACES))
        chosen = [checks.choice(f"places[{i}]", p, PLACES) for i, p in enumerate(places)]
        put(self, "places", tuple(p for p in PLACES if p in chosen))
        put(self, "expander", checks.text("expander", self.expander, 500, lines=False) or DEFAULT_EXPANDER)
        put(self, "length", checks.choice("length", self.length, LENGTHS))
        put(self, "to", checks.choice("to", self.to, WANTED))
        put(self, "ban", checks.text("ban", self.ban, MAX_PROSE))
        put(self, "temperature", checks.number("temperature", self.temperature, 0.01, 10))
        put(self, "top_p", checks.number("top_p", self.top_p, 0.01, 1))
        put(self, "top_k", checks.number("top_k", self.top_k, 0, 1000, whole=True))
        put(self, "min_p", checks.number("min_p", self.min_p, 0, 0.99))

    @property
    def at_generation(self) -> bool:
        """Whether each picture draws its own."""
        return self.when == "generation" and bool(self.places)

    @property
    def shorter(self) -> Expansion:
        """The same, one step shorter: for one of several characters."""
        return replace(self, length=LENGTHS[max(0, LENGTHS.index(self.length) - 1)])

    def to_json(self, *, brief: bool = False) -> dict[str, Any]:
        return plain_json(self, brief)

    @classmethod
    def from_json(cls, data: Any) -> Expansion:
        """The inverse of `to_json`; missing fields take their defaults. Raises FieldError."""
        return cls(**checks.mapping("", data, field_names(cls)))


__all__ = ["LENGTHS", "NOTHING", "PLACES", "WANTED", "WHENS", "Added", "Expansion", "FieldError"]
