"""The steps of curation, in their order. A new one is a new file in `steps`, found by being there."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from lib_extend.curation import steps as folder
from lib_extend.curation.curation_step import Step
from lib_extend.curation.knowledge import Knowledge
from lib_extend.curation.tag_rows import Rows


@cache
def steps() -> tuple[Step, ...]:
    """All steps, the first to act first."""
    names = sorted(m.name for m in pkgutil.iter_modules(folder.__path__))
    found: list[Step] = [importlib.import_module(f"{folder.__name__}.{n}").STEP for n in names]
    return tuple(sorted(found, key=lambda step: step.place))


def curate(rows: Rows, knowledge: Knowledge) -> Rows:
    """All steps that the settings ask for, one after the other; `rows` hold what is left, and all reasons."""
    rows.kept = rows.kept | knowledge.kept
    for step in steps():
        if step.wanted(knowledge):
            step.act(rows, knowledge)
    return rows
