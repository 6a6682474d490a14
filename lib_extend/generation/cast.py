"""The cast of a picture: its characters, each with a prompt and a place, and the background.

One `Cast` holds all data about a generation from the panel, the API or a picture's infotext.
Fractions are of the picture's width and height, from its upper left corner, kept to 3 decimals.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.config import COUNT_STYLES, LETTERS
from lib_extend.generation import value_checks as checks
from lib_extend.generation.cast_lora import MAX_NAME, Lora
from lib_extend.generation.cast_records import field_names, inside, made, plain_json, put, records
from lib_extend.generation.expansion import NOTHING, Added, Expansion
from lib_extend.generation.value_checks import FieldError

__all__ = ["LETTERS", "Cast", "Character", "Lora", "Place", "Thing"]

VERSION = 1
"""Version of the JSON; a cast of a later one is refused."""

MAX_CHARACTERS = len(LETTERS)
MODES = ("regions", "prompt")
"""`regions`: each character's prompt acts in its box; `prompt`: only the base prompt is compiled."""

MAX_TEXT = 4000
MAX_TEXTS = 16000
"""Characters of all texts together: a JPEG's infotext holds 32,000, and holds them twice."""
MAX_THINGS = 20
MAX_LORAS = 4
"""LoRAs of one character, or of the background, that act in its place."""
MAX_NUMBER = 20
SMALLEST = 0.02
"""Least width and height of a box; a mask cell is 16 to 32 pixels."""

Place = tuple[float, float, float, float]
"""(x0, y0, x1, y1) as fractions 0…1 of the picture: x0 < x1, y0 < y1."""

WHOLE: Place = (0.0, 0.0, 1.0, 1.0)


def place(value: Any, field: str = "box") -> Place:
    """A box from four numbers. Raises FieldError."""
    parts = checks.items(field, value, 4)
    if len(parts) != 4:
        raise FieldError(field, f"needs four numbers x0, y0, x1, y1, not {len(parts)}")
    x0, y0, x1, y1 = (checks.number(field, v, 0, 1) for v in parts)
    for start, end, names in ((x0, x1, "x0 and x1"), (y0, y1, "y0 and y1")):
        if end - start < SMALLEST - 1e-9:
            raise FieldError(
                field,
                f"has {start:g} and {end:g} as {names}: the second must be larger by {SMALLEST:g} or more",
            )
    return x0, y0, x1, y1


@dataclass(frozen=True)
class Character:
    """One character. `weight` 0…2 is its share against the base and where boxes overlap; `loras` act in its box only.

    `added`: what an expander added to its prompt.
    """

    name: str = ""
    prompt: str = ""
    negative: str = ""
    weight: float = 1.0
    box: Place = WHOLE
    loras: tuple[Lora, ...] = ()
    added: Added = NOTHING

    def __post_init__(self) -> None:
        put(self, "name", checks.text("name", self.name, MAX_NAME, lines=False))
        put(self, "prompt", checks.text("prompt", self.prompt, MAX_TEXT))
        put(self, "negative", checks.text("negative", self.negative, MAX_TEXT))
        put(self, "weight", checks.number("weight", self.weight, 0, 2))
        put(self, "box", place(self.box))
        put(self, "loras", records("loras", self.loras, Lora, MAX_LORAS))
        _is_added("added", self.added)

    def to_json(self, *, brief: bool = False) -> dict[str, Any]:
        """JSON values; `brief` leaves out what has its default."""
        return plain_json(self, brief)

    @classmethod
    def from_json(cls, data: Any) -> Character:
        """The inverse of `to_json`. Raises FieldError, which names the field."""
        given = checks.mapping("", data, field_names(cls))
        if "added" in given:
            given["added"] = inside("added", Added.from_json, given["added"])
        return cls(**made(given, ("loras", Lora.from_json, MAX_LORAS)))


def _is_added(field: str, value: Any) -> None:
    if not isinstance(value, Added):
        raise FieldError(field, "is no Added")


@dataclass(frozen=True)
class Thing:
    """Something in the background: `number` of `object` (a tag name in any spelling), of a `color` or of none."""

    object: str
    number: int = 1
    color: str = ""

    def __post_init__(self) -> None:
        for name in ("object", "color"):
            value = checks.text(name, getattr(self, name), MAX_NAME, lines=False)
            if "," in value:
                raise FieldError(name, "must be one tag, without a comma")
            put(self, name, value)
        if not self.object:
            raise FieldError("object", "needs a name")
        put(self, "number", checks.number("number", self.number, 1, MAX_NUMBER, whole=True))

    def to_json(self, *, brief: bool = False) -> dict[str, Any]:
        return plain_json(self, brief)

    @classmethod
    def from_json(cls, data: Any) -> Thing:
        data = checks.mapping("", data, field_names(cls))
        return cls(**{"object": "", **data})


