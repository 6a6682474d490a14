"""Random scenes: which characters and objects a scene has, and where they are."""

from __future__ import annotations

import random
from dataclasses import replace

from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.scenes import (
    ASPECTS,
    MIN_SIDE,
    Character,
    Rect,
    Scene,
    Style,
    Thing,
    intersection,
    overlap,
)

# (width, height) in u of an object of average size
SIZES: dict[str, tuple[float, float]] = {
    "cake": (0.15, 0.15),
    "cup": (0.13, 0.12),
    "book": (0.115, 0.15),
    "lamp": (0.14, 0.25),
    "ball": (0.125, 0.125),
    "balloon": (0.125, 0.23),
    "box": (0.15, 0.135),
    "butterfly": (0.15, 0.12),
    "chair": (0.145, 0.24),
    "table": (0.27, 0.16),
    "sofa": (0.33, 0.17),
    "bookshelf": (0.21, 0.30),
}
FLYING = ("balloon", "butterfly")
ON_SHELVES = ("cake", "cup", "book", "ball", "box")

MASCOT_LOOKS: dict[str, Character] = {
    "hoshi_(sketch)": Character(
        "girl",
        "pink",
        "long",
        "twintails",
        "blue",
        (("dress", "white"),),
        "hair_ribbon",
        "red",
        False,
        "smile",
        "down",
        0,
        "hoshi_(sketch)",
        (0, 0, 1, 1),
    ),
    "tsuki_(sketch)": Character(
        "girl",
        "black",
        "long",
        "",
        "yellow",
        (("dress", "purple"),),
        "cat_ears",
        "yellow",
        False,
        "open_mouth",
        "down",
        0,
        "tsuki_(sketch)",
        (0, 0, 1, 1),
    ),
}


def figure_extent(person: Character) -> tuple[float, float]:
    """How far a figure of height 1 (hair top to soles) reaches: (half its width, above its hair)."""
    half = 0.27
    if person.hair_length == "long":
        half = 0.285
    if person.arms == "up":
        half = max(half, 0.31)
    if person.hair_style == "twintails":
        half = 0.40
    above = {"hat": 0.07, "cat_ears": 0.08, "hair_ribbon": 0.05}.get(person.headgear, 0.0)
    return half, above


def random_scene(rng: random.Random, persons: tuple[int, int] = (1, 3), max_overlap: float = 0.1) -> Scene:
    """A scene with `persons` = (fewest, most) characters, 0…5.

    Two persons' boxes share at most `max_overlap` (0…0.5) of the smaller box.
    """
    low, high = persons
    if not 0 <= low <= high <= words.MAX_PERSONS:
        raise ValueError(f"a scene has 0 to {words.MAX_PERSONS} persons, not {low} to {high}")
    how_many = rng.randint(low, high)
    aspect = rng.choice(ASPECTS)
    if how_many > 3:
        aspect = max(aspect, 1.0)
    setting = rng.choices(("indoors", "outdoors", "simple"), (0.5, 0.3, 0.2))[0]
    horizon = {"indoors": 0.62, "outdoors": 0.5, "simple": 0.5}[setting] + rng.uniform(-0.07, 0.07)
    style = _style(rng, setting)
    kinds = _wanted(rng)
    crowd = _place_persons(rng, [_character(rng) for _ in range(how_many)], aspect, max_overlap, len(kinds))
    scene = Scene(
        aspect=aspect,
        setting=setting,
        horizon=round(horizon, 4),
        floor=rng.choice(words.FLOORS) if setting == "indoors" and rng.random() < 0.75 else None,
        door=None,
        door_box=None,
        window_box=None,
        sky=rng.choices(("day", "night"), (0.75, 0.25))[0],
        clouds=rng.random() < 0.6,
        mountain=rng.random() < 0.35,
        trees=(),
        persons=tuple(crowd),
        things=(),
        style=style,
    )
    if setting == "indoors":
        scene = _furnish_walls(rng, scene)
    elif setting == "outdoors":
        scene = replace(scene, trees=_trees(rng, scene))
    return replace(scene, things=_place_things(rng, scene, kinds))


def _style(rng: random.Random, setting: str) -> Style:
    tint = rng.randint(0, 9)
    if setting == "simple" and rng.random() < 0.25:
        tint = 0
    plain = setting == "simple" and tint == 0  # a white background is white, without a pattern
    return Style(
        outline=round(rng.uniform(0.003, 0.0065), 4),
        shadows=rng.random() < 0.7,
        backdrop="flat" if plain else rng.choice(("flat", "gradient", "stripes", "dots")),
        tint=tint,
        jitter=rng.randint(0, 14),
        noise=rng.choice((0, 0, 0, 4, 8)),
        seed=rng.getrandbits(32),
    )


