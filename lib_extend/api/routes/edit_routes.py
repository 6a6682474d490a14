"""Changing the captions of an open folder, many at once; what was done to it; pictures left out."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

from lib_extend.api import request_messages
from lib_extend.api.declaring import Routes, Takes
from lib_extend.api.examples import FilterText, Offset
from lib_extend.api.opened_datasets import browser_of
from lib_extend.datasets.browse import name_of
from lib_extend.errors import NotFoundError
from lib_extend.files.scan import show
from lib_extend.jobs.leaving_out import leave_out
from lib_extend.services import browse_edits, messages, run_history
from lib_extend.services.container import Services
from lib_extend.services.edit_actions import Edit
from lib_extend.services.edits_under_way import Writing

routes = Routes("Edits and runs", place=65)
MOST_CHANGES = 5000
"""Changes of a run in one answer, at the most."""
_RUN: dict[str, Any] = {
    "id": 3, "kind": "tag", "status": "done", "started": 1767225600.0, "finished": 1767225723.5,
    "config": {"tagger": "wd-swinv2-v3"}, "images": 1200, "undoes": None, "changed": 1198, "failed": 2,
    "taken_back": 0,
}  # fmt: skip
_CHANGE = {
    "name": "a/b.txt",
    "image": "a/b.png",
    "id": "a/b.png",
    "before": "1girl",
    "after": "1girl, 3 cakes",
}
_EDITING: dict[str, Any] = {"running": True, "done": 512, "total": 20000, "stopping": False}


@routes.post(
    "/datasets/{folder}/edit",
    gives={
        "changed": 12, "total": 40, "run": 4, "failures": [], "stopped": False,
        "samples": [{"id": "a/b.png", "name": "a/b.png", "before": "1girl", "after": "solo"}],
    },
    pool="browsing",
)  # fmt: skip
def edit(
    services: Services,
    folder: str,
    action: Annotated[str, Takes("add, remove, rename, replace, front or sort")],
    filter: FilterText | None = None,
    ids: Annotated[list[str] | None, Takes("or which ones, by id")] = None,
    tags: Annotated[list[str] | None, Takes("the tags; for replace the text to look for")] = None,
    to: Annotated[str, Takes("the new name or text; `front` to add at the front")] = "",
    regex: Annotated[bool, Takes("tags are regular expressions")] = False,
    preview: Annotated[bool, Takes("show what would change, change nothing")] = False,
) -> dict[str, Any]:
    """Change the captions of the pictures that are meant.

    An edit is a run, which can be undone; `stopped`: not all captions were looked at. Long captions are cut in the
    samples to where they begin to differ; `…` marks a cut.
    """
    if filter is not None and ids is not None:
        raise request_messages.FILTER_OR_IDS.error(field="ids")
    if filter is None and ids is None:
        raise messages.NEEDED.error(name="filter", field="filter")
    asked = Edit.from_json({"action": action, "tags": tags or [], "to": to, "regex": regex})
    names = None if ids is None else [name_of(i) for i in ids]
    browser = browser_of(services, folder)
    if not preview:
        services.folders.check_links(browser.root, recursive=browser.recursive)
    with contextlib.ExitStack() as ends:
        now = Writing() if preview else ends.enter_context(services.edits.writing(browser.root))
        return browse_edits.edit(
            browser, asked, filter=filter, names=names, preview=preview, progress=now.progress, stop=now.stop.is_set
        ).to_json()  # fmt: skip


@routes.post("/datasets/{folder}/left-out", gives={"run": 5, "changed": 2}, pool="browsing")
def leave_out_pictures(
    services: Services,
    folder: str,
    ids: Annotated[list[str], Takes("which pictures, by id")],
    reason: Annotated[str, Takes("why")] = "",
    back: Annotated[bool, Takes("take them in again")] = False,
) -> dict[str, Any]:
    """Leave pictures out: no job takes them, no statistic counts them, their files stay as they are.

    A run (0 when nothing changed), which can be undone. The filter word `left-out` finds them.
    """
    browser = browser_of(services, folder)
    names = [name_of(i) for i in ids]
    for name in names:
        if not browser.has(name) and not back:
            raise messages.NO_IMAGE.error(NotFoundError, name=show(name), field="ids")
    run, changed = leave_out(browser.dataset, names, reason=reason, back=back)
    return {"run": run, "changed": changed}


@routes.get(
    "/datasets/{folder}/encodings",
    gives={"files": [{"encoding": "gb18030", "files": 40}], "unsure": 1, "chosen": "auto"},
    pool="browsing",
)
def encodings(services: Services, folder: str) -> dict[str, Any]:
    """In which encodings the captions are that are not UTF-8: how many speak for which, how many could not be told.

    `chosen` is what the newest run was told (`caption_encoding`). All is empty until such a caption was met.
    """
    return browse_edits.encodings(browser_of(services, folder))


@routes.get("/datasets/{folder}/edit", gives=_EDITING, pool="browsing")
def edit_state(services: Services, folder: str) -> dict[str, Any]:
    """The progress of the running edit."""
    return services.edits.state(browser_of(services, folder).root)


@routes.post("/datasets/{folder}/edit/stop", gives={**_EDITING, "stopping": True}, pool="browsing")
def edit_stop(services: Services, folder: str) -> dict[str, Any]:
    """Stop the running edit; written captions stay, and can be undone."""
    return services.edits.stop(browser_of(services, folder).root)


@routes.get("/datasets/{folder}/runs", gives=[_RUN], pool="browsing")
def runs(services: Services, folder: str) -> list[dict[str, Any]]:
    """The runs over the folder, newest first.

    `kind` is tag, preview, edit, review (verdicts given one after the other; `config.answers` counts them) or undo.
    `taken_back` of the `changed` captions were taken back; when all were, `status` is undone.
    """
    return run_history.runs(browser_of(services, folder))


@routes.get(
    "/datasets/{folder}/runs/{run:int}",
    gives={**_RUN, "changes": [_CHANGE], "failures": [{"name": "c.png", "reason": "c.png cannot be read."}]},
    pool="browsing",
)
def run(
    services: Services,
    folder: str,
    run: int,
    offset: Offset = 0,
    limit: Annotated[int, Takes("changes at the most (default 1000)", low=1, high=MOST_CHANGES)] = 1000,
) -> dict[str, Any]:
    """One run with a page of what it changed.

    Long captions are cut to where they begin to differ; `…` marks a cut.
    """
    return run_history.run_with_changes(browser_of(services, folder), run, offset, limit)