@dataclass(frozen=True)
class Cast:
    """All values of the panel.

    Attributes:
        characters: one to five, in the order of their letters; none when only the background is wanted.
        common: tags of the whole picture that every region's prompt has, too (quality, style).
        scene: tags of the whole picture alone (the place, what happens).
        negative: added to the host's negative prompt.
        things, floor: the background's objects, and what its floor is made of ("" is none).
        count_style: how the background LoRA was taught to count: `3 cakes` or `3cakes`.
        base_weight: share 0…1 of the base prompt inside a box that holds one character of weight 1.
        end_step: share 0…1 of the steps after which the base prompt alone goes on.
        loras: those of the background, which act outside of all boxes only.
        expansion: how its texts are expanded; None where they never were.
        main_added, scene_added: what an expander added to the host's own prompt and to the scene.
    """

    characters: tuple[Character, ...] = ()
    common: str = ""
    scene: str = ""
    negative: str = ""
    things: tuple[Thing, ...] = ()
    floor: str = ""
    count_style: str = "english"
    background_lora: Lora | None = None
    separation_lora: Lora | None = None
    loras: tuple[Lora, ...] = ()
    mode: str = "regions"
    base_weight: float = 0.3
    end_step: float = 1.0
    expansion: Expansion | None = None
    main_added: Added = NOTHING
    scene_added: Added = NOTHING

    def __post_init__(self) -> None:
        for name, kind, most in (
            ("characters", Character, MAX_CHARACTERS),
            ("things", Thing, MAX_THINGS),
            ("loras", Lora, MAX_LORAS),
        ):
            put(self, name, records(name, getattr(self, name), kind, most))
        for name in ("background_lora", "separation_lora"):
            if not isinstance(getattr(self, name), (Lora, type(None))):
                raise FieldError(name, "is no Lora")
        if not isinstance(self.expansion, (Expansion, type(None))):
            raise FieldError("expansion", "is no Expansion")
        for name in ("main_added", "scene_added"):
            _is_added(name, getattr(self, name))
        for name in ("common", "scene", "negative"):
            put(self, name, checks.text(name, getattr(self, name), MAX_TEXT))
        put(self, "floor", checks.text("floor", self.floor, MAX_NAME, lines=False))
        put(self, "count_style", checks.choice("count_style", self.count_style, COUNT_STYLES))
        put(self, "mode", checks.choice("mode", self.mode, MODES))
        put(self, "base_weight", checks.number("base_weight", self.base_weight, 0, 1))
        put(self, "end_step", checks.number("end_step", self.end_step, 0, 1))
        total = sum(len(c.prompt) + len(c.negative) for c in self.characters)
        total += len(self.common) + len(self.scene) + len(self.negative)
        if total > MAX_TEXTS:
            raise FieldError(
                "characters",
                f"and the other texts have {total:,} characters together, but may have {MAX_TEXTS:,}",
            )

    @property
    def letters(self) -> tuple[str, ...]:
        """One letter a character."""
        return LETTERS[: len(self.characters)]

    @property
    def regional(self) -> bool:
        """Whether any prompt or LoRA acts in a box."""
        return self.mode == "regions" and bool(self.characters) and self.end_step > 0

    @property
    def placed_loras(self) -> tuple[tuple[int, Lora], ...]:
        """The LoRAs that act in places, each with its place: 0 is the background, others are characters' numbers.

        None where no regions are wanted: the characters' LoRAs are then the whole picture's.
        """
        if self.mode != "regions":
            return ()
        places = [(0, self.loras), *((i, c.loras) for i, c in enumerate(self.characters, 1))]
        return tuple((place, lora) for place, loras in places for lora in loras if lora.acts)

    def to_json(self, *, brief: bool = False) -> dict[str, Any]:
        """JSON values with the version; `brief` leaves out what has its default."""
        return {"version": VERSION, **plain_json(self, brief)}

    @classmethod
    def from_json(cls, data: Any) -> Cast:
        """The inverse of `to_json`; missing fields take their defaults.

        Raises:
            FieldError: not a cast, of a later version, or a field that is unknown or out of range.
        """
        given = checks.mapping("", data, ("version", *field_names(cls)))
        version = given.pop("version", VERSION)
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise FieldError("version", "must be a whole number from 1")
        if version > VERSION:
            raise FieldError(
                "version",
                f"is {version if version < 10**6 else 'enormous'}, and this Prompt Extend knows {VERSION}: update it",
            )
        given = made(
            given,
            ("characters", Character.from_json, MAX_CHARACTERS),
            ("things", Thing.from_json, MAX_THINGS),
            ("loras", Lora.from_json, MAX_LORAS),
        )
        for name in ("background_lora", "separation_lora"):
            if given.get(name) is not None:
                given[name] = inside(name, Lora.from_json, given[name])
        if given.get("expansion") is not None:
            given["expansion"] = inside("expansion", Expansion.from_json, given["expansion"])
        for name in ("main_added", "scene_added"):
            if name in given:
                given[name] = inside(name, Added.from_json, given[name])
        return cls(**given)

    def with_boxes(self, boxes: Sequence[Place]) -> Cast:
        """The same cast in other places, one a character."""
        if len(boxes) != len(self.characters):
            raise FieldError("box", f"is given {len(boxes)} times for {len(self.characters)} characters")
        moved = [dataclasses.replace(c, box=b) for c, b in zip(self.characters, boxes, strict=True)]
        return dataclasses.replace(self, characters=tuple(moved))
