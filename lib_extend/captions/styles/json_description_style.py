"""Captions as the JSON object of Anima's other trainer: facts in lists, and one description."""

from lib_extend.captions.json_objects import JOINED, LIST, TEXT, JsonStyle, Slot
from lib_extend.captions.style import Protection

STYLE = JsonStyle(
    "json-description",
    "JSON with a description",
    '{"year": "year 2024", "character": ["hatsune miku"], "image_description": "…", "extra_tags": ["2girls"]}',
    lettered=True,
    structured=True,
    evident=True,
    rating=True,
    base="anima",
    names_stay=True,
    needs=("persons", "prose"),
    fallback="Without --people all tags are the picture's; without prose the description has the clauses only.",
    protection=Protection(shuffle="never", reason="The trainer shuffles the lists of the object by itself."),
    slots=(
        Slot("year", JOINED, ("year",)),
        Slot("preference_level", JOINED, ("quality",)),
        Slot("artist", LIST, ("artist",)),
        Slot("copyright", LIST, ("series",)),
        Slot("character", LIST, ("characters",)),
        Slot("image_description", TEXT, ("prose",)),
        Slot("extra_tags", LIST, ("first", "people", "rating", "general", "meta", "last")),
    ),
)
