"""Curating a folder: captions from what is stored and what they say, without a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lib_extend.captions.existing import Existing
from lib_extend.captions.style_table import styles
from lib_extend.config import LETTERED, TagConfig
from lib_extend.config.curation_settings import CORE, NONE
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import ANSWERS, PERSONS, TAGS, Recipe
from lib_extend.datasets.state import State
from lib_extend.errors import UserError
from lib_extend.files.scan import Found
from lib_extend.jobs import job_events as ev
from lib_extend.jobs import notices
from lib_extend.jobs.captioning import Captioner, Decided
from lib_extend.jobs.folder_curation import FolderCuration
from lib_extend.jobs.journal import Write
from lib_extend.jobs.needs import Need
from lib_extend.jobs.tagging import TagJob
from lib_extend.records import Analysis, Source

CURATE, CURATE_PREVIEW = "curate", "curate_preview"
_ONCE = ("limit", "include", "exclude_images", "recursive")
"""Settings that an earlier run had for itself."""


def curate_config(dataset: Dataset, given: Mapping[str, Any]) -> TagConfig:
    """The settings of a curating run: those given, over those of the folder's newest run.

    Captions that are there are merged with; without a word about it, core tags of characters go.
    """
    with dataset.reading() as reader:
        known = reader.last_config()
    try:
        base = TagConfig.from_dict({k: v for k, v in known.items() if k not in _ONCE}).changed()
    except UserError:
        base = {}  # of another version
    if not known:
        base = {"tagger": "none", "vlm": "none"}
    values = {**base, "existing": "merge", **given}
    if values.get("prune", NONE) == NONE and "prune" not in given:
        values["prune"] = CORE
    return TagConfig.from_dict(values)


class CurateJob(TagJob):
    """`prompt-extend curate`: as `TagJob`, but no model is asked: a picture that none saw keeps what its caption says."""

    kind = CURATE
    preview_kind = CURATE_PREVIEW

    def __init__(self, dataset: Dataset, config: TagConfig, *, dry_run: bool = False) -> None:
        super().__init__(dataset, config, dry_run=dry_run)
        self._own: list[str] = []

    def events(self) -> Iterator[ev.Event]:
        """Run the job, see `TagJob.events`."""
        for event in super().events():
            if isinstance(event, ev.Finished):
                yield from notices.of_own(self._own)
            yield event

    def _captioner(self, state: State, recipe: Recipe) -> Captioner:
        return StoredCaptioner(state, recipe)

    def _waiting(self, needs: Sequence[Need]) -> list[Need]:
        return []

    def _note(self, decided: Decided) -> None:
        super()._note(decided)
        tags = decided.caption.tags
        if tags and not decided.caption.dropped and all(t.source is Source.HUMAN for t in tags):
            self._own.append(decided.found.name)


class StoredCaptioner(Captioner):
    """Composes captions from what is stored: where a part of an analysis is missing, what the caption says stays."""

    def __init__(self, state: State, recipe: Recipe, curation: FolderCuration | None = None) -> None:
        super().__init__(state, recipe, curation)
        self._known = {
            name: state.analysed(name, part_key) for name, part_key in recipe.part_keys.items() if part_key
        }
        self._reduced: dict[frozenset[str], Captioner] = {
            frozenset(): Captioner(state, recipe, self.curation)
        }

    def write(self, found: Found, analysis: Analysis | None, decided: dict[str, Decided]) -> Write:
        return self.of(found)[0].write(found, analysis, decided)

    def writes_beside(self, found: Found, analysis: Analysis | None) -> list[Write]:
        return Captioner.writes_beside(self.of(found)[0], found, analysis)

    def stored(self, found: Found, existing: Existing | None) -> Analysis:
        return Captioner.stored(self.of(found)[0], found, existing)

    def of(self, found: Found) -> tuple[Captioner, frozenset[str]]:
        """What composes the caption of a picture: as the settings say, without the models that never saw it; and those
        parts of its analysis."""
        stamp = (found.size, found.mtime_ns)
        missing = frozenset(
            name
            for name, part_key in self.recipe.part_keys.items()
            if not part_key or self._known[name].get(found.name) != stamp
        )
        if missing not in self._reduced:
            recipe = Recipe.of(without_parts(self.recipe.config, missing)).known_in(self._state)
            self._reduced[missing] = Captioner(self._state, recipe, self.curation)
        return self._reduced[missing], missing


def without_parts(config: TagConfig, missing: frozenset[str]) -> TagConfig:
    """The settings without the models whose results are not stored."""
    changes: dict[str, object] = {}
    if TAGS in missing:
        changes["tagger"] = "none"
    if ANSWERS in missing or TAGS in missing:
        changes["vlm"] = "none"
    if config.people and (PERSONS in missing or TAGS in missing):
        changes["people"] = False
        if config.format in LETTERED:
            changes["format"] = styles()["greek"].template
    return config.with_(**changes) if changes else config
