"""Counting the core tags of a folder: what each character has on most of its pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from lib_extend.captions.existing import Existing
from lib_extend.captions.patterns import patterns
from lib_extend.captions.thresholds import Thresholds, sure_rows
from lib_extend.config import TagConfig
from lib_extend.curation.core_tags import CoreCounter, CoreTable
from lib_extend.curation.line_curator import LineCurator
from lib_extend.datasets import aux_files, curation_memory
from lib_extend.datasets.state import State
from lib_extend.errors import ImageError
from lib_extend.files.scan import Found
from lib_extend.jobs.captioning import Captioner, existing_caption
from lib_extend.jobs.folder_curation import core_folder, needs_folder
from lib_extend.records import Analysis, Category, Source
from lib_extend.vocabulary.people_tags import count_people
from lib_extend.vocabulary.tag_names import key

_GENERAL = Category.GENERAL
NOT_COUNTED = frozenset({Source.OPTION.value, Source.PERSON.value})
"""Kinds of tags in captions that say nothing of what a character looks like: the user's options, lettered tags."""


def counts_core(captioner: Captioner) -> bool:
    """Whether the folder is to be looked through before captions are decided."""
    return captioner.curation.curator is not None and needs_folder(captioner.recipe.config)


def learn(
    state: State, captioner: Captioner, found: Sequence[Found], check: Callable[[], None] = lambda: None
) -> CoreTable:
    """Count the core tags over all pictures, have the captioner use them, and keep them in the state.

    `check` is called before each picture, and may raise to stop.
    """
    curator, config = captioner.curation.curator, captioner.recipe.config
    assert curator is not None
    counter = CoreCounter()
    for f in found:
        check()
        try:
            existing = existing_caption(state, f, config)
            beside = captioner.beside(f)
        except ImageError:
            continue  # reported when its caption is composed
        # edited tags may lack core tags, so they are not counted
        original = {field: names for field, names in beside.items() if field != aux_files.PROCESSED}
        seen = captioner.stored(f, existing)
        analysis = aux_files.applied(seen, original, config)
        tags = uncurated(analysis, existing, config, captioner.recipe.thresholds, by_tagger=bool(seen.tags))
        counted = one_character(curator, tags)
        if counted is not None:
            counter.add(core_folder(f.name, config), *counted)
    table = counter.table(config, curator.knowledge.difficulty)
    curation_memory.keep_core_table(state, table)
    curator.knowledge = replace(curator.knowledge, core=table)
    return table


class Uncurated(NamedTuple):
    """All tags of a picture that are sure enough: names and categories of those by models, and names by a person."""

    tags: list[tuple[str, Category]]
    said: list[str]


def one_character(curator: LineCurator, tags: Uncurated) -> tuple[str, set[str]] | None:
    """The character that a picture shows alone, and its tags by the names they resolve to; None for other pictures."""
    characters = curator.named_characters(tags.tags, tags.said)
    if len(characters) != 1 or count_people(chain((n for n, _ in tags.tags), tags.said)) > 1:
        return None
    countable = curator.knowledge.countable
    names = {countable(name) for name, category in tags.tags if category is _GENERAL}
    names.update(map(countable, tags.said))
    names.discard("")
    return characters[0], names


def uncurated(
    analysis: Analysis,
    existing: Existing | None,
    config: TagConfig,
    thresholds: Thresholds,
    *,
    by_tagger: bool = True,
) -> Uncurated:
    """All tags of a picture that are sure enough, and those of its caption, with what curation left out of it.

    `by_tagger`: a tagger's tags are in the analysis, which files beside the picture may have changed; the caption's own of
    that kind are old then.
    """
    keep = patterns(config.keep, "keep")
    found = [(n, c) for n, c, _ in sure_rows(analysis.tags, config, thresholds, keep.match)]
    if existing is None:
        return Uncurated(found, [])
    there = {key(name) for name, _ in found}
    kinds = {**existing.kinds, **{key(n): kind for n, kind in existing.pruned.items()}}
    for name in (*existing.ours, *existing.pruned):
        source, _, category = kinds.get(key(name), "").partition(" ")
        ours = source in NOT_COUNTED or (source == Source.TAGGER.value and by_tagger)
        if key(name) not in there and not ours:
            found.append((name, Category(category or "general")))
    return Uncurated(found, [t.name for t in existing.added if key(t.name) not in there])
