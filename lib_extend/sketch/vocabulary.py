"""What the sketch world consists of: the words for everything a drawn scene may contain.

Plain data without logic that needs a picture. Tag names are Danbooru's, joined by underscores; the
order of `TAGS` is the order of the sketch tagger's outputs.
"""

from __future__ import annotations

COLORS: tuple[str, ...] = (
    "red",
    "blue",
    "green",
    "yellow",
    "white",
    "black",
    "brown",
    "purple",
)
"""Colors of objects, clothes and doors."""

OBJECTS: tuple[str, ...] = (
    "cake",
    "cup",
    "book",
    "lamp",
    "ball",
    "balloon",
    "box",
    "butterfly",
    "chair",
    "table",
    "sofa",
    "bookshelf",
)
"""Everything countable; in one scene all instances of a kind have one color."""

FURNITURE: tuple[str, ...] = ("chair", "table", "sofa", "bookshelf")
"""The objects that are furniture."""

MAX_COUNT = 6
"""The most instances of one kind of object in a scene."""

FLOORS: tuple[str, ...] = ("wooden", "tile", "carpet", "stone")

HAIR_COLORS: tuple[str, ...] = (
    "black",
    "brown",
    "blonde",
    "red",
    "blue",
    "pink",
    "purple",
    "white",
    "green",
)

EYE_COLORS: tuple[str, ...] = ("blue", "red", "green", "brown", "yellow", "purple")

CLOTHES: tuple[str, ...] = ("shirt", "skirt", "dress", "pants")

HEADGEAR: tuple[str, ...] = ("hat", "hair_ribbon", "cat_ears")

MASCOTS: tuple[str, ...] = ("hoshi_(sketch)", "tsuki_(sketch)")
"""The two named characters: their looks and the emblem on their chest never change."""

MAX_PERSONS = 5

PEOPLE_TAGS: tuple[str, ...] = (
    *(f"{n}girl{'s' if n > 1 else ''}" for n in range(1, MAX_PERSONS + 1)),
    *(f"{n}boy{'s' if n > 1 else ''}" for n in range(1, MAX_PERSONS + 1)),
    "multiple_girls",
    "multiple_boys",
    "solo",
    "no_humans",
)

PERSON_TAGS: tuple[str, ...] = (
    *(f"{c}_hair" for c in HAIR_COLORS),
    "short_hair",
    "long_hair",
    "twintails",
    "ponytail",
    *(f"{c}_eyes" for c in EYE_COLORS),
    *CLOTHES,
    *(f"{color}_{kind}" for kind in CLOTHES for color in COLORS),
    "glasses",
    *HEADGEAR,
    "animal_ears",
    "smile",
    "open_mouth",
)

PLACE_TAGS: tuple[str, ...] = (
    "indoors",
    "outdoors",
    "simple_background",
    "white_background",
    "window",
    "sky",
    "blue_sky",
    "cloud",
    "night",
    "night_sky",
    "grass",
    "tree",
    "mountain",
)

TAGS: tuple[str, ...] = (*PEOPLE_TAGS, *PERSON_TAGS, *OBJECTS, *PLACE_TAGS)
"""Every general tag (Danbooru category 0) that the sketch tagger knows."""

PLURALS: dict[str, str] = {"box": "boxes", "butterfly": "butterflies", "bookshelf": "bookshelves"}


def plural(name: str) -> str:
    """The English plural of an object of `OBJECTS`."""
    return PLURALS.get(name, name + "s")
