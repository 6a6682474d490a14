"""The routes of browsing: `/datasets/{folder}/…` (those of review are in `review.py`).

    register(app, folders, browsers)

Written for Starlette alone, so that FastAPI 0.94 with pydantic 1 serves them as well as the newest. What takes long
runs in threads of this module's own: those of the host are for its user.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lib_extend.api import texts
from lib_extend.api.dataset_answers import (
    change_json,
    follow,
    images_of,
    names_in,
    progress,
    run_json,
    stamp,
)
from lib_extend.api.dataset_edits import MEMBERS, Edits, Writing, asked
from lib_extend.api.errors import ApiError, answer_of, bad, conflict, missing
from lib_extend.api.http import Body, Call, parse_object, to_bytes
from lib_extend.api.newest_first import NewestFirst
from lib_extend.api.streams import HEADERS
from lib_extend.datasets import thumbnails
from lib_extend.datasets.browse import Browser, Browsers
from lib_extend.datasets.caption_encodings import CaptionEncodings
from lib_extend.errors import PromptExtendError
from lib_extend.files.scan import show
from lib_extend.jobs.edit_runs import Conflict
from lib_extend.jobs.undo import list_runs
from lib_extend.services import browse_edits
from lib_extend.services.picture_details import details

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

THREADS = 8
MOST_CHANGES = 5000
"""Changes of a run in one answer, at the most."""
MOST_FAILURES = 1000
MOST_TAGS = 10_000
_JSON = "application/json"
_MIMES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jfif": "image/jpeg", ".webp": "image/webp",
    ".avif": "image/avif", ".bmp": "image/bmp", ".gif": "image/gif", ".tif": "image/tiff", ".tiff": "image/tiff",
}  # fmt: skip


class Folders(Protocol):
    """What this module needs to know of the folders in use. Every method raises when one may not be used."""

    def path(self, folder: str) -> Path:
        """Where an open folder really is, by its id."""
        ...

    def recursive(self, folder: str) -> bool:
        """Whether its subfolders belong to it."""
        ...

    def check(self, path: Path) -> None:
        """Raise when `path`, links followed, leads outside."""
        ...

    def allows(self, path: Path) -> bool:
        """Whether it does not."""
        ...


def register(
    router: Any,
    folders: Folders,
    browsers: Browsers,
    *,
    prefix: str = "/prompt-extend/v1",
    closing: Callable[[], bool] = lambda: False,
) -> None:
    """Add the routes to a FastAPI or Starlette app, or to a router.

    Args:
        closing: whether the server was told to end, so that streams let it.
    """
    from starlette.routing import Route

    browsers.allowed = folders.allows
    routes = Routes(folders, browsers, closing)
    target = getattr(router, "router", router).routes
    for method, path, handler in (
        ("GET", "/scan", routes.scan),
        ("GET", "/images", routes.images),
        ("GET", "/images/{image:path}", routes.image),
        ("PUT", "/images/{image:path}/caption", routes.save),
        ("GET", "/tags", routes.tags),
        ("GET", "/thumb/{image:path}", routes.thumb),
        ("GET", "/file/{image:path}", routes.file),
        ("POST", "/edit", routes.edit),
        ("GET", "/edit", routes.edit_state),
        ("POST", "/edit/stop", routes.edit_stop),
        ("GET", "/runs", routes.runs),
        ("GET", "/runs/{run:int}", routes.run),
    ):
        target.append(Route(f"{prefix}/datasets/{{folder}}{path}", _answering(handler), methods=[method]))


class Routes:
    """The handlers. Each gets a Starlette request and returns a response, or raises for `_answering`."""

    def __init__(self, folders: Folders, browsers: Browsers, closing: Callable[[], bool]) -> None:
        self._folders = folders
        self._browsers = browsers
        self._closing = closing
        self._edits = Edits()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="prompt-extend-browse")
        self._pictures = NewestFirst(max(1, min(4, os.cpu_count() or 1)))

    # lists

    async def scan(self, request: Request) -> Response:
        """How far the first look through the folder is, as events, to the end."""
        from starlette.responses import Response, StreamingResponse

        browser = await self._in_thread(partial(self._browser, request))
        call = _call(request)
        if call.query.get("poll"):
            return Response(to_bytes([progress(browser, call.after() + 1)]), 200, _FRESH, _JSON)
        events = follow(browser, call.after(), self._closing)
        return StreamingResponse(events, 200, dict(HEADERS), "text/event-stream")

    async def images(self, request: Request) -> Response:
        """A page of the pictures that a filter means."""
        call = _call(request)
        offset, limit = call.number("offset", 0), call.number("limit", 100, 1, 1000)
        sort = call.query.get("sort") or "name"

        def look() -> dict[str, Any]:
            browser = self._browser(request)
            total, rows = browser.images(call.query.get("filter", ""), sort=sort, offset=offset, limit=limit)
            return {"total": total, "rows": rows, "generation": browser.status().generation}

        return await self._json(look)

    async def tags(self, request: Request) -> Response:
        """The tags of the pictures that a filter means, most frequent first."""
        call = _call(request)
        limit = call.number("limit", 200, 1, MOST_TAGS)

        def look() -> dict[str, Any]:
            like = call.query.get("like", "")
            total, rows = self._browser(request).tags(call.query.get("filter", ""), like=like, limit=limit)
            return {"total": total, "rows": rows}

        return await self._json(look)

    # one picture

    async def image(self, request: Request) -> Response:
        """Everything of one picture."""
        return await self._json(lambda: details(*self._picture(request)))

    async def save(self, request: Request) -> Response:
        """Write its caption; 409 with the present text when it is not `before` any more."""
        body = await _body(request, "caption", "before")

        def write() -> dict[str, Any]:
            browser, name = self._picture(request, "/caption")
            try:
                text = browse_edits.save(browser, name, body.text("caption"), body.text("before", ""))
            except Conflict as e:
                raise conflict(str(e), "before", caption=e.present) from None
            return {"caption": text, "tokens": browser.row(name).tokens}

        return await self._json(write)

    async def thumb(self, request: Request) -> Response:
        """A small picture, or what stands for one that cannot be shown."""
        from starlette.responses import Response

        side = _call(request).number("size", thumbnails.SIDES[0])
        if side not in thumbnails.SIDES:
            choices = ", ".join(map(str, thumbnails.SIDES))
            raise bad(texts.ONE_OF.format(name="size", value=side, choices=choices), "size")
        # a page that says which version it wants need not ask again
        lasting = (
            "private, max-age=31536000, immutable" if "v" in request.query_params else "private, no-cache"
        )

        def look() -> tuple[str, bytes, str]:
            browser, name = self._picture(request, known=False)
            path = browser.root / name
            size, mtime = stamp(path)
            etag = f'"{thumbnails.Thumbnails.etag(path, size, mtime, side)}"'
            if etag in request.headers.get("if-none-match", ""):
                return etag, b"", ""
            made = browser.thumbnails.get(path, size, mtime, side)
            return etag, made.data, made.problem

        try:
            etag, data, problem = await asyncio.wrap_future(self._pictures.submit(look))
        except (CancelledError, asyncio.CancelledError):
            raise ApiError(503, texts.TOO_MANY_PICTURES) from None
        headers = {"ETag": etag, "Cache-Control": "private, no-cache" if problem else lasting}
        if problem:
            headers["X-Problem"] = problem.encode("ascii", "replace").decode("ascii")
        return Response(data, 200 if data else 304, headers, thumbnails.MIME if data else None)

    async def file(self, request: Request) -> Response:
        """The picture's file as it is."""
        from starlette.responses import FileResponse

        browser, name = await self._in_thread(lambda: self._picture(request, known=False))
        path = browser.root / name
        if not path.is_file():
            raise missing(texts.NO_IMAGE.format(name=show(name)), "image")
        mime = _MIMES.get(path.suffix.lower(), "application/octet-stream")
        headers = {"Cache-Control": "private, no-cache", "Content-Security-Policy": "sandbox"}
        return FileResponse(path, 200, headers, mime)

    # edits and runs

    async def edit(self, request: Request) -> Response:
        """Change many captions, or show what that would do."""
        what = asked(await _body(request, *MEMBERS))

        def change() -> dict[str, Any]:
            browser = self._browser(request)
            with contextlib.ExitStack() as ends:
                now = Writing() if what.preview else ends.enter_context(self._edits.writing(browser.root))
                return browse_edits.edit(
                    browser,
                    what.edit,
                    filter=what.filter,
                    names=what.names,
                    preview=what.preview,
                    progress=now.progress,
                    stop=now.stop.is_set,
                ).to_json()

        return await self._json(change)

    async def edit_state(self, request: Request) -> Response:
        """How far the edit is that is being written."""
        return await self._json(lambda: self._edits.state(self._browser(request).root))

    async def edit_stop(self, request: Request) -> Response:
        """Stop it."""
        await _body(request)
        return await self._json(lambda: self._edits.stop(self._browser(request).root))

    async def runs(self, request: Request) -> Response:
        """What was done to the folder, newest first."""

        def look() -> list[dict[str, Any]]:
            browser = self._browser(request)
            return [run_json(r) for r in reversed(list_runs(browser.dataset))]

        return await self._json(look)

    async def run(self, request: Request) -> Response:
        """One run, with a page of its changes and what failed."""
        call = _call(request)
        offset, limit = call.number("offset", 0), call.number("limit", 1000, 1, MOST_CHANGES)
        number = int(request.path_params["run"])

        def look() -> dict[str, Any]:
            browser = self._browser(request)
            found = [r for r in list_runs(browser.dataset) if r.id == number]
            if not found:
                raise missing(texts.NO_RUN.format(run=number), "run")
            with browser.dataset.reading() as reader:
                changes = reader.changes(number, offset, limit)
                failures = reader.failures(number, MOST_FAILURES)
                encodings = CaptionEncodings(browser.root, reader.encodings())
            images = images_of(browser, {c.name for c in changes})
            return {
                **run_json(found[0]),
                "changes": [change_json(c, images.get(c.name, ""), encodings) for c in changes],
                "failures": [{"name": name, "reason": reason} for name, reason in failures],
            }

        return await self._json(look)

    # helpers

    def _browser(self, request: Request) -> Browser:
        folder = request.path_params["folder"]
        return self._browsers.open(self._folders.path(folder), recursive=self._folders.recursive(folder))

    def _picture(self, request: Request, ending: str = "", *, known: bool = True) -> tuple[Browser, str]:
        """The browser and the name of the image in the address (`known`: see `Browser.has`).

        Raises ApiError when there is none.
        """
        browser = self._browser(request)
        names = names_in(request, ending)
        for name in names:
            if browser.has(name, known=known):
                self._folders.check(browser.root / name)
                return browser, name
        raise missing(texts.NO_IMAGE.format(name=show(names[0])), "image")

    async def _json(self, look: Callable[[], Any]) -> Response:
        from starlette.responses import Response

        return Response(await self._in_thread(lambda: to_bytes(look())), 200, _FRESH, _JSON)

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


_FRESH = {"Cache-Control": "no-store"}


def _answering(handler: Callable[[Request], Awaitable[Response]]) -> Any:
    async def endpoint(request: Request) -> Response:
        from starlette.responses import Response

        try:
            return await handler(request)
        except PromptExtendError as error:
            status, body = answer_of(error)
            return Response(to_bytes(body), status, _FRESH, _JSON)

    return endpoint


def _call(request: Request) -> Call:
    return Call(query=dict(request.query_params), headers=dict(request.headers))


async def _body(request: Request, *known: str) -> Body:
    return Call(body=parse_object(await request.body())).members(*known)