def _character(rng: random.Random) -> Character:
    if rng.random() < 0.05:
        return MASCOT_LOOKS[rng.choice(words.MASCOTS)]
    boy = rng.random() < 0.35
    color = [rng.choice(words.COLORS) for _ in range(3)]
    length = "short" if boy else rng.choices(("long", "short"), (0.65, 0.35))[0]
    clothes: tuple[tuple[str, str], ...]
    if boy:
        clothes = (("shirt", color[0]), ("pants", color[1]))
    else:
        # A girl with short hair wears no pants: at a few pixels she would look like a boy.
        outfit = rng.choices(("dress", "skirt", "pants"), (4, 4, 2 if length == "long" else 0))[0]
        clothes = (("dress", color[0]),)
        if outfit != "dress":
            clothes = (("shirt", color[0]), (outfit, color[1]))
    headgear = rng.choices(
        ("", "hat", "hair_ribbon", "cat_ears"), (5, 2, 0, 0.5) if boy else (4, 1.5, 2, 1.5)
    )[0]
    return Character(
        gender="boy" if boy else "girl",
        hair_color=rng.choice(words.HAIR_COLORS),
        hair_length=length,
        hair_style="" if length == "short" else rng.choices(("", "twintails", "ponytail"), (4, 3, 2))[0],
        eye_color=rng.choice(words.EYE_COLORS),
        clothes=clothes,
        headgear=headgear,
        accent=color[2],
        glasses=rng.random() < 0.2,
        mouth=rng.choice(("smile", "open_mouth")),
        arms=rng.choices(("down", "up"), (3, 1))[0],
        skin=rng.randint(0, 3),
        name="",
        box=(0.0, 0.0, 1.0, 1.0),
    )


def _place_persons(
    rng: random.Random,
    crowd: list[Character],
    aspect: float,
    max_overlap: float,
    kinds: int,
) -> list[Character]:
    """`crowd` with boxes, left to right; more kinds of objects leave the persons less room."""
    if not crowd:
        return []
    span = max(aspect, 1.0)  # the picture's width in u
    tall = max(1.0 / aspect, 1.0)  # and its height
    shapes = [figure_extent(c) for c in crowd]
    share = rng.uniform(0.82, 0.98) - 0.07 * min(kinds, 3)
    limit = min(rng.uniform(0.62, 0.92), 0.9 * tall) if kinds < 3 else rng.uniform(0.5, 0.7)
    # How far each box reaches into its left neighbour, as a share of the narrower of the two;
    # never much on both sides, or a face between two others would be hidden.
    joints = [0.0]
    for _ in crowd[1:]:
        hidden = rng.uniform(0.0, max_overlap) * 0.95 if rng.random() < 0.5 else 0.0
        joints.append(min(hidden, 0.1) if joints[-1] > 0.1 else hidden)
    widths = [2 * half for half, _ in shapes]
    inner = [0.0] + [j * min(a, b) for j, a, b in zip(joints[1:], widths, widths[1:], strict=False)]
    height = min(limit, share * span / (sum(widths) - sum(inner)))
    heights = [height * rng.uniform(0.92, 1.0) for _ in crowd]
    free = span - height * (sum(widths) - sum(inner))
    slack = sorted(rng.uniform(0.0, free) for _ in crowd)
    ground = rng.uniform(0.9, 0.98) if tall <= 1.0 else rng.uniform(0.78, 0.98)
    placed: list[Character] = []
    left = 0.0
    moved = 0.0
    for i, person in enumerate(crowd):
        _, above = shapes[i]
        left -= inner[i] * height
        x = left + (moved if inner[i] else slack[i])
        moved = moved if inner[i] else slack[i]
        left += widths[i] * height
        w, h = widths[i] * heights[i] / span, (1 + above) * heights[i] / tall
        x0 = x / span + (widths[i] * height / span - w) / 2
        y1 = min(0.985, max(ground + rng.uniform(-0.03, 0.015), h + 0.01))
        box = (x0, y1 - h, x0 + w, y1)
        placed.append(replace(person, box=_rounded(box)))
    return placed


def _rounded(box: Rect) -> Rect:
    x0, y0, x1, y1 = (round(min(1.0, max(0.0, v)), 4) for v in box)
    return x0, y0, x1, y1


def _furnish_walls(rng: random.Random, scene: Scene) -> Scene:
    """A door or none, a window or none, where persons do not hide them."""
    ux, uy = min(1.0, 1 / scene.aspect), min(1.0, scene.aspect)
    bodies = [p.box for p in scene.persons]
    if rng.random() < 0.55:
        best: tuple[float, Rect] | None = None
        for _ in range(12):
            w = rng.uniform(0.19, 0.26) * ux
            h = min(rng.uniform(0.46, 0.56) * uy, scene.horizon - 0.04)
            x = rng.uniform(0.01, 0.99 - w)
            box = (x, scene.horizon - h, x + w, scene.horizon)
            seen = 1 - sum(intersection(box, b) for b in bodies) / (w * h)
            if best is None or seen > best[0]:
                best = (seen, box)
        if best is not None and best[0] > 0.6:
            door = rng.choice(words.COLORS)
            scene = replace(scene, door=door, door_box=_rounded(best[1]))
    taken = [*bodies, *([scene.door_box] if scene.door_box else [])]
    # Without floor and door only the window tells that this is a room: then it is not left out.
    if rng.random() < 0.5 or (scene.floor is None and scene.door is None):
        for attempt in range(30):
            w, h = rng.uniform(0.22, 0.34) * ux, rng.uniform(0.2, 0.3) * uy
            x = rng.uniform(0.02, 0.98 - w)
            y = rng.uniform(0.03, max(0.04, scene.horizon - h - 0.1))
            box = (x, y, x + w, y + h)
            seen = 1 - sum(intersection(box, b) for b in taken) / (w * h)
            if seen > (0.75 if attempt < 20 else 0.5):
                return replace(scene, window_box=_rounded(box))
    if scene.floor is None and scene.door is None:
        scene = replace(scene, floor=rng.choice(words.FLOORS))
    return scene


