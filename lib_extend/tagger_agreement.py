"""Combine the tags of several taggers for one picture: union, intersection, mean or vote.

Every tagger has its own thresholds, so their scores cannot be compared directly. They are first brought onto one scale,
which is linear below the tagger's threshold and linear above it. A score reaches the common threshold exactly if it
reaches its tagger's threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lib_extend.records import Category, Record, Tag
from lib_extend.tag_table import MILLION, TagTable

UNION, INTERSECTION, MEAN, VOTE = "union", "intersection", "mean", "vote"


@dataclass(frozen=True)
class Limits(Record):
    """The scores in 0…1 that one tagger's tags need; `tags` are those of single tags; they replace `general`."""

    general: float = 0.35
    character: float = 0.85
    tags: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: str, category: Category) -> float:
        """The score that a tag of this name and category needs."""
        return self.tags.get(name, self.character if category is Category.CHARACTER else self.general)


@dataclass(frozen=True)
class Agreement(Record):
    """How the scores of several taggers become one.

    Attributes:
        way: "union" (one of them is enough), "intersection" (all of them), "vote" (more than half) or "mean" (of their
            scores); for each tag only the taggers that know it count.
        limits: of each tagger. common: the score that a combined tag needs.
    """

    way: str
    limits: Mapping[str, Limits]
    common: Limits

    def table(self, tags: Sequence[Tag]) -> Sequence[Tag]:
        """The tags of one picture, most certain first, each with the taggers that gave it.

        Tags of a single tagger are returned unchanged.
        """
        if not isinstance(tags, TagTable) or not tags.each:
            return tags
        limits = [self.limits.get(name, self.common) for name in tags.each]
        columns = list(tags.each.values())
        names, scores, said = [], [], []
        for at, name in enumerate(tags.names):
            category = tags.categories.get(at, Category.GENERAL)
            target = self.common.general if category is not Category.CHARACTER else self.common.character
            floor = below(target)
            found, who = [], 0
            for i, column in enumerate(columns):
                score = column[at]
                if score is None:
                    continue
                limit = limits[i].of(name, category)
                who |= (score / MILLION >= limit) << i
                found.append(score if category is Category.RATING else _scaled(score, limit, target, floor))
            names.append(name)
            scores.append(self._together(found, category))
            said.append(who)
        order = sorted(range(len(names)), key=lambda at: -scores[at])
        return TagTable(
            [names[at] for at in order],
            [scores[at] for at in order],
            {new: tags.categories[at] for new, at in enumerate(order) if at in tags.categories},
            each={tagger: [column[at] for at in order] for tagger, column in tags.each.items()},
            said=[said[at] for at in order],
        )

    def _together(self, scores: Sequence[int], category: Category) -> int:
        if self.way == MEAN or category is Category.RATING:
            return sum(scores) // len(scores)
        if self.way == UNION:
            return max(scores)
        if self.way == INTERSECTION:
            return min(scores)
        return sorted(scores, reverse=True)[len(scores) // 2]


def below(limit: float) -> int:
    """The most millionths that do not reach a score in 0…1."""
    millionths = int(limit * MILLION)
    while millionths / MILLION >= limit:
        millionths -= 1
    return millionths


def _scaled(score: int, limit: float, target: float, floor: int) -> int:
    """Millionths on the scale of one tagger as those on the common one."""
    if limit == target:
        return score
    reached = score / MILLION
    if reached >= limit:
        share = (reached - limit) / (1 - limit) if limit < 1 else 1.0
        return max(floor + 1, int(MILLION * (target + share * (1 - target))))
    return min(floor, int(MILLION * target * reached / limit))


def merged(tables: Mapping[str, Sequence[Tag]], known: Mapping[str, frozenset[str]]) -> TagTable:
    """What several taggers say of one picture, side by side, in the order in which they first name each tag.

    Args:
        tables: the tags of each tagger. known: the names that each of them knows; a tag that it knows and does not
            give has the score 0 there, another one none.
    """
    places: dict[str, int] = {}
    categories: dict[int, Category] = {}
    found: list[dict[int, int]] = []
    for tags in tables.values():
        column: dict[int, int] = {}
        for name, category, score in _rows(tags):
            at = places.setdefault(name, len(places))
            if category is not Category.GENERAL:
                categories.setdefault(at, category)
            column[at] = score
        found.append(column)
    names = list(places)
    each = {
        tagger: [column.get(at, 0 if name in known[tagger] else None) for at, name in enumerate(names)]
        for tagger, column in zip(tables, found, strict=True)
    }
    best = [max(c[at] or 0 for c in each.values()) for at in range(len(names))]
    return TagTable(names, best, categories, each=each, said=[0] * len(names))


def _rows(tags: Sequence[Tag]) -> list[tuple[str, Category, int]]:
    if isinstance(tags, TagTable):
        kinds = tags.categories
        pairs = zip(tags.names, tags.millionths, strict=True)
        return [(name, kinds.get(at, Category.GENERAL), m) for at, (name, m) in enumerate(pairs)]
    return [(t.name, t.category, int((t.score or 0.0) * MILLION)) for t in tags]
