"""A character with its form (`hoshi|none|school_uniform`) in a list of tags: its name, and what it wears as tags of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lib_extend.records import Category, Tag
from lib_extend.vocabulary.character_names import is_composed, parts_of
from lib_extend.vocabulary.tag_names import canonical, key


def taken_apart(tags: Sequence[Tag]) -> list[Tag]:
    """The tags, with each composed name as the name and its appearance, and a tag for each word of the other parts."""
    if not any(t.category is Category.CHARACTER and is_composed(t.name) for t in tags):
        return list(tags)
    result: list[Tag] = []
    there: set[str] = set()
    for tag in tags:
        made = [tag]
        if tag.category is Category.CHARACTER and is_composed(tag.name):
            name, glued, parts = parts_of(tag.name)
            first = " ".join([name + glued, *(parts[0] if parts else ())])
            words = [word.lstrip("_") for part in parts[1:] for word in part]
            made = [replace(tag, name=canonical(first))]
            made += [replace(tag, name=canonical(word), category=Category.GENERAL) for word in words]
        fresh = [t for t in made if key(t.name) not in there]
        there.update(key(t.name) for t in fresh)
        result += fresh
    return result
