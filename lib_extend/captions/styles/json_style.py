"""Anima's captions as the JSON object that AnimaLoraToolkit reads."""

from lib_extend.captions.json_objects import JOINED, LIST, TEXT, JsonStyle, Slot
from lib_extend.captions.style import Protection

STYLE = JsonStyle(
    "json",
    "JSON",
    '{"quality": "masterpiece, safe", "count": "2girls", "appearance": ["black hair"], "nl": "On the left, …"}',
    lettered=True,
    structured=True,
    evident=True,
    rating=True,
    base="anima",
    names_stay=True,
    needs=("persons", "prose"),
    fallback="Without --people all tags are the picture's; without prose `nl` has the clauses only, or nothing.",
    protection=Protection(shuffle="never", reason="The trainer shuffles the lists of the object by itself."),
    slots=(
        Slot("quality", JOINED, ("first", "quality", "rating", "year")),
        Slot("count", JOINED, ("people",)),
        Slot("character", JOINED, ("characters",)),
        Slot("series", JOINED, ("series",)),
        Slot("artist", JOINED, ("artist",)),
        Slot("appearance", LIST, ("appearance",)),
        Slot("tags", LIST, ("general", "meta", "last")),
        Slot("environment", LIST, ("environment",)),
        Slot("nl", TEXT, ("prose",)),
    ),
    mark="@",
)
