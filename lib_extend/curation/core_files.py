"""Files about core tags for other tools: core_tag.json, wildcard.txt and emb_init.json, as anime_screenshot_pipeline writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lib_extend.curation.core_tags import CoreTable, CoreTags
from lib_extend.vocabulary.character_names import caption_name, embedding_name, parts_of
from lib_extend.vocabulary.tag_names import written

CORE_FILE, WILDCARD_FILE, EMB_INIT_FILE = "core_tag.json", "wildcard.txt", "emb_init.json"


def characters_of(table: CoreTable) -> dict[str, CoreTags]:
    """The characters of all folders by name; of one that is in several the folder with most pictures counts."""
    found: dict[str, CoreTags] = {}
    for characters in table.folders.values():
        for name, core in characters.items():
            if name not in found or core.pictures > found[name].pictures:
                found[name] = core
    return dict(sorted(found.items(), key=lambda x: (-x[1].pictures, x[0])))


def core_json(table: CoreTable) -> dict[str, dict[str, list[str]]]:
    """`{character: {"kept": […], "dropped": […], "emb_init": […]}}`; a tag may be dropped and in emb_init."""
    return {
        written(name): {
            "kept": [written(t) for t in core.of("kept")],
            "dropped": [written(t) for t in core.of("dropped")],
            "emb_init": [written(t) for t in core.init],
        }
        for name, core in characters_of(table).items()
    }


def wildcard_lines(table: CoreTable, separator: str = ", ", *, with_dropped: bool = False) -> list[str]:
    """A line with each character's name, one with its kept core tags, and (`with_dropped`) one with all core tags."""
    lines = []
    for name, core in characters_of(table).items():
        shown = caption_name(name)
        kept = [written(t.name) for t in core.tags if not t.goes]
        every = [*kept, *(written(t.name) for t in core.tags if t.goes)]
        lines.append(shown)
        if kept:
            lines.append(separator.join([shown, *kept]))
        if with_dropped and len(every) > len(kept):
            lines.append(separator.join([shown, *every]))
    return lines


def emb_init(
    table: CoreTable, existing: Mapping[str, Any] | None = None, *, overwrite: bool = False
) -> dict[str, list[str]]:
    """What each embedding starts from, by its name; what a file says already stays unless it is overwritten.

    Parts of a character's name that begin with `_` are embeddings of their own, with nothing to start from.
    """
    made: dict[str, list[str]] = {}
    for name, core in characters_of(table).items():
        made.setdefault(embedding_name(name), [written(t) for t in core.init])
        for words in parts_of(name).parts:
            for word in words:
                if word.startswith("_"):
                    made.setdefault(word.lstrip("_"), [""])
    there = {str(n): list(v) for n, v in (existing or {}).items() if isinstance(v, list)}
    return {**there, **made} if overwrite else {**made, **there}


def one_token_names(names: Mapping[str, Any], tokens: Callable[[str], int]) -> list[str]:
    """Names of embeddings that are one token already: they would take the place of a word."""
    return [name for name in names if tokens(name) == 1]
