"""Which of a tagger's tags are sure enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from lib_extend.captions.style_table import style_of
from lib_extend.config import TagConfig
from lib_extend.records import Analysis, Category, Drop, Tag
from lib_extend.tag_table import rows
from lib_extend.tagger_agreement import Agreement, Limits

CHARACTER_MCUT_FLOOR = 0.15
"""MCut for characters never goes below this (as the WD tagger's own demo does)."""


@dataclass(frozen=True)
class Thresholds(Limits):
    """A tagger's own defaults; `each` are those of several taggers by their names, of which these are the means."""

    each: Mapping[str, Limits] = field(default_factory=dict)

    @classmethod
    def together(cls, each: Mapping[str, Limits]) -> Thresholds:
        """Those of several taggers."""
        some = each.values()
        general, character = (
            sum(x) / len(some) for x in zip(*((t.general, t.character) for t in some), strict=True)
        )
        return cls(general, character, each=each)


def agreement(config: TagConfig, own: Thresholds) -> Agreement:
    """How several taggers' scores become one: by the user's thresholds of each, of all, or the taggers' own."""

    def limits(general: float | None, character: float | None, known: Limits) -> Limits:
        return Limits(
            known.general if general is None else general,
            known.character if character is None else character,
            known.tags if general is None else {},
        )

    common = limits(config.threshold, config.character_threshold, own)
    each = {}
    for name, known in own.each.items():
        general, character = config.thresholds_of(name)
        each[name] = limits(
            config.threshold if general is None else general,
            config.character_threshold if character is None else character,
            known,
        )
    return Agreement(config.tagger_agreement, each, common)


def agreed(analysis: Analysis, config: TagConfig, own: Thresholds) -> Analysis:
    """An analysis in which the tags of several taggers are one list; that of one tagger as it is."""
    if not own.each:
        return analysis
    how = agreement(config, own)
    persons = tuple(replace(p, tags=how.table(p.tags)) for p in analysis.persons)
    return replace(analysis, tags=how.table(analysis.tags), persons=persons)


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
