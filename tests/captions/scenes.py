"""Scenes of one to five persons whose truth is known, as stored analyses."""

from __future__ import annotations

from lib_extend.records import Analysis, Box, Category, Person, Tag

HAIR = ("black_hair", "white_hair", "red_hair", "blue_hair", "green_hair")
EYES = ("red_eyes", "blue_eyes", "green_eyes", "brown_eyes", "yellow_eyes")
WEARS = ("dress", "skirt", "coat", "shirt", "hat")
SHARED = (
    Tag("hatsune_miku", Category.CHARACTER, 0.95),
    Tag("vocaloid", Category.COPYRIGHT, 0.9),
    Tag("wlop", Category.ARTIST, 0.9),
    Tag("indoors", score=0.9),
    Tag("chair", score=0.6),
    Tag("general", Category.RATING, 0.9),
    Tag("year_2023", Category.YEAR, 0.9),
    Tag("best_quality", Category.QUALITY, 0.9),
)


def scene(count: int, rows: bool = False) -> Analysis:
    """`count` girls side by side (`rows`: the last two below the others), each with hair, eyes and clothes of her own."""
    people = Tag(f"{count}girl{'s' if count > 1 else ''}", score=0.99)
    own = [(HAIR[i], EYES[i], WEARS[i]) for i in range(count)]
    persons = []
    for i, names in enumerate(own):
        top = 310 if rows and i >= count - 2 else 10
        box = Box(i * 100 + 5, top, i * 100 + 95, top + 280)
        tags = (Tag("1girl", score=0.9), *(Tag(n, score=0.9 - j / 100) for j, n in enumerate(names)))
        persons.append(Person("", box, 0.9, tags))
    tags = (people, *SHARED, *(Tag(n, score=0.9) for names in own for n in names))
    return Analysis(count * 100, 600 if rows else 300, tags, (), tuple(persons))
