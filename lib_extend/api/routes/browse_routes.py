"""Browsing an open folder: pages of pictures, tags, thumbnails, edits, runs."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from lib_extend.api import request_messages
from lib_extend.api.calls import Call, FileAnswer, Raw, Stream
from lib_extend.api.declaring import Routes, Takes
from lib_extend.api.examples import DROP, After, FilterText, Offset
from lib_extend.datasets import thumbnails
from lib_extend.datasets.browse import Browser, name_of
from lib_extend.errors import ConflictError, NotFoundError
from lib_extend.files.scan import show
from lib_extend.jobs.edit_runs import Conflict
from lib_extend.jobs.leaving_out import leave_out
from lib_extend.services import browse_edits, messages, run_history
from lib_extend.services.container import Services
from lib_extend.services.edit_actions import Edit
from lib_extend.services.edits_under_way import Writing
from lib_extend.services.picture_details import details
from lib_extend.services.scan_events import ScanEvents

routes = Routes("Browse a folder", place=60)
MOST_CHANGES = 5000
"""Changes of a run in one answer, at the most."""
MOST_TAGS = 10_000
_MIMES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jfif": "image/jpeg", ".webp": "image/webp",
    ".avif": "image/avif", ".bmp": "image/bmp", ".gif": "image/gif", ".tif": "image/tiff", ".tiff": "image/tiff",
}  # fmt: skip
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
_TAG: dict[str, Any] = {
    "name": "3_cakes", "category": "general", "score": 0.93, "source": "question", "locked": False,
}  # fmt: skip
_EDITING: dict[str, Any] = {"running": True, "done": 512, "total": 20000, "stopping": False}


# lists


@routes.get(
    "/datasets/{folder}/scan",
    gives="Events `{done, total}` (pictures), at the end `{ready, images, generation}` or `{error}`.",
    pool="browsing",
)
def scan(
    services: Services,
    call: Call,
    folder: str,
    after: After = 0,
    poll: Annotated[bool, Takes("1: no stream, but a JSON list of where it is now")] = False,
) -> Stream:
    """How far the first look through the folder is."""
    return Stream(ScanEvents(_browser(services, folder)), call.after(after), poll)


@routes.get(
    "/datasets/{folder}/images",
    gives={
        "total": 1,
        "rows": [
            {
                "id": "a/b.png", "name": "a/b.png", "w": 832, "h": 1216, "bytes": 1500000,
                "caption": "1girl, 3 cakes", "captioned": True, "analysed": True, "tokens": 6, "tags": 2,
                "changed": 1767225600.0,
                "sure": 0.93, "left_out": None, "problems": [],
                "sources": {"tagger": 1, "question": 1, "person": 0, "human": 0},
            }
        ],
        "generation": 7,
    },
    pool="browsing",
)  # fmt: skip
def images(
    services: Services,
    folder: str,
    filter: FilterText = "",
    sort: Annotated[str, Takes("name, changed, tokens, tags or sure")] = "name",
    offset: Offset = 0,
    limit: Annotated[int, Takes("how many at the most, 1 to 1000 (default 100)", low=1, high=1000)] = 100,
) -> dict[str, Any]:
    """A page of the pictures that a filter means.

    `sure` is the least probability of the answers nobody has looked at; `generation` grows when something changed.
    """
    browser = _browser(services, folder)
    total, rows = browser.images(filter, sort=sort, offset=offset, limit=limit)
    return {"total": total, "rows": rows, "generation": browser.status().generation}


@routes.get(
    "/datasets/{folder}/tags", gives={"total": 1, "rows": [{"tag": "1girl", "count": 1100}]}, pool="browsing"
)
def tags(
    services: Services,
    folder: str,
    filter: FilterText = "",
    like: Annotated[str, Takes("only tags that look like this")] = "",
    limit: Annotated[int, Takes("how many at the most (default 200)", low=1, high=MOST_TAGS)] = 200,
) -> dict[str, Any]:
    """The tags of the pictures that a filter means, most frequent first."""
    total, rows = _browser(services, folder).tags(filter, like=like, limit=limit)
    return {"total": total, "rows": rows}


# one picture


@routes.get(
    "/datasets/{folder}/images/{image:path}",
    gives={
        "id": "a/b.png", "name": "a/b.png", "w": 832, "h": 1216, "bytes": 1500000, "caption": "1girl, 3 cakes",
        "tokens": 6, "tags": [{**_TAG, "text": "3 cakes"}],
        "answers": [
            {
                "question": "count", "object": "cake", "answer": "3", "raw": "3", "probability": 0.93,
                "tag": "3_cakes", "locked": False, "person": 0, "decided": False,
            }
        ],
        "persons": [
            {"letter": "α", "box": [12.0, 30.5, 210.0, 480.0], "score": 0.91, "locked": False, "tags": [_TAG]}
        ],
        "reason": "", "dropped": [DROP],
    },
    pool="browsing",
)  # fmt: skip
def image(services: Services, call: Call, folder: str, image: str) -> dict[str, Any]:
    """Everything that is known of one picture.

    `text` is how a tag stands in the caption; `decided`: a person has said something about the answer.
    """
    return details(*_picture(services, call, folder, image))


@routes.put(
    "/datasets/{folder}/images/{image:path}/caption",
    gives={"caption": "1girl, 3 cakes", "tokens": 6},
    pool="browsing",
)
def save_caption(
    services: Services,
    call: Call,
    folder: str,
    image: str,
    caption: Annotated[str, Takes("the new text")],
    before: Annotated[str, Takes("the text one started from")] = "",
) -> dict[str, Any]:
    """Save a caption as a person typed it.

    Where something else stands there now it is refused (409), and `caption` tells the present text.
    """
    browser, name = _picture(services, call, folder, image, "/caption")
    try:
        text = browse_edits.save(browser, name, caption, before)
    except Conflict as e:
        raise ConflictError(e, code="caption_changed", field="before", caption=e.present) from None
    return {"caption": text, "tokens": browser.row(name).tokens}


@routes.get(
    "/datasets/{folder}/thumb/{image:path}",
    gives="The picture, with an ETag; a placeholder and the header `X-Problem` where it cannot be read.",
    pool="pictures",
)
def thumb(
    services: Services,
    call: Call,
    folder: str,
    image: str,
    size: Annotated[
        int, Takes("192, 384 or 1280: its longer side", choices=tuple(thumbnails.SIDES))
    ] = thumbnails.SIDES[0],
    v: Annotated[
        str, Takes("anything that changes with the picture: the browser then keeps it for good")
    ] = "",
) -> Raw:
    """A small picture (JPEG)."""
    browser, name = _picture(services, call, folder, image, known=False)
    path = browser.root / name
    bytes_, mtime = _stamp(path)
    etag = f'"{thumbnails.Thumbnails.etag(path, bytes_, mtime, size)}"'
    # a page that says which version it wants need not ask again
    lasting = "private, max-age=31536000, immutable" if "v" in call.query else "private, no-cache"
    if etag in call.headers.get("if-none-match", ""):
        return Raw(b"", "", {"ETag": etag, "Cache-Control": lasting}, 304)
    made = browser.thumbnails.get(path, bytes_, mtime, size)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache" if made.problem else lasting}
    if made.problem:
        headers["X-Problem"] = made.problem.encode("ascii", "replace").decode("ascii")
    return Raw(made.data, thumbnails.MIME, headers)


@routes.get("/datasets/{folder}/file/{image:path}", gives="The picture.", pool="browsing")
def file(services: Services, call: Call, folder: str, image: str) -> FileAnswer:
    """The picture's file as it is."""
    browser, name = _picture(services, call, folder, image, known=False)
    path = browser.root / name
    if not path.is_file():
        raise messages.NO_IMAGE.error(NotFoundError, name=show(name), field="image")
    mime = _MIMES.get(path.suffix.lower(), "application/octet-stream")
    headers = {"Cache-Control": "private, no-cache", "Content-Security-Policy": "sandbox"}
    return FileAnswer(path, mime, headers)


