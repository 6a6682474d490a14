"""What a folder's curation would do, tag by tag, without deciding a single caption."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from lib_extend.curation.core_tags import CoreTable
from lib_extend.curation.curation_reason import Reason
from lib_extend.curation.folder_tags import FolderTags, Limit
from lib_extend.curation.knowledge import Knowledge
from lib_extend.curation.line_curator import TRAIT_STEPS
from lib_extend.curation.step_table import curate, steps
from lib_extend.curation.tag_rows import Rows, members
from lib_extend.vocabulary.people_tags import is_people

LIMIT = "limit"
REASONS = 5
"""Reasons told of one tag, at the most."""


@dataclass
class TagOutcome:
    """What becomes of one tag.

    Attributes:
        pictures: how many have it. kept, dropped: on how many it stays or goes. own: on how many a person wrote it.
        moved: on how many it goes to the end. by: the reasons with their step and number of pictures, most pictures first.
    """

    name: str
    category: str
    pictures: int
    kept: int
    dropped: int
    own: int
    moved: int = 0
    by: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class FolderSummary:
    """What would become of a folder's tags.

    Attributes:
        tags: each tag. steps: name, number of distinct tags and of places, in their order. core: the core tags.
        empty: places of pictures that would have no tag left; changed: how many pictures lose or move one.
        without: pictures without any tag; own_only: pictures of which all tags are a person's.
    """

    tags: list[TagOutcome]
    steps: list[dict[str, Any]]
    core: CoreTable
    empty: list[int]
    changed: int
    without: int
    own_only: int


def summary(
    tags: FolderTags,
    knowledge: Knowledge,
    limit: Limit,
    limit_key: object,
    folder_of: Callable[[str], str] = lambda image: "",
    always: Callable[[str], object] = lambda name: None,
) -> FolderSummary:
    """What curation would do.

    Args:
        limit: the millionths a tag needs; limit_key: what tells one set of limits from another.
        folder_of: the folder whose core tags are a picture's. always: whether a name is kept by the user's settings.
    """
    present = tags.present(limit, limit_key)
    rows = tags.rows(present, knowledge, folder_of)
    if not knowledge.core.folders:
        knowledge = replace(knowledge, core=tags.core_table(rows, knowledge))
    if knowledge.config.keep:
        rows.kept = frozenset(n for n in rows.machine if always(n))
    curate(rows, knowledge)
    if knowledge.config.max_tags is not None:
        _cut(rows, knowledge.config.max_tags)
    return _told(tags, rows, knowledge, present)


def _told(tags: FolderTags, rows: Rows, knowledge: Knowledge, present: Any) -> FolderSummary:
    appended = knowledge.config.append_dropped
    by: dict[str, dict[str, tuple[str, Reason, int]]] = {}
    moved: dict[str, int] = {}
    gone: dict[str, int] = {}
    changed = lost = 0
    of_step: dict[str, list[int]] = {name: [] for name in (*(s.name for s in steps()), LIMIT)}
    for g in rows.gone:
        changed |= g.bits
        if appended and g.step in TRAIT_STEPS:
            moved[g.name] = moved.get(g.name, 0) | g.bits
        else:
            gone[g.name] = gone.get(g.name, 0) | g.bits
            lost |= g.bits
        number = g.bits.bit_count()
        of_step[g.step].append(number)
        place = json.dumps([g.step, g.reason.to_json()], sort_keys=True)
        reasons = by.setdefault(g.name, {})
        reasons[place] = (g.step, g.reason, reasons[place][2] + number if place in reasons else number)
    for r in rows.renamed:
        changed |= r.bits
        number = r.bits.bit_count()
        of_step[r.step].append(number)
        gone[r.name] = gone.get(r.name, 0) | r.bits
        by.setdefault(r.name, {})[r.to] = (r.step, Reason("alias", {"to": r.to}), number)
    result = []
    own_bits = machine_bits = left = 0
    for bits in present.values():
        machine_bits |= bits
    for bits in tags.own.values():
        own_bits |= bits
    for name in (*rows.machine, *rows.own):
        left |= rows.has(name)
    for bits in moved.values():
        left |= bits
    for name in dict.fromkeys((*present, *rows.machine, *tags.own)):
        own = tags.own.get(name, 0)
        had = present.get(name, 0) | own
        went = gone.get(name, 0)
        # a tag that another name became has pictures that had not it
        pictures = (had | rows.has(name)).bit_count()
        some = sorted(by.get(name, {}).values(), key=lambda x: (-x[2], x[0], x[1].code))[:REASONS]
        told = [
            {"step": s, "code": r.code, "fields": dict(r.fields), "reason": r.sentence, "pictures": n}
            for s, r, n in some
        ]
        stays = (rows.has(name) | moved.get(name, 0)).bit_count()
        outcome = TagOutcome(
            name, tags.category(name).value, pictures, stays, went.bit_count(), own.bit_count(),
            moved.get(name, 0).bit_count(), told,
        )  # fmt: skip
        result.append(outcome)
    every = (1 << rows.count) - 1
    told_steps = [
        {"name": name, "tags": len(numbers), "dropped": sum(numbers)} for name, numbers in of_step.items()
    ]
    had_any = machine_bits | own_bits
    return FolderSummary(
        result,
        told_steps,
        knowledge.core,
        list(members(had_any & ~left)) if lost else [],
        changed.bit_count(),
        (every & ~had_any).bit_count(),
        (own_bits & ~machine_bits).bit_count(),
    )


def _cut(rows: Rows, most: int) -> None:
    """The limit: of pictures with more tags the least certain general ones go, people counts and a person's stay."""
    counts: dict[int, list[str]] = {}
    own: dict[int, int] = {}
    for name, bits in rows.machine.items():
        for row in members(bits):
            counts.setdefault(row, []).append(name)
    for name in rows.own:
        for row in members(rows.has(name)):
            own[row] = own.get(row, 0) + 1
    gone: dict[str, int] = {}
    for row, names in counts.items():
        over = len(names) + own.get(row, 0) - most
        if over <= 0:
            continue
        score = rows.score
        names.sort(key=lambda n: (is_people(n), n in rows.proper, _sure(score(n, row)), n))
        for name in names[:over]:
            gone[name] = gone.get(name, 0) | 1 << row
    for name, bits in gone.items():
        rows.drop(name, bits, LIMIT, Reason(LIMIT, {"most": most}))


def _sure(score: float | None) -> float:
    return 1.0 if score is None else score
