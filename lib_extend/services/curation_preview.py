"""The view Curate: the effect of settings on a whole folder, and on one picture with all reasons.

The stored data of a folder is read once and kept; later changes are read again. So the time of a change of settings
depends only on the number of different tags.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extend.captions.existing import Existing
from lib_extend.captions.patterns import patterns
from lib_extend.captions.person_edits import Written, reconcile
from lib_extend.captions.thresholds import agreement
from lib_extend.config import TagConfig
from lib_extend.curation.core_tags import CoreTable
from lib_extend.curation.folder_summary import FolderSummary, TagOutcome, summary
from lib_extend.curation.folder_tags import FolderTags
from lib_extend.curation.knowledge import Knowledge
from lib_extend.curation.own_lists import knowledge
from lib_extend.datasets import curation_memory
from lib_extend.datasets.browser import Browser
from lib_extend.datasets.curation_lists import LoadedLists, load_lists
from lib_extend.datasets.recipe import TAGS, Recipe
from lib_extend.datasets.rows import image_id
from lib_extend.datasets.state_reading import StateReader
from lib_extend.datasets.state_values import DamagedState, stored, stored_json
from lib_extend.jobs.core_counting import NOT_COUNTED
from lib_extend.jobs.folder_curation import core_folder, said
from lib_extend.parts.part_table import parts
from lib_extend.records import Category, Source
from lib_extend.tag_table import MILLION, rows
from lib_extend.tagger_agreement import Agreement
from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.tag_names import key

FOLDERS_KEPT = 3
EMPTY_NAMED = 20
_Tag = tuple[str, Category, "float | None"]


@dataclass
class _Picture:
    """One picture as it was read: what its files were then, its tags by models and by a person."""

    stamp: object
    tags: tuple[_Tag, ...]
    own: tuple[str, ...]


@dataclass
class _Folder:
    """What is kept of one folder. `key`: the taggers, how they agree, and whether captions are adopted."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    key: object = None
    generation: int = -1
    pictures: dict[str, _Picture] = field(default_factory=dict)
    tags: FolderTags = field(default_factory=FolderTags)


@dataclass(frozen=True)
class _Asked:
    """One question: the folder's tags, what steps know, and what was wrong with lists."""

    tags: FolderTags
    knowledge: Knowledge
    recipe: Recipe
    loaded: LoadedLists
    generation: int


class CurationPreviews:
    """Previews of folders. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folders: OrderedDict[Path, _Folder] = OrderedDict()

    def table(
        self,
        browser: Browser,
        config: TagConfig,
        *,
        like: str = "",
        only: str = "",
        sort: str = "dropped",
        offset: int = 0,
        limit: int = 200,
    ) -> dict[str, Any]:
        """The tags of a folder with what becomes of each, as JSON values.

        Raises UserError: a list cannot be read, or the folder cannot be looked through.
        """
        asked = self._asked(browser, config)
        began = time.perf_counter()
        done = _summary(asked)
        chosen = [t for t in done.tags if _wanted(t, like, only)]
        chosen.sort(key=_order(sort))
        overrules = asked.knowledge.overrules
        names = asked.tags.names
        return {
            "pictures": len(names),
            "own_only": done.own_only,
            "without_tags": done.without,
            "seconds": round(time.perf_counter() - began, 3),
            "generation": asked.generation,
            "sums": {
                "tags": sum(t.pictures for t in done.tags),
                "kept": sum(t.kept for t in done.tags),
                "dropped": sum(t.dropped for t in done.tags),
                "moved": sum(t.moved for t in done.tags),
                "changed": done.changed,
                "empty": len(done.empty),
                "empty_names": [names[p] for p in done.empty[:EMPTY_NAMED]],
                "empty_ids": [image_id(names[p]) for p in done.empty[:EMPTY_NAMED]],
            },
            "steps": done.steps,
            "total": len(chosen),
            "rows": [
                {**vars(t), "overrule": overrules.get(key(t.name), "")}
                for t in chosen[offset : offset + limit]
            ],
            "problems": [
                {"code": p.code, "text": text, "file": p.file, "line": p.line}
                for p, (_, text) in zip(asked.loaded.problems, said(asked.loaded.problems), strict=True)
            ],
        }

    def core(self, browser: Browser, config: TagConfig) -> dict[str, Any]:
        """The core tags of a folder's characters, those with most pictures first, as JSON values."""
        asked = self._asked(browser, config)
        table = asked.knowledge.core
        if not table.folders:
            present = asked.tags.present(*_limits(asked))
            counted = asked.tags.rows(present, asked.knowledge, lambda image: core_folder(image, config))
            table = asked.tags.core_table(counted, asked.knowledge)
        return {
            "threshold": config.core_threshold,
            "characters": core_rows(table, asked.knowledge.overrules),
        }

    def core_table(self, browser: Browser, config: TagConfig) -> CoreTable:
        """The core tags as they would be counted now."""
        return _summary(self._asked(browser, config)).core

    def _asked(self, browser: Browser, config: TagConfig) -> _Asked:
        browser.wait(60)
        with self._lock:
            folder = self._folders.setdefault(browser.root, _Folder())
            self._folders.move_to_end(browser.root)
            while len(self._folders) > FOLDERS_KEPT:
                self._folders.popitem(last=False)
        loaded = load_lists(config)
        with folder.lock, browser.dataset.reading() as reader:
            recipe = Recipe.of(config.with_(vlm="none")).known_in(reader)
            generation = browser.status().generation
            tagger = recipe.part_keys.get(TAGS, "")
            how = agreement(config, recipe.thresholds) if recipe.thresholds.each else None
            kept_for = (tagger, config.adopt, how and how.to_json())
            if folder.key != kept_for or folder.generation != generation:
                if folder.key != kept_for:
                    folder.pictures = {}
                _read(folder, browser, reader, tagger, config, how)
                folder.key, folder.generation = kept_for, generation
            known = knowledge(config, loaded.lists, loaded.core, curation_memory.overrules(reader))
            return _Asked(folder.tags, known, recipe, loaded, generation)


