"""Which of a tagger's tags are sure enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lib_extend.config import TagConfig
from lib_extend.records import Category, Drop, Tag

CHARACTER_MCUT_FLOOR = 0.15
"""MCut for characters never goes below this (as the WD tagger's own demo does)."""


@dataclass(frozen=True)
class Thresholds:
    """A tagger's own defaults: scores in 0…1; `tags` are per-tag thresholds where the model ships them."""

    general: float = 0.35
    character: float = 0.85
    tags: Mapping[str, float] = field(default_factory=dict)


def mcut(scores: Sequence[float]) -> float:
    """Maximum cut thresholding: the middle of the largest drop between neighbouring sorted scores.

    Largeron, Moulin, Géry: "MCut: A Thresholding Strategy for Multi-label Classification" (2012).
    1.0 for fewer than two scores.
    """
    ordered = sorted(scores, reverse=True)
    if len(ordered) < 2:
        return 1.0 if not ordered else ordered[0] / 2
    drops = [a - b for a, b in pairwise(ordered)]
    at = drops.index(max(drops))
    return (ordered[at] + ordered[at + 1]) / 2


def limit_of(name: str, config: TagConfig, own: Thresholds) -> float:
    """The score in 0…1 that a general tag of this name needs; MCut, which needs a whole list, aside."""
    if config.threshold is not None:
        return config.threshold
    return own.tags.get(name, own.general)


def passing(
    tags: Sequence[Tag], config: TagConfig, own: Thresholds, keep: Callable[[str], object]
) -> Iterator[Tag | Drop]:
    """The tags that are sure enough, in order, and a Drop for each that is not.

    The user's thresholds rule over per-tag ones, which rule over the model's. `keep(name)` passes any
    score. Of the ratings the best one passes, when ratings are wanted.
    """
    general = own.general if config.threshold is None else config.threshold
    character = own.character if config.character_threshold is None else config.character_threshold
    if config.mcut:
        general = mcut([t.score for t in tags if t.category is Category.GENERAL and t.score is not None])
        scores = [t.score for t in tags if t.category is Category.CHARACTER and t.score is not None]
        character = max(CHARACTER_MCUT_FLOOR, mcut(scores))
    per_tag = own.tags if config.threshold is None and not config.mcut else {}
    rating = max(
        (t for t in tags if t.category is Category.RATING), key=lambda t: t.score or 0.0, default=None
    )
    for tag in tags:
        if tag.category is Category.RATING:
            if (config.rating or config.format == "separation") and tag is rating:
                yield tag
            continue
        limit = character if tag.category is Category.CHARACTER else general
        limit = per_tag.get(tag.name, limit)
        if tag.score is None or tag.score >= limit or keep(tag.name):
            yield tag
        else:
            yield Drop(tag.name, f"score {tag.score:.2f} is below {limit:.2f}")
