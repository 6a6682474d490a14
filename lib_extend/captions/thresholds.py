"""Which of a tagger's tags are sure enough."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from lib_extend.captions.style_table import style_of
from lib_extend.config import TagConfig
from lib_extend.records import Analysis, Category, Drop, Tag
from lib_extend.tag_table import Row, TagTable, rows
from lib_extend.tagger_agreement import Agreement, Limits

_GENERAL, _RATING, _CHARACTER = Category.GENERAL, Category.RATING, Category.CHARACTER
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
    limits = _Limits(tags, config, own)
    sure = {*limits.sure(keep)}
    tag_of = tags.tag if isinstance(tags, TagTable) else tags.__getitem__
    if len(sure) == len(tags):
        yield from map(tag_of, range(len(tags)))
        return
    for at, (name, category, score) in enumerate(limits.rows):
        if at in sure:
            yield tag_of(at)
        elif category is not _RATING and score is not None:
            limit = limits.of(name, category)
            facts = {"score": score, "limit": limit}
            yield Drop(name, f"score {score:.2f} is below {limit:.2f}", "below_threshold", facts)


def sure_rows(
    tags: Sequence[Tag], config: TagConfig, own: Thresholds, keep: Callable[[str], object]
) -> list[Row]:
    """Name, category and score of the tags that `passing` gives, without making tags of them."""
    limits = _Limits(tags, config, own)
    return [limits.rows[at] for at in limits.sure(keep)]


class _Limits:
    """What the tags of one picture need."""

    def __init__(self, tags: Sequence[Tag], config: TagConfig, own: Thresholds) -> None:
        self.rows = list(rows(tags))
        self.general = own.general if config.threshold is None else config.threshold
        self.character = own.character if config.character_threshold is None else config.character_threshold
        if config.mcut:
            self.general = mcut([s for _, c, s in self.rows if c is _GENERAL and s is not None])
            scores = [s for _, c, s in self.rows if c is _CHARACTER and s is not None]
            self.character = max(CHARACTER_MCUT_FLOOR, mcut(scores))
        self.each = own.tags if config.threshold is None and not config.mcut else {}
        self.keeps = bool(config.keep)
        self.rating = config.rating or style_of(config.format).rating

    def of(self, name: str, category: Category) -> float:
        """The score that a tag needs."""
        limit = self.character if category is _CHARACTER else self.general
        return self.each.get(name, limit)

    def sure(self, keep: Callable[[str], object]) -> list[int]:
        """The places of the tags that are sure enough, in their order."""
        general, ratings = self.general, []
        found = []
        simple = not self.each and not self.keeps
        for at, (name, category, score) in enumerate(self.rows):
            if category is _GENERAL and simple:
                if score is None or score >= general:
                    found.append(at)
            elif category is _RATING:
                ratings.append((-(score or 0.0), at))
            elif score is None or score >= self.of(name, category) or keep(name):
                found.append(at)
        if ratings and self.rating:
            insort(found, min(ratings)[1])
        return found
