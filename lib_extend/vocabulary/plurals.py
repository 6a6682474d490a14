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
    "hero": "heroes",
    "echo": "echoes",
    "bus": "buses",
    "lens": "lenses",
    "canvas": "canvases",
    "atlas": "atlases",
    "gas": "gases",
    "ox": "oxen",
    "half": "halves",
    "calf": "calves",
    "elf": "elves",
    "thief": "thieves",
    "life": "lives",
}
_UNCHANGED = frozenset(
    "fish sheep deer dice bread fruit sushi onigiri furniture jewelry money food hair grass water".split()
)
_SINGULAR = {many: one for one, many in _IRREGULAR.items()}
_IES = frozenset({"cookies", "brownies", "pixies", "zombies", "smoothies", "hoodies", "movies"})
_SIBILANT = ("s", "x", "z", "ch", "sh")


def plural(name: str) -> str:
    """The plural of a canonical name; the head word changes, not what follows `of`, `in` or `(`.

    `cup_of_tea` → `cups_of_tea`, `teddy_bear` → `teddy_bears`, `ball_(object)` → `balls_(object)`.
    """
    words = name.split("_")
    head = _head(words)
    words[head] = _plural_word(words[head])
    return "_".join(words)


def singular(name: str) -> str:
    """The singular of a plural name: the inverse of `plural`, as far as English lets it be guessed."""
    words = name.split("_")
    head = _head(words)
    words[head] = _singular_word(words[head])
    return "_".join(words)


def naive_plural(name: str) -> str:
    """The form of the published LoRA's data: an `s` whatever the word (`boxs`, `bookshelfs`)."""
    return f"{name}s"


def _head(words: list[str]) -> int:
    for i, word in enumerate(words):
        if i and (word in ("of", "in", "on", "with", "and") or word.startswith("(")):
            return i - 1
    return len(words) - 1


def _is_plural(word: str) -> bool:
    """Whether a word is plural as it stands: curtains, scissors, glasses, boots, but not glass or bus."""
    return word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in _IRREGULAR


def _plural_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _UNCHANGED or word in _SINGULAR or _is_plural(word):
        return word
    for end, many in (("man", "men"), ("shelf", "shelves"), ("knife", "knives"), ("fish", "fish")):
        if word.endswith(end) and word not in ("human", "german", "talisman", "shaman"):
            return word[: -len(end)] + many
    if word.endswith("y") and len(word) > 1 and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(_SIBILANT) else "s")


def _singular_word(word: str) -> str:
    if word in _SINGULAR:
        return _SINGULAR[word]
    if word in _UNCHANGED:
        return word
    for many, end in (("men", "man"), ("shelves", "shelf"), ("knives", "knife")):
        if word.endswith(many):
            return word[: -len(many)] + end
    if word.endswith("ies") and len(word) > 4 and word not in _IES:
        return word[:-3] + "y"
    if word.endswith("es") and word[:-2].endswith(("ss", "x", "zz", "ch", "sh")):
        return word[:-2]
    return word[:-1] if _is_plural(word) else word
