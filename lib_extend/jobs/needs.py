"""The parts of each image that the models still have to make. Stored parts with current keys are not made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.datasets.recipe import TAGS, Recipe
from lib_extend.datasets.state import State
from lib_extend.datasets.state_values import stored
from lib_extend.errors import ImageError
from lib_extend.files.scan import Found
from lib_extend.jobs.captioning import existing_caption, tags_to_ask_about
from lib_extend.parts.part_table import parts
from lib_extend.records import Tag


@dataclass(frozen=True)
class Need:
    """What one image still needs from the models.

    Attributes:
        missing: the names of the parts to make, and what each is stored under ("" while that is not known).
        known: values of other parts that those need, by the parts' names.
    """

    found: Found
    missing: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        return not self.missing


def needs_of(state: State, recipe: Recipe, found: Sequence[Found]) -> list[Need]:
    """What each image needs; everything when the models' keys are not known yet."""
    if recipe.starts_from_captions:
        return [_by_caption(state, recipe, f) for f in found]
    keys = recipe.part_keys
    there = {name: state.analysed(name, key) for name, key in keys.items() if key}
    needs = []
    for f in found:
        stamp = (f.size, f.mtime_ns)
        missing = {n: key for n, key in keys.items() if not key or there[n].get(f.name) != stamp}
        needs.append(Need(f, missing, _used(state, recipe, f, keys, missing)))
    return needs


def _by_caption(state: State, recipe: Recipe, found: Found) -> Need:
    """What an image needs whose caption's tags take the place of the tagger's."""
    tags = _caption_tags(state, found, recipe.config)
    keys = recipe.part_keys_of(tags)
    missing = {n: key for n, key in keys.items() if not key or state.part(found, n, key) is None}
    known = _used(state, recipe, found, keys, missing)
    return Need(found, missing, {**known, TAGS: tags} if tags else known)


def _used(
    state: State, recipe: Recipe, found: Found, keys: Mapping[str, str], missing: Mapping[str, str]
) -> dict[str, Any]:
    """What is stored of the parts that the missing ones use."""
    if not missing:
        return {}
    inputs = recipe.key_inputs()
    used = {name for needy in missing for name in parts()[needy].uses(inputs)}
    known = {}
    for name in used - missing.keys():
        part = state.part(found, name, keys[name]) if keys.get(name) else None
        if part is not None:
            known[name] = stored(parts()[name].from_json, part.payload)
    return known


def _caption_tags(state: State, found: Found, config: TagConfig) -> Sequence[Tag]:
    """The tags that a person gave an image, used if there is no tagger."""
    try:
        existing = existing_caption(state, found, config)
    except ImageError:
        return ()  # reported with its reason when the caption is composed
    return tags_to_ask_about(existing) if existing else ()
