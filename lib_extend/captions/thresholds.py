"""Which of a tagger's tags are sure enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lib_extend.captions.style_table import style_of
from lib_extend.config import TagConfig
from lib_extend.records import Category, Drop, Tag
from lib_extend.tag_table import rows

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
        general = mcut([s for _, c, s in rows(tags) if c is Category.GENERAL and s is not None])
        scores = [s for _, c, s in rows(tags) if c is Category.CHARACTER and s is not None]
        character = max(CHARACTER_MCUT_FLOOR, mcut(scores))
    per_tag = own.tags if config.threshold is None and not config.mcut else {}
    ratings = [(score or 0.0, -at) for at, (_, c, score) in enumerate(rows(tags)) if c is Category.RATING]
    rating = -max(ratings)[1] if ratings and (config.rating or style_of(config.format).rating) else None
    for at, (name, category, score) in enumerate(rows(tags)):
        if category is Category.RATING:
            if at == rating:
                yield tags[at]
            continue
        limit = character if category is Category.CHARACTER else general
        limit = per_tag.get(name, limit)
        if score is None or score >= limit or keep(name):
            yield tags[at]
        else:
            facts = {"score": score, "limit": limit}
            yield Drop(name, f"score {score:.2f} is below {limit:.2f}", "below_threshold", facts)
