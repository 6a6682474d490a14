"""Puts the API on a FastAPI app: a WebUI's, or the standalone page's.

    mount(app)

Written for FastAPI 0.94 with pydantic 1 as well as for the newest: what a route takes and gives is checked by
`http.py`, not by pydantic.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_extend.api import services as services_of
from lib_extend.api import streams, texts
from lib_extend.api.errors import ApiError, answer_of, bad, missing
from lib_extend.api.gate import FORMS, Gate, headers_of, route_path
from lib_extend.api.http import Call, Handler, Raw, Stream, parse_object, to_bytes
from lib_extend.api.services import Services
from lib_extend.api.table import HANDLERS, PREFIX
from lib_extend.errors import PromptExtendError
from lib_extend.host import gradio
from lib_extend.host.safety import Safety
from lib_extend.host.safety import safety as host_safety

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

NAME = "prompt-extend"
_JSON = "application/json"
_lock = threading.Lock()
_shared: list[Services] = []
"""The services of this process, once made: jobs outlive a WebUI's "Reload UI"."""


def mount(
    app: Any,
    *,
    services: Services | None = None,
    safety: Safety | None = None,
    closing: Callable[[], bool] | None = None,
) -> None:
    """Serve the API from `app` (FastAPI, Starlette); again on the same app replaces what was there.

    Args:
        services: what the routes work with; when not given, one set for the process.
        safety: how far the server is open, where no WebUI's flags say so (the standalone page).
        closing: whether the server was told to end, so that streams let it; known of Gradio's own server.
    """
    from starlette.routing import Mount

    if services is None:
        services = shared(safety)
    gate = build(services, app, closing or partial(gradio.closing, app))
    routes = app.router.routes
    routes[:] = [r for r in routes if getattr(r, "name", "") != NAME]
    # first: newer Gradio versions have routes that take any address
    routes.insert(0, Mount(PREFIX, app=gate, name=NAME))


def shared(safety: Safety | None = None) -> Services:
    """The services of this process, made at the first call."""
    with _lock:
        if not _shared:
            asked = host_safety if safety is None else (lambda: safety)
            _shared.append(services_of.make(browsers=_browsers(), safety=asked))
        return _shared[0]


def build(services: Services, host: Any, closing: Callable[[], bool]) -> Gate:
    """The routes behind their gate, as an ASGI app. `host`: the app whose login counts."""
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for (method, path), handler in HANDLERS.items():
        endpoint = _endpoint(handler, services, closing)
        inner.router.routes.append(Route(path, endpoint, methods=[method]))
    if services.browsers is not None:
        from lib_extend.api import datasets

        datasets.register(inner, services.folders, services.browsers, prefix="", closing=closing)
    inner.add_exception_handler(HTTPException, _http_error)
    inner.add_exception_handler(RequestValidationError, _http_error)
    inner.add_exception_handler(PromptExtendError, _error)
    inner.add_exception_handler(Exception, _error)
    return Gate(inner, services, host)


def _browsers() -> Any:
    from lib_extend.datasets.browse import Browsers

    return Browsers()


def _endpoint(handler: Handler, services: Services, closing: Callable[[], bool]) -> Any:
    async def endpoint(request: Request) -> Response:
        loop = asyncio.get_running_loop()
        try:
            async with _call(request) as call:
                result = await loop.run_in_executor(services.threads, _run, handler, services, call)
            return _response(result, closing)
        except Exception as error:  # noqa: BLE001 - Starlette would answer it in plain text
            return await _error(request, error)

    return endpoint


def _run(handler: Handler, services: Services, call: Call) -> Any:
    try:
        return handler(services, call)
    except StopIteration as error:  # a future cannot carry it
        raise RuntimeError("a handler ended early") from error


@contextlib.asynccontextmanager
async def _call(request: Request) -> AsyncIterator[Call]:
    headers = headers_of(request.scope)
    common: dict[str, Any] = {
        "path": {str(k): str(v) for k, v in request.path_params.items()},
        "query": dict(request.query_params),
        "headers": headers,
        "login": bool(request.scope.get("prompt_extend.login")),
    }
    if request.method in ("GET", "HEAD"):
        yield Call(**common)
    elif headers.get("content-type", "").startswith("multipart/") and route_path(request.scope) in FORMS:
        async with _form(request) as (body, upload):
            yield Call(**common, body=body, upload=upload)
    else:
        yield Call(**common, body=parse_object(await request.body()))


@contextlib.asynccontextmanager
async def _form(request: Request) -> AsyncIterator[tuple[dict[str, Any], Path]]:
    """The parts `image` (put into a file for as long as it is needed) and `config` of a form."""
    from starlette.exceptions import HTTPException

    try:
        form = await request.form()
    except (HTTPException, ValueError, KeyError):
        raise bad(texts.NOT_FORM) from None
    try:
        image, config = form.get("image"), form.get("config") or "{}"
        if image is None or isinstance(image, str):
            raise bad(texts.NO_PICTURE, "image")
        if not isinstance(config, str):
            raise bad(texts.MUST_BE.format(name="config", what="a text"), "config")
        body = {"config": parse_object(config.encode("utf-8", "surrogatepass"))}
        suffix = Path(image.filename or "").suffix.lower()
        with _file(suffix if suffix.isascii() and len(suffix) < 8 else "") as path:
            with path.open("wb") as out:
                while chunk := await image.read(1 << 20):
                    out.write(chunk)
            yield body, path
    finally:
        await form.close()


@contextmanager
def _file(suffix: str) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix="prompt-extend-", suffix=suffix)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)


def _response(result: Any, closing: Callable[[], bool]) -> Response:
    from starlette.responses import Response, StreamingResponse

    if isinstance(result, Raw):
        return Response(result.body, result.status, dict(result.headers), result.media_type)
    if isinstance(result, Stream):
        log, after = result.log, result.after
        if result.poll:
            entries = ",".join(text for _, text in log.after(after))
            return Response(f"[{entries}]".encode("ascii"), 200, {"Cache-Control": "no-store"}, _JSON)
        if log.closed and not log.after(after):
            return Response(status_code=204)  # a browser would connect again and again otherwise
        events = streams.follow(log, after, closing)
        return StreamingResponse(events, 200, dict(streams.HEADERS), "text/event-stream")
    return Response(to_bytes(result), 200, {"Cache-Control": "no-store"}, _JSON)


async def _error(request: Request, error: Exception) -> Response:
    from starlette.responses import Response

    status, body = answer_of(error)
    return Response(to_bytes(body), status, {"Cache-Control": "no-store"}, _JSON)


async def _http_error(request: Request, error: Any) -> Response:
    """Starlette's and FastAPI's own errors, in the same form as ours."""
    path = f"{PREFIX}{route_path(request.scope)}"
    if getattr(error, "status_code", None) == 404:
        return await _error(request, missing(texts.NO_ROUTE.format(path=ascii(path)[1:-1])))
    if getattr(error, "status_code", None) == 405:
        words = texts.NO_METHOD.format(method=request.method, path=ascii(path)[1:-1])
        return await _error(request, ApiError(405, words))
    errors = error.errors() if callable(getattr(error, "errors", None)) else []
    where = str(errors[0].get("loc", ("",))[-1]) if errors else ""
    words = str(errors[0].get("msg", "")) if errors else str(getattr(error, "detail", error))
    status = getattr(error, "status_code", 400)
    return await _error(request, ApiError(status, f"{where}: {words}" if where else words, where))
