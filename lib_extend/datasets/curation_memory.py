"""Curation data in a dataset's state: the core tags of its characters, and the user's decisions on single tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lib_extend.curation.core_tags import CoreTable
from lib_extend.curation.knowledge import DROP, KEEP
from lib_extend.datasets.state import State
from lib_extend.datasets.state_reading import StateReader
from lib_extend.datasets.state_values import DamagedState, stored_json
from lib_extend.errors import UserError
from lib_extend.vocabulary.tag_names import canonical, key

CORE, OVERRULES = "curation_core", "curation_overrules"
MOST_OVERRULES = 100_000


def core_table(state: State | StateReader) -> CoreTable | None:
    """The core tags as they were last counted, None if they never were."""
    text = state.note(CORE)
    if not text:
        return None
    try:
        return stored_json(CoreTable.from_json, text)
    except DamagedState:
        return None  # they are counted again


def keep_core_table(state: State, table: CoreTable) -> None:
    """Store the core tags, for captions that are written one at a time."""
    state.set_note(CORE, json.dumps(table.to_json(), separators=(",", ":")))


def overrules(state: State | StateReader) -> dict[str, str]:
    """The user's decisions on tags of this folder: "keep" or "drop", by their names."""
    text = state.note(OVERRULES)
    if not text:
        return {}
    try:
        return stored_json(_overrules, text)
    except DamagedState:
        return {}


def overrule(state: State, tag: str, decision: str) -> dict[str, str]:
    """Store the decision on a tag of this folder: "keep" it, "drop" it, or leave it to the steps ("").

    Returns all decisions. Raises UserError for another value.
    """
    if decision not in (KEEP, DROP, ""):
        raise UserError(f"decision is {decision!r}, but must be keep, drop or nothing.", field="decision")
    name = key(canonical(tag))
    if not name:
        raise UserError("Name a tag.", field="tag")
    said = {n: d for n, d in overrules(state).items() if n != name}
    if decision:
        said[name] = decision
    if len(said) > MOST_OVERRULES:
        raise UserError(f"A folder has at most {MOST_OVERRULES:,} overruled tags.", field="tag")
    state.set_note(OVERRULES, json.dumps(said, sort_keys=True))
    return said


def _overrules(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError
    return {str(n): d for n, d in value.items() if d in (KEEP, DROP)}
