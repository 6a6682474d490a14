"""Curating a folder: what settings would leave out, before anything is written."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.declaring import Routes, Takes
from lib_extend.api.examples import CAPTION, DROP, TAG, ImageName, Offset, Settings
from lib_extend.config import TagConfig
from lib_extend.datasets import curation_memory
from lib_extend.datasets.browse import Browser
from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs.curating import curate_config
from lib_extend.services.container import Services
from lib_extend.services.curation_picture import curated_picture
from lib_extend.services.requested_settings import config_of

routes = Routes("Curate a folder", place=65)
MOST_TAGS = 10_000
_REASON = {
    "step": "core", "code": "core_tag", "fields": {"character": "hoshi", "share": 0.98, "pictures": 41},
    "reason": "98 % of hoshi's pictures have it", "pictures": 40,
}  # fmt: skip
_TABLE: dict[str, Any] = {
    "pictures": 1200, "own_only": 0, "without_tags": 3, "seconds": 0.04, "generation": 7,
    "sums": {
        "tags": 41000, "kept": 36000, "dropped": 5000, "moved": 0, "changed": 1150, "empty": 1, "empty_names": ["a/b.png"],
        "empty_ids": ["a/b.png"],
    },
    "steps": [{"name": "blacklist", "tags": 4, "dropped": 120}],
    "total": 1,
    "rows": [
        {
            "name": "black_hair", "category": "general", "pictures": 52, "kept": 12, "dropped": 40, "own": 0, "moved": 0,
            "by": [_REASON], "overrule": "",
        }
    ],
    "problems": [{"code": "bad_pattern", "text": "…", "file": "black.txt", "line": 3}],
}  # fmt: skip
_CORE: dict[str, Any] = {
    "threshold": 0.4,
    "characters": [
        {
            "name": "hoshi", "form": "", "folder": "", "pictures": 41, "enough": True,
            "tags": [
                {
                    "name": "black_hair", "count": 40, "share": 0.98, "use": "dropped", "init": False, "difficulty": 0,
                    "overrule": "",
                }
            ],
        }
    ],
}  # fmt: skip
_OVERRULES = {"overrules": {"black_hair": "keep"}}


@routes.post("/datasets/{folder}/curation", gives=_TABLE, pool="browsing")
def curation(
    services: Services,
    folder: str,
    config: Settings | None = None,
    like: Annotated[str, Takes("only tags that look like this")] = "",
    only: Annotated[
        str,
        Takes(
            "only tags that are dropped, kept or changed somewhere",
            choices=("", "dropped", "kept", "changed"),
        ),
    ] = "",
    sort: Annotated[
        str, Takes("dropped, pictures or name", choices=("dropped", "pictures", "name"))
    ] = "dropped",
    offset: Offset = 0,
    limit: Annotated[int, Takes("how many at the most (default 200)", low=1, high=MOST_TAGS)] = 200,
) -> dict[str, Any]:
    """What curating a folder would do, tag by tag; nothing is written.

    Settings that are not given are those of the folder's newest run. `by` tells why a tag goes, the reason of most pictures
    first; `own`: on how many pictures a person wrote it; `own_only`: pictures with nothing but a person's tags.
    """
    browser = _browser(services, folder)
    return services.curations.table(
        browser,
        _config(services, browser, config),
        like=like,
        only=only,
        sort=sort,
        offset=offset,
        limit=limit,
    )


@routes.post("/datasets/{folder}/curation/core", gives=_CORE, pool="browsing")
def core_tags(services: Services, folder: str, config: Settings | None = None) -> dict[str, Any]:
    """What each character of a folder has on most of its pictures.

    `use` is dropped or kept, `init`: an embedding starts from it; `enough`: whether the pictures suffice to drop anything.
    """
    browser = _browser(services, folder)
    return services.curations.core(browser, _config(services, browser, config))


@routes.post(
    "/datasets/{folder}/curation/picture",
    gives={"before": CAPTION, "after": CAPTION, "tags": [TAG], "dropped": [DROP], "missing": []},
    pool="browsing",
)
def curated(
    services: Services, folder: str, image: ImageName, config: Settings | None = None
) -> dict[str, Any]:
    """A picture's caption before and after curation, and why each tag is not there; nothing is written.

    `missing`: what the models have not said about it (tags, answers, persons).
    """
    services.folders.image(folder, image)
    browser = _browser(services, folder)
    return curated_picture(services.curations, browser, image, _config(services, browser, config))


@routes.get("/datasets/{folder}/curation/overrules", gives=_OVERRULES, pool="browsing")
def overrules(services: Services, folder: str) -> dict[str, Any]:
    """What was said of single tags of a folder: they stay (keep) or go (drop), whatever the steps say."""
    with Dataset(services.folders.path(folder)).reading() as reader:
        return {"overrules": curation_memory.overrules(reader)}


@routes.post("/datasets/{folder}/curation/overrules", gives=_OVERRULES, pool="browsing")
def set_overrule(
    services: Services,
    folder: str,
    tag: Annotated[str, Takes("a tag")],
    decision: Annotated[str, Takes("keep, drop, or nothing", choices=("keep", "drop", ""))],
) -> dict[str, Any]:
    """Say of a tag of a folder that it stays, goes, or is left to the steps; every later run heeds it."""
    with Dataset(services.folders.path(folder)).state() as state:
        return {"overrules": curation_memory.overrule(state, tag, decision)}


def _browser(services: Services, folder: str) -> Browser:
    opened = services.folders.get(folder)
    return services.browsers.open(opened.path, recursive=opened.recursive)


def _config(services: Services, browser: Browser, given: dict[str, Any] | None) -> TagConfig:
    config = curate_config(browser.dataset, given or {})
    return config_of(config.changed(), services.folders, services.options().models_dir)