# edits and runs


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
    browser = _browser(services, folder)
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
    browser = _browser(services, folder)
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
    return browse_edits.encodings(_browser(services, folder))


@routes.get("/datasets/{folder}/edit", gives=_EDITING, pool="browsing")
def edit_state(services: Services, folder: str) -> dict[str, Any]:
    """How far the edit is that is being written."""
    return services.edits.state(_browser(services, folder).root)


@routes.post("/datasets/{folder}/edit/stop", gives={**_EDITING, "stopping": True}, pool="browsing")
def edit_stop(services: Services, folder: str) -> dict[str, Any]:
    """Stop the edit that is being written; what is done stays, and can be undone."""
    return services.edits.stop(_browser(services, folder).root)


@routes.get("/datasets/{folder}/runs", gives=[_RUN], pool="browsing")
def runs(services: Services, folder: str) -> list[dict[str, Any]]:
    """What was done to the folder, newest first.

    `kind` is tag, preview, edit, review (verdicts given one after the other; `config.answers` counts them) or undo.
    `taken_back` of the `changed` captions were taken back; when all were, `status` is undone.
    """
    return run_history.runs(_browser(services, folder))


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
    return run_history.run_with_changes(_browser(services, folder), run, offset, limit)


def _browser(services: Services, folder: str) -> Browser:
    opened = services.folders.get(folder)
    return services.browsers.open(opened.path, recursive=opened.recursive)


def _picture(
    services: Services, call: Call, folder: str, image: str, ending: str = "", *, known: bool = True
) -> tuple[Browser, str]:
    """The browser and the name of the image in the address (`known`: see `Browser.has`). Raises NotFoundError."""
    browser = _browser(services, folder)
    names = _names_in(call, folder, image, ending)
    for name in names:
        if browser.has(name, known=known):
            services.folders.check(browser.root / name)
            services.folders.check_captions(browser.root / name)
            return browser, name
    raise messages.NO_IMAGE.error(NotFoundError, name=show(names[0]), field="image")


def _names_in(call: Call, folder: str, decoded: str, ending: str) -> list[str]:
    """The image's name in the address: from the bytes that were sent, then as the server decoded them.

    Decoded as text, bytes that are no UTF-8 are lost; but what was sent may have been rewritten on its way here.
    """
    where = f"/datasets/{folder}/".encode("utf-8", "surrogateescape")
    if where not in call.raw_path:
        return [decoded]
    sent = call.raw_path.split(b"?", 1)[0].split(where, 1)[1].partition(b"/")[2]
    return [os.fsdecode(unquote_to_bytes(sent.removesuffix(ending.encode()))), decoded]


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file, zeros when it is gone."""
    try:
        s = path.stat()
    except OSError:
        return 0, 0  # gone: the placeholder says so
    return s.st_size, s.st_mtime_ns
