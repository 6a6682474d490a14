"""Scenes: what is in a drawn picture and where, before a single pixel exists.

A `Scene` says everything that `draw` paints, so its truth is exact. All boxes are (x0, y0, x1, y1),
normalised to 0…1 of the picture's width and height. Lengths that must look the same in wide and in
tall pictures are measured in u, the picture's short side.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.sketch import vocabulary as words

Rect = tuple[float, float, float, float]

ASPECTS: tuple[float, ...] = (0.5625, 0.6667, 0.75, 0.8, 1.0, 1.0, 1.25, 1.3333, 1.5, 1.7778)
"""Width : height of the pictures."""

MIN_SIDE = 0.08
"""No object's short side is less than this share of the picture's short side."""


@dataclass(frozen=True)
class Character:
    """One person. `clothes` are (kind, color) pairs, `name` is a mascot's or ""."""

    gender: str
    hair_color: str
    hair_length: str
    hair_style: str
    eye_color: str
    clothes: tuple[tuple[str, str], ...]
    headgear: str
    accent: str
    glasses: bool
    mouth: str
    arms: str
    skin: int
    name: str
    box: Rect

    def tags(self) -> list[str]:
        """The tags that describe this person alone, without people counts."""
        tags = [f"{self.hair_color}_hair", f"{self.hair_length}_hair"]
        tags += [self.hair_style] if self.hair_style else []
        tags.append(f"{self.eye_color}_eyes")
        for kind, color in self.clothes:
            tags += [kind, f"{color}_{kind}"]
        tags += ["glasses"] if self.glasses else []
        tags += [self.headgear] if self.headgear else []
        tags += ["animal_ears"] if self.headgear == "cat_ears" else []
        tags.append(self.mouth)
        tags += [self.name] if self.name else []
        return tags


@dataclass(frozen=True)
class Thing:
    """One object. `shelf`: a plank on the wall carries it. `variant` in 0…999 varies its details."""

    kind: str
    color: str
    box: Rect
    shelf: bool
    variant: int


@dataclass(frozen=True)
class Style:
    """How a scene is painted; the truth does not contain it.

    `outline` is the line width in u (0.003…0.007), `shadows` lie under persons, `jitter` is the
    largest shift of a color channel (0…255), `noise` the grain's amplitude (0…255), `backdrop` one
    of flat, gradient, stripes, dots.
    """

    outline: float
    shadows: bool
    backdrop: str
    tint: int
    jitter: int
    noise: int
    seed: int


@dataclass(frozen=True)
class Scene:
    """A whole picture: `aspect` is width / height, persons stand left to right by their centre.

    `setting` is indoors, outdoors or simple; `horizon` is where the floor or ground begins (a share
    of the height). `floor` and `door` are None where there is none; they exist only indoors.
    """

    aspect: float
    setting: str
    horizon: float
    floor: str | None
    door: str | None
    door_box: Rect | None
    window_box: Rect | None
    sky: str
    clouds: bool
    mountain: bool
    trees: tuple[Rect, ...]
    persons: tuple[Character, ...]
    things: tuple[Thing, ...]
    style: Style

    def counts(self) -> dict[str, int]:
        """Object kind → how many, in the order of `OBJECTS`; kinds that are absent are left out."""
        found = [t.kind for t in self.things]
        return {k: found.count(k) for k in words.OBJECTS if k in found}

    def colors(self) -> dict[str, str]:
        """Object kind → its color, for the kinds that are present."""
        by_kind = {t.kind: t.color for t in self.things}
        return {k: by_kind[k] for k in words.OBJECTS if k in by_kind}

    def tags(self) -> list[str]:
        """Everything the sketch tagger may say about the picture, in the order of its vocabulary."""
        present = set(people_tags([p.gender for p in self.persons])) | set(self.counts())
        for person in self.persons:
            present.update(person.tags())
        if self.setting == "indoors":
            present.add("indoors")
            present.update(["window"] if self.window_box else [])
        elif self.setting == "outdoors":
            present.update(("outdoors", "sky", "grass"))
            present.update(("night", "night_sky") if self.sky == "night" else ("blue_sky",))
            present.update(["cloud"] if self.clouds else [])
            present.update(["mountain"] if self.mountain else [])
            present.update(["tree"] if self.trees else [])
        else:
            present.add("simple_background")
            present.update(["white_background"] if self.style.tint == 0 else [])
        return [t for t in (*words.TAGS, *words.MASCOTS) if t in present]


def people_tags(genders: Sequence[str]) -> list[str]:
    """Danbooru's people tags for persons of these genders ("girl", "boy")."""
    tags: list[str] = []
    for gender in ("girl", "boy"):
        n = list(genders).count(gender)
        if n:
            tags.append(f"{n}{gender}{'s' if n > 1 else ''}")
        if n > 1:
            tags.append(f"multiple_{gender}s")
    if not genders:
        tags.append("no_humans")
    if len(genders) == 1:
        tags.append("solo")
    return tags


def scene_rng(namespace: str, seed: int, index: int) -> random.Random:
    """The random numbers of scene `index` of the set `seed`, the same on every machine.

    The namespace is hashed into the state: what is drawn for "train" can never be drawn for "eval"
    or "draw", whatever the seeds are.
    """
    return random.Random(f"prompt-extend sketch/{namespace}/{seed}/{index}")


def truth(scene: Scene, file_name: str, size: tuple[int, int]) -> dict[str, Any]:
    """The truth of a picture of `size` = (width, height) pixels, as one line of `truth.jsonl`."""
    width, height = size
    persons = [{"box": _pixels(person.box, width, height), "tags": person.tags()} for person in scene.persons]
    return {
        "file": file_name,
        "tags": scene.tags(),
        "counts": scene.counts(),
        "colors": scene.colors(),
        "floor": scene.floor,
        "door": scene.door,
        "persons": persons,
    }


def _pixels(box: Rect, width: int, height: int) -> list[int]:
    x0, y0, x1, y1 = box
    return [
        max(0, round(x0 * width)),
        max(0, round(y0 * height)),
        min(width, round(x1 * width)),
        min(height, round(y1 * height)),
    ]


def overlap(a: Rect, b: Rect) -> float:
    """The intersection of two boxes as a share of the smaller one, 0…1."""
    inter = intersection(a, b)
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return inter / smaller if inter > 0 else 0.0


def intersection(a: Rect, b: Rect) -> float:
    """The area that two boxes share."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    return w * h if w > 0 and h > 0 else 0.0