def _trees(rng: random.Random, scene: Scene) -> tuple[Rect, ...]:
    if rng.random() < 0.4:
        return ()
    ux, uy = min(1.0, 1 / scene.aspect), min(1.0, scene.aspect)
    trees: list[Rect] = []
    for _ in range(40):
        h = rng.uniform(0.34, 0.5) * uy
        w = rng.uniform(0.2, 0.3) * ux
        x = rng.uniform(-0.02, 1.0 - w)
        bottom = scene.horizon + rng.uniform(0.02, 0.05)
        box = (x, bottom - h, x + w, bottom)
        seen = 1 - sum(intersection(box, p.box) for p in scene.persons) / (w * h)
        if seen > 0.6 and not any(overlap(box, t) > 0.2 for t in trees):
            trees.append(_rounded(box))
        if len(trees) == 3 or (trees and rng.random() < 0.4):
            break
    return tuple(trees)


def _wanted(rng: random.Random) -> list[tuple[str, int, str]]:
    """The kinds of objects wished for: (kind, count, color), the largest first."""
    amount = rng.choices((0, 1, 2, 3, 4), (0.10, 0.22, 0.30, 0.24, 0.14))[0]
    wanted = []
    for kind in rng.sample(words.OBJECTS, amount):
        weights = (40, 24, 14, 9, 7, 6) if kind in words.FURNITURE else (24, 21, 18, 14, 12, 11)
        count = rng.choices(range(1, words.MAX_COUNT + 1), weights)[0]
        wanted.append((kind, count, rng.choice(words.COLORS)))
    return sorted(wanted, key=lambda k: -SIZES[k[0]][0] * SIZES[k[0]][1])


def _place_things(rng: random.Random, scene: Scene, wanted: list[tuple[str, int, str]]) -> tuple[Thing, ...]:
    """As many of the wished objects as find room; what does not fit is not in the scene."""
    ux, uy = min(1.0, 1 / scene.aspect), min(1.0, scene.aspect)
    things: list[Thing] = []
    bodies = [p.box for p in scene.persons]
    walls = [b for b in (scene.door_box, scene.window_box) if b]
    total = 0
    for kind, count, color in wanted:
        wide, high = SIZES[kind]
        smallest = MIN_SIDE / min(wide, high)
        scale = max(smallest, rng.uniform(0.85, 1.2) * (0.85 if count > 3 else 1.0))
        for _ in range(count):
            if total == 14:
                break
            for attempt in range(60):
                size = max(smallest, scale * (1.0 - 0.006 * attempt) * rng.uniform(0.95, 1.05))
                box, shelf = _somewhere(rng, scene, kind, wide * size * ux, high * size * uy)
                if _is_free(box, bodies, walls, things):
                    things.append(Thing(kind, color, _rounded(box), shelf, rng.randint(0, 999)))
                    total += 1
                    break
    return tuple(things)


def _somewhere(rng: random.Random, scene: Scene, kind: str, w: float, h: float) -> tuple[Rect, bool]:
    """A place of chance where this kind may be, and whether it needs a shelf there."""
    x = rng.uniform(0.01, 0.99 - w)
    if kind in FLYING:
        y1 = rng.uniform(0.02 + h, max(0.03 + h, 0.8))
        return (x, y1 - h, x + w, y1), False
    if scene.setting == "simple":
        y1 = rng.uniform(0.02 + h, 0.98)
        return (x, y1 - h, x + w, y1), False
    if scene.setting == "indoors" and kind in ON_SHELVES and rng.random() < 0.5:
        y1 = rng.uniform(0.03 + h, max(0.04 + h, scene.horizon - 0.03))
        return (x, y1 - h, x + w, y1), True
    y1 = rng.uniform(max(scene.horizon + 0.02, h + 0.02), 0.985)
    return (x, y1 - h, x + w, y1), False


def _is_free(box: Rect, bodies: list[Rect], walls: list[Rect], things: list[Thing]) -> bool:
    area = (box[2] - box[0]) * (box[3] - box[1])
    if any(intersection(box, b) > 0.06 * area for b in bodies):
        return False
    if any(intersection(box, b) > 0.15 * area for b in walls):
        return False
    # A little air between two objects, so that a row of equal ones can be counted.
    near = (box[0] - 0.008, box[1] - 0.008, box[2] + 0.008, box[3] + 0.008)
    return not any(intersection(near, t.box) > 0 for t in things)
