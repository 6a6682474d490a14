"""People counts that contradict each other: `1girl, 2girls` cannot both be true of one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from lib_extend.records import Drop, Tag
from lib_extend.vocabulary.people_tags import (
    NO_HUMANS,
    SOLO,
    is_people,
    least_number,
    multiple_gender,
    people_count,
)
from lib_extend.vocabulary.tag_names import written

_SURE = 2.0
"""Score of a count that nobody gave a score."""


def settled(
    machine: Sequence[Tag],
    human: Sequence[Tag],
    persons: int,
    keep: Callable[[str], object],
    dropped: list[Drop],
) -> list[Tag]:
    """The tags of the models without people counts that others rule out.

    Of the counts of one kind one stays: what a person wrote, else those that together make the number of persons found,
    else the likelier. `solo` and `no_humans` stay or go by the same scores.

    Args:
        human: a person's tags, which are true. persons: how many were found in the picture, 0 when none were looked
            for.
        keep: whether a name is to be written in any case.
        dropped: what goes is added here, with its reason.
    """
    counts = [t for t in machine if is_people(t.name)]
    said = {t.name for t in human if is_people(t.name)}
    if len(counts) + len(said) < 2:
        return list(machine)
    gone: dict[str, str] = {}
    chosen = _chosen(counts, said, persons, keep)
    for tag in counts:
        count = people_count(tag.name)
        if count and tag.name not in said and chosen.get(count.gender, tag.name) != tag.name:
            gone[tag.name] = chosen[count.gender]
    _multiples(counts, chosen, gone)
    left = [t for t in counts if t.name not in gone]
    _alone(left, said, persons, gone)
    result = []
    for tag in machine:
        if tag.name in gone and not tag.locked and not keep(tag.name):
            by = gone[tag.name]
            dropped.append(Drop(tag.name, f"{written(by)} is likelier", "likelier", {"by": by}))
        else:
            result.append(tag)
    return result


def _chosen(
    counts: Sequence[Tag], said: set[str], persons: int, keep: Callable[[str], object]
) -> dict[str, str]:
    """For each kind of people the one count that is true."""
    kinds: dict[str, list[Tag]] = {}
    for tag in counts:
        count = people_count(tag.name)
        if count:
            kinds.setdefault(count.gender, []).append(tag)
    chosen = {c.gender: name for name in said if (c := people_count(name))}
    for kind, tags in kinds.items():
        fixed = [t for t in tags if t.locked or keep(t.name)]
        if kind not in chosen and fixed:
            chosen[kind] = fixed[0].name
    open_kinds = {k: tags for k, tags in kinds.items() if k not in chosen}
    if persons and any(len(tags) > 1 for tags in open_kinds.values()):
        there = sum(least_number(name) for name in chosen.values())
        fitting = [
            combination
            for combination in product(*open_kinds.values())
            if there + sum(least_number(t.name) for t in combination) == persons
        ]
        if fitting:
            best = max(fitting, key=lambda c: sum(map(_score, c)))
            return {**chosen, **dict(zip(open_kinds, (t.name for t in best), strict=True))}
    return {**chosen, **{k: max(tags, key=_score).name for k, tags in open_kinds.items()}}


def _multiples(counts: Sequence[Tag], chosen: dict[str, str], gone: dict[str, str]) -> None:
    """`multiple_girls` is true of two and more."""
    scores = {t.name: _score(t) for t in counts}
    for tag in counts:
        count = chosen.get(multiple_gender(tag.name))
        if count is None or least_number(count) > 1:
            continue
        if scores.get(count, _SURE) >= _score(tag):
            gone[tag.name] = count
        else:
            gone[count] = tag.name


def _alone(left: Sequence[Tag], said: set[str], persons: int, gone: dict[str, str]) -> None:
    """`solo` goes beside two people, `no_humans` beside one; or these go, where they are less likely."""
    for word, most in ((SOLO, 1), (NO_HUMANS, 0)):
        alone = next((t for t in left if t.name == word), None)
        if (alone is None and word not in said) or word in gone:
            continue
        others = [t for t in left if t.name not in gone and t.name not in (SOLO, NO_HUMANS)]
        others.sort(key=_score)
        words = {n for n in said if n not in (SOLO, NO_HUMANS)}
        for tag in others:
            total = sum(map(least_number, {t.name for t in others if t.name not in gone} | words))
            if total <= most:
                break
            if word in said or (alone is not None and _score(alone) > _score(tag) and persons <= most):
                gone[tag.name] = word
        total = sum(map(least_number, {t.name for t in others if t.name not in gone} | words))
        if total > most and word not in said:
            gone[word] = max((t.name for t in others if t.name not in gone), default=next(iter(words), word))


def _score(tag: Tag) -> float:
    return _SURE if tag.score is None else tag.score