def core_rows(table: CoreTable, overrules: Mapping[str, str]) -> list[dict[str, Any]]:
    """A table of core tags as JSON values."""
    found = []
    for folder, characters in table.folders.items():
        for name, core in characters.items():
            plain, _, form = name.partition("|")
            tags = [{**t.to_json(), "overrule": overrules.get(key(t.name), "")} for t in core.tags]
            found.append(
                {
                    "name": plain, "form": form, "folder": folder, "pictures": core.pictures,
                    "enough": core.enough, "tags": tags,
                }
            )  # fmt: skip
    return sorted(found, key=lambda c: (-c["pictures"], c["name"], c["folder"]))


def _summary(asked: _Asked) -> FolderSummary:
    config = asked.knowledge.config
    limit, limit_key = _limits(asked)
    return summary(
        asked.tags,
        asked.knowledge,
        limit,
        limit_key,
        lambda image: core_folder(image, config),
        patterns(config.keep, "keep").match,
    )


def _limits(asked: _Asked) -> tuple[Any, object]:
    """The millionths that each tag needs, and what tells these limits from others."""
    config, own = asked.knowledge.config, asked.recipe.thresholds
    general = own.general if config.threshold is None else config.threshold
    character = own.character if config.character_threshold is None else config.character_threshold
    each = own.tags if config.threshold is None else {}
    keep, excluded = patterns(config.keep, "keep"), patterns(config.exclude, "exclude")

    def limit(name: str, category: Category) -> int:
        if excluded.match(name) or category is Category.RATING:
            return MILLION * 2
        if keep.match(name):
            return 0
        return round(MILLION * each.get(name, character if category is Category.CHARACTER else general))

    return limit, (
        asked.generation,
        general,
        character,
        config.keep,
        config.exclude,
        tuple(sorted(each.items())),
    )


def _read(
    folder: _Folder,
    browser: Browser,
    reader: StateReader,
    tagger: str,
    config: TagConfig,
    how: Agreement | None,
) -> None:
    """Bring what is kept of a folder up to date."""
    with browser.lock:
        index = browser.index
        places = {n: index.places[n] for n in sorted(index.places)}
        stamps = {n: index.stamp(p) for n, p in places.items()}
        captions = {n: index.captions[p] for n, p in places.items()}
        caption_names = {n: index.caption_name(n) for n in places}
    analysed = reader.stamps(TAGS, tagger) if tagger else {}
    stale = {
        n
        for n, stamp in stamps.items()
        if n not in folder.pictures or folder.pictures[n].stamp != (stamp, analysed.get(n))
    }
    wanted = [n for n in stale if analysed.get(n) == stamps[n][:2]]
    analyses: dict[str, tuple[_Tag, ...]] = {}
    for name, payload in reader.payloads(TAGS, tagger, wanted):
        with contextlib.suppress(DamagedState):
            found = stored_json(lambda value: stored(parts()[TAGS].from_json, value), payload)
            analyses[name] = tuple(rows(how.table(found) if how else found))
    records = reader.records([caption_names[n] for n in stale])
    for name in stale:
        existing = _existing(captions[name], records.get(caption_names[name]), adopt=config.adopt)
        tags, own = _tags(analyses.get(name, ()), existing)
        folder.pictures[name] = _Picture((stamps[name], analysed.get(name)), tags, own)
    folder.pictures = {n: folder.pictures[n] for n in places}
    tags_of_all = FolderTags()
    for name, picture in folder.pictures.items():
        tags_of_all.add(name, picture.tags, picture.own)
    folder.tags = tags_of_all.close()


def _existing(text: str, record: str | None, *, adopt: bool) -> Existing | None:
    written = None
    if record is not None:
        with contextlib.suppress(DamagedState):
            written = stored_json(Written.from_json, record)
    return reconcile(written, text or None, adopt=adopt)


def _tags(analysed: Iterable[_Tag], existing: Existing | None) -> tuple[tuple[_Tag, ...], tuple[str, ...]]:
    """A picture's tags by models with those that only its caption knows, and by a person."""
    if existing is None:
        return tuple(analysed), ()
    own = tuple(dict.fromkeys(key(t.name) for t in existing.added))
    removed = {key(n) for n in existing.removed}
    tags = {name: (name, c, s) for name, c, s in analysed if key(name) not in removed}
    analysed_any = bool(tags)
    kinds = {**existing.kinds, **{key(n): kind for n, kind in existing.pruned.items()}}
    for name in (*existing.ours, *existing.pruned):
        source, _, category = kinds.get(key(name), "").partition(" ")
        if source in NOT_COUNTED or (source == Source.TAGGER.value and analysed_any):
            continue
        tags.setdefault(key(name), (key(name), Category(category or "general"), None))
    mine = {*own}
    return tuple(t for t in tags.values() if t[0] not in mine), own


def _wanted(tag: TagOutcome, like: str, only: str) -> bool:
    if like and key(like).replace(" ", "_") not in key(tag.name):
        return False
    return (
        not only or {"dropped": tag.dropped, "kept": tag.kept, "changed": tag.dropped or tag.moved}[only] > 0
    )


def _order(sort: str) -> Any:
    if sort == "name":
        return lambda t: t.name
    if sort == "pictures":
        return lambda t: (-t.pictures, t.name)
    return lambda t: (-t.dropped - t.moved, -t.pictures, is_people(t.name), t.name)
