"""English plurals of Danbooru tag names, for counts: `2_boxes`, `3_butterflies`, `4_cups_of_tea`."""

from __future__ import annotations

_IRREGULAR = {
    "bookshelf": "bookshelves",
    "knife": "knives",
    "leaf": "leaves",
    "loaf": "loaves",
    "shelf": "shelves",
    "scarf": "scarves",
    "wolf": "wolves",
    "mouse": "mice",
    "tooth": "teeth",
    "foot": "feet",
    "goose": "geese",
    "child": "children",
    "man": "men",
    "woman": "women",
    "person": "people",
    "snowman": "snowmen",
    "die": "dice",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "cactus": "cacti",
}
_UNCHANGED = frozenset({"fish", "sheep", "deer", "dice", "bread", "fruit", "sushi", "furniture", "jewelry"})
# tags that are plural as they stand
_PLURAL = frozenset({"curtains", "scissors", "glasses", "stairs", "pants", "headphones", "sunglasses"})


def plural(name: str) -> str:
    """The plural of a canonical name; the head word changes, not what follows `of`, `in` or `(`.

    `cup_of_tea` → `cups_of_tea`, `teddy_bear` → `teddy_bears`, `ball_(object)` → `balls_(object)`.
    """
    words = name.split("_")
    head = len(words) - 1
    for i, word in enumerate(words):
        if i and (word in ("of", "in", "on", "with") or word.startswith("(")):
            head = i - 1
            break
    words[head] = _plural_word(words[head])
    return "_".join(words)


def naive_plural(name: str) -> str:
    """The form of the published LoRA's data: an `s` whatever the word (`boxs`, `bookshelfs`)."""
    return f"{name}s"


def _plural_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _UNCHANGED or word in _PLURAL:
        return word
    for end, better in (("man", "men"), ("shelf", "shelves"), ("knife", "knives"), ("fish", "fish")):
        if word.endswith(end) and word not in ("human", "german"):
            return word[: -len(end)] + better
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"
