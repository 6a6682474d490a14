"""What a dataset's state keeps of curation: the core tags of its characters, and what the user said of single tags."""

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
    """The core tags as they were last counted, None where they never were."""
    text = state.note(CORE)
    if not text:
        return None
    try:
        return stored_json(CoreTable.from_json, text)
    except DamagedState:
        return None  # they are counted anew


def keep_core_table(state: State, table: CoreTable) -> None:
    """Keep the core tags, for captions that are written one at a time."""
    state.set_note(CORE, json.dumps(table.to_json(), separators=(",", ":")))


def overrules(state: State | StateReader) -> dict[str, str]:
    """What the user said of tags of this folder: "keep" or "drop", by their names."""
    text = state.note(OVERRULES)
    if not text:
        return {}
    try:
        return stored_json(_overrules, text)
    except DamagedState:
        return {}


def overrule(state: State, tag: str, decision: str) -> dict[str, str]:
    """Say of a tag of this folder that it stays ("keep"), goes ("drop") or is left to the steps ("").

    Returns all that is said. Raises UserError for another decision.
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
