"""Browsing an open folder: pages of pictures, tags, thumbnails; one picture and its caption."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from lib_extend.api.calls import Call, FileAnswer, Raw, Stream
from lib_extend.api.declaring import Routes, Takes
from lib_extend.api.examples import DROP, After, FilterText, Offset
from lib_extend.api.opened_datasets import browser_of, picture_of
from lib_extend.datasets import thumbnails
from lib_extend.errors import ConflictError, NotFoundError
from lib_extend.files.scan import show
from lib_extend.jobs.edit_runs import Conflict
from lib_extend.services import browse_edits, messages
from lib_extend.services.container import Services
from lib_extend.services.picture_details import details
from lib_extend.services.scan_events import ScanEvents

routes = Routes("Browse a folder", place=60)
MOST_TAGS = 10_000
_MIMES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jfif": "image/jpeg", ".webp": "image/webp",
    ".avif": "image/avif", ".bmp": "image/bmp", ".gif": "image/gif", ".tif": "image/tiff", ".tiff": "image/tiff",
}  # fmt: skip
_TAG: dict[str, Any] = {
    "name": "3_cakes", "category": "general", "score": 0.93, "source": "question", "locked": False,
}  # fmt: skip


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
    return Stream(ScanEvents(browser_of(services, folder)), call.after(after), poll)


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
    browser = browser_of(services, folder)
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
    total, rows = browser_of(services, folder).tags(filter, like=like, limit=limit)
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
        "descriptions": [
            {
                "text": "A girl holds 4 red cakes.", "model": "qwen2-vl-2b", "asked": 2, "chosen": True,
                "doubts": [{"code": "prose_count", "reason": "there are 3 cakes, not 4"}],
            }
        ],
        "reason": "", "dropped": [DROP],
    },
    pool="browsing",
)  # fmt: skip
def image(services: Services, call: Call, folder: str, image: str) -> dict[str, Any]:
    """Everything that is known of one picture.

    `text` is how a tag stands in the caption; `decided`: a person has said something about the answer; `descriptions`:
    those of every model that was asked, `chosen` is the one that captions have, `doubts` what contradicts it.
    """
    return details(*picture_of(services, call, folder, image))


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
    browser, name = picture_of(services, call, folder, image, "/caption")
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
    browser, name = picture_of(services, call, folder, image, known=False)
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
    browser, name = picture_of(services, call, folder, image, known=False)
    path = browser.root / name
    if not path.is_file():
        raise messages.NO_IMAGE.error(NotFoundError, name=show(name), field="image")
    mime = _MIMES.get(path.suffix.lower(), "application/octet-stream")
    headers = {"Cache-Control": "private, no-cache", "Content-Security-Policy": "sandbox"}
    return FileAnswer(path, mime, headers)


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file, zeros when it is gone."""
    try:
        s = path.stat()
    except OSError:
        return 0, 0  # gone: the placeholder says so
    return s.st_size, s.st_mtime_ns
