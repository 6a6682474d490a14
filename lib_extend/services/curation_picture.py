"""One picture before and after curation, with all reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.datasets.browser import Browser
from lib_extend.datasets.recipe import Recipe
from lib_extend.files.caption_forms import find
from lib_extend.files.scan import Found
from lib_extend.jobs.captioning import existing_caption
from lib_extend.jobs.curating import StoredCaptioner
from lib_extend.jobs.folder_curation import needs_folder
from lib_extend.services.curation_preview import CurationPreviews


def curated_picture(
    previews: CurationPreviews, browser: Browser, image: str, config: TagConfig
) -> dict[str, Any]:
    """The caption of an image as it is and as it would be, with what would not be there and why, as JSON values.

    Raises:
        UserError: a list cannot be read. ImageError: the caption cannot be read.
    """
    stat = (browser.root / image).stat()
    found = Found(image, stat.st_size, stat.st_mtime_ns, caption=find(browser.root, image))
    with browser.dataset.state() as state:
        state.encodings.choose(config.caption_encoding)
        captioner = StoredCaptioner(state, Recipe.of(config).known_in(state))
        curator = captioner.curation.curator
        if curator is not None and needs_folder(config):
            core = previews.core_table(browser, config)
            curator.knowledge = replace(curator.knowledge, core=core)
        existing = existing_caption(state, found, config)
        one, missing = captioner.of(found)
        caption = one.caption(found, one.stored(found, existing), existing)
    return {
        "before": existing.text if existing else "",
        "after": caption.text,
        "tags": [t.to_json() for t in caption.tags],
        "dropped": [d.to_json() for d in caption.dropped],
        "missing": sorted(missing),
    }
