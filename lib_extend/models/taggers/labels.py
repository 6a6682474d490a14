"""The tags of a model's outputs, in the outputs' order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lib_extend.models.files import ModelFiles
from lib_extend.records import Category

# Danbooru's numbers, with those that taggers added. [read]
NUMBERS = {
    "0": "general",
    "1": "artist",
    "3": "copyright",
    "4": "character",
    "5": "meta",
    "9": "rating",
    "10": "year",
}

_WORDS = {c.value: c for c in Category} | {"series": Category.COPYRIGHT, "model": Category.META}


@dataclass(frozen=True)
class Labels:
    """Attributes:
    source: the file they were read from, by its name.
    names: canonical tag names; "" where an output stands for no tag.
    categories: their categories.
    thresholds: per-tag thresholds in 0…1 by name, where the file has them.
    """

    source: str
    names: tuple[str, ...]
    categories: tuple[Category, ...]
    thresholds: dict[str, float] = field(default_factory=dict)


def canonical(name: str, category: Category = Category.GENERAL) -> str:
    """A tag as Danbooru writes it: underscores for spaces, no escapes, ratings without their prefix.

    Everything else stays unchanged: kaomoji (`^_^`, `:3`, `\\o/`), `null` and `nan` are tags.
    """
    name = name.strip().replace(" ", "_").replace("\\(", "(").replace("\\)", ")")
    if category is Category.RATING:
        name = name.removeprefix("rating:").removeprefix("rating_")
    return name


def category(word: str) -> Category:
    """A category by its name or Danbooru's number; an unknown one counts as meta."""
    word = word.strip().lower()
    word = word.removesuffix(".0")  # numbers that were stored as floats
    return _WORDS.get(NUMBERS.get(word, word), Category.META)


def make(source: str, pairs: Iterable[tuple[str, Category]], thresholds: Mapping[str, float] = {}) -> Labels:
    """Labels from (name as the file has it, category)."""
    known = list(pairs)
    return Labels(
        source,
        tuple(canonical(name, kind) for name, kind in known),
        tuple(kind for _, kind in known),
        dict(thresholds),
    )


def selected_tags(files: ModelFiles, *names: str, kinds: Mapping[str, str] | None = None) -> Labels:
    """The table most taggers ship: `name`, `category` (a number), maybe `best_threshold`.

    Args:
        names: what the file may be called (default selected_tags.csv).
        kinds: category names by number where the model ships its own.
    """
    wanted = names or ("selected_tags.csv",)
    rows = files.table(*wanted, need=("name", "category"))
    kinds = kinds or {}
    pairs, thresholds = [], {}
    for row in rows:
        number = row["category"].strip()
        kind = category(kinds.get(number, number))
        pairs.append((row["name"], kind))
        try:
            thresholds[canonical(row["name"], kind)] = float(row.get("best_threshold", ""))
        except ValueError:
            continue  # this tag has none
    return make(files.path(*wanted).name, pairs, thresholds)


def kinds(files: ModelFiles) -> dict[str, str]:
    """`categories.json`, [{"category": 0, "name": "general"}, …], as names by number; {} without it."""
    if "categories.json" not in files:
        return {}
    try:
        return {str(item["category"]): str(item["name"]) for item in files.json("categories.json")}
    except (TypeError, KeyError) as error:
        raise files.damaged(files.path("categories.json"), "is no list of categories") from error


def category_thresholds(files: ModelFiles) -> dict[str, float]:
    """`thresholds.csv` (`category`, `name`, `threshold`) as thresholds by category name; {} without it."""
    if "thresholds.csv" not in files:
        return {}
    rows = files.table("thresholds.csv", need=("category", "threshold"))
    found: dict[str, float] = {}
    for row in rows:
        kind = category(row.get("name") or row["category"]).value
        try:
            # Of several rows for one category the first is the recommended one. [read]
            found.setdefault(kind, float(row["threshold"]))
        except ValueError as error:
            raise files.damaged(files.path("thresholds.csv"), "has a threshold that is no number") from error
    return found
