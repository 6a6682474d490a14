"""Rows for tests: pictures by their tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib_extend.captions.patterns import Patterns
from lib_extend.config import TagConfig
from lib_extend.curation.core_tags import CoreTable
from lib_extend.curation.knowledge import Knowledge, UserLists
from lib_extend.curation.own_lists import knowledge
from lib_extend.curation.step_table import curate
from lib_extend.curation.tag_rows import Rows, members


def known(
    prune: str = "minimal",
    *,
    blacklist: Sequence[str] = (),
    overlaps: Mapping[str, tuple[str, ...]] | None = None,
    aliases: Mapping[str, str] | None = None,
    core: CoreTable | None = None,
    overrules: Mapping[str, str] | None = None,
    **settings: Any,
) -> Knowledge:
    lists = UserLists(
        (("mine.txt", Patterns(tuple(blacklist), "mine.txt")),) if blacklist else (),
        overlaps or {},
        aliases or {},
    )
    return knowledge(TagConfig(prune=prune, **settings), lists, core, overrules)


def rows(
    *pictures: Mapping[str, float | None] | Sequence[str],
    own: Mapping[str, int] | None = None,
    **facts: Any,
) -> Rows:
    """A row a picture, with its tags (and their scores)."""
    machine: dict[str, int] = {}
    scores = {}
    for row, tags in enumerate(pictures):
        for name in tags:
            machine[name] = machine.get(name, 0) | 1 << row
            scores[name, row] = tags[name] if isinstance(tags, Mapping) else None
    return Rows(len(pictures), machine, own or {}, score=lambda n, r: scores.get((n, r)), **facts)


def left(done: Rows, row: int = 0) -> set[str]:
    """The tags that a picture still has, from whomever."""
    return {n for n in {*done.machine, *done.own} if done.has(n) >> row & 1}


def curated(*tags: str, own: Sequence[str] = (), **what: Any) -> set[str]:
    """What is left of one picture's tags."""
    return left(curate(rows(tags, own=dict.fromkeys(own, 1)), known(**what)))


def reasons(done: Rows) -> dict[str, tuple[str, set[int]]]:
    """The code and the rows of what went."""
    return {g.name: (g.reason.code, set(members(g.bits))) for g in done.gone}
