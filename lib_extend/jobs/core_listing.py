"""The core tags of a folder, counted now from what is stored and what the captions say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.config.curation_settings import CORE
from lib_extend.curation.core_tags import CoreTable
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import Recipe
from lib_extend.jobs.caption_edit_job import pictures_of
from lib_extend.jobs.core_counting import learn
from lib_extend.jobs.curating import StoredCaptioner
from lib_extend.jobs.folder_curation import needs_folder


def core_tags(dataset: Dataset, config: TagConfig, **options: Any) -> CoreTable:
    """The core tags of the folder's characters; `options` go to `learn`. No caption is written.

    Raises:
        UserError: a list cannot be read, or there is no such folder.
    """
    dataset.check()
    config = config if config.pruning == CORE else config.with_(prune=CORE)
    look = pictures_of(dataset, config)
    with dataset.state() as state:
        state.encodings.choose(config.caption_encoding)
        captioner = StoredCaptioner(state, Recipe.of(config).known_in(state))
        curator = captioner.curation.curator
        assert curator is not None
        if not needs_folder(config):
            return curator.knowledge.core
        curator.knowledge = replace(curator.knowledge, core=CoreTable())
        return learn(state, captioner, look.found, **options)
