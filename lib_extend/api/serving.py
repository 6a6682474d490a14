"""From declared routes to an ASGI app: Starlette finds the route, reads forms and sends files; the rest is here.

Starlette alone, without FastAPI's and pydantic's checks: hosts have pydantic 1 or 2, which read the same declarations
differently, take texts for numbers, and cost a model a route at start.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route as Served

from lib_extend.api import event_stream, request_messages
from lib_extend.api.address import PREFIX
from lib_extend.api.calls import Call, FileAnswer, Raw, Stream, parse_object, to_bytes
from lib_extend.api.declaring import Route
from lib_extend.api.error_answers import ApiError, answer_of
from lib_extend.api.finding import all_routes
from lib_extend.api.gate import Gate, headers_of, route_path
from lib_extend.api.member_checks import arguments
from lib_extend.errors import ForbiddenError, NotFoundError
from lib_extend.services import messages
from lib_extend.services.container import Services

_JSON = "application/json"
_FRESH = {"Cache-Control": "no-store"}


def serve(services: Services, host: Any, closing: Callable[[], bool]) -> Gate:
    """All routes behind their gate, as an ASGI app.

    Args:
        host: the app whose login counts. closing: whether the server was told to end, so that streams let it.
    """
    declared = all_routes()
    served = [Served(r.path, _endpoint(r, services, closing), methods=[r.method]) for r in declared]
    app = Starlette(routes=served, exception_handlers={HTTPException: _http_error, Exception: _error})
    return Gate(app, declared, services, host)


def _endpoint(route: Route, services: Services, closing: Callable[[], bool]) -> Any:
    pool = getattr(services.pools, route.pool)

    async def endpoint(request: Request) -> Response:
        try:
            async with _call(route, request) as call:
                _check_access(route, services, call)
                work = pool.submit(partial(_run, route, services, call))
                return _response(await asyncio.wrap_future(work), closing)
        except (CancelledError, asyncio.CancelledError):  # the request was dropped for newer ones
            return await _error(request, request_messages.TOO_MANY_PICTURES.error(ApiError, status=503))
        except Exception as error:  # noqa: BLE001 - Starlette would answer it in plain text
            return await _error(request, error)

    return endpoint


def _check_access(route: Route, services: Services, call: Call) -> None:
    """Raises ForbiddenError where others could use routes that are for the server's owner."""
    what = route.access.trusted
    if what and not (services.folders.free or call.login):
        raise request_messages.TRUSTED.error(ForbiddenError, what=what)


def _run(route: Route, services: Services, call: Call) -> Any:
    """What the handler gives; JSON values as bytes, made in the handler's thread."""
    try:
        result = route.handler(services, **arguments(route, call))
    except StopIteration as error:  # a future cannot carry it
        raise RuntimeError("a handler ended early") from error
    return result if isinstance(result, (Raw, FileAnswer, Stream)) else to_bytes(result)


@contextlib.asynccontextmanager
async def _call(route: Route, request: Request) -> AsyncIterator[Call]:
    headers = headers_of(request.scope)
    raw_path = request.scope.get("raw_path")
    common: dict[str, Any] = {
        "path": {str(k): str(v) for k, v in request.path_params.items()},
        "query": dict(request.query_params),
        "headers": headers,
        "login": bool(request.scope.get("prompt_extend.login")),
        "raw_path": raw_path if isinstance(raw_path, bytes) else b"",
    }
    if request.method in ("GET", "HEAD"):
        yield Call(**common)
    elif route.takes_form and headers.get("content-type", "").startswith("multipart/"):
        async with _form(request) as (body, upload):
            yield Call(**common, body=body, upload=upload)
    else:
        yield Call(**common, body=parse_object(await request.body()))


@contextlib.asynccontextmanager
async def _form(request: Request) -> AsyncIterator[tuple[dict[str, Any], Path]]:
    """The parts `image` (put into a file for as long as it is needed) and `config` of a form."""
    try:
        form = await request.form()
    except (HTTPException, ValueError, KeyError):
        raise request_messages.NOT_FORM.error() from None
    try:
        image, config = form.get("image"), form.get("config") or "{}"
        if image is None or isinstance(image, str):
            raise request_messages.NO_PICTURE.error(field="image")
        if not isinstance(config, str):
            raise messages.MUST_BE.error(name="config", what="a text", field="config")
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
    if isinstance(result, Raw):
        return Response(result.body, result.status, dict(result.headers), result.media_type or None)
    if isinstance(result, FileAnswer):
        return FileResponse(result.path, 200, dict(result.headers), result.media_type)
    if isinstance(result, Stream):
        return _events(result, closing)
    return Response(result, 200, _FRESH, _JSON)


def _events(stream: Stream, closing: Callable[[], bool]) -> Response:
    events, after = stream.events, stream.after
    if stream.poll:
        entries = ",".join(text for _, text in events.after(after))
        return Response(f"[{entries}]".encode("ascii"), 200, _FRESH, _JSON)
    if events.closed and not events.after(after):
        return Response(status_code=204)  # a browser would connect again and again otherwise
    told = event_stream.follow(events, after, closing)
    return StreamingResponse(told, 200, dict(event_stream.HEADERS), "text/event-stream")


async def _error(request: Request, error: Exception) -> Response:
    status, body = answer_of(error)
    return Response(to_bytes(body), status, _FRESH, _JSON)


async def _http_error(request: Request, error: Any) -> Response:
    """Starlette's own errors, in the same form as ours."""
    path = ascii(f"{PREFIX}{route_path(request.scope)}")[1:-1]
    if error.status_code == 404:
        return await _error(request, request_messages.NO_ROUTE.error(NotFoundError, path=path))
    if error.status_code == 405:
        words = request_messages.NO_METHOD.error(ApiError, status=405, method=request.method, path=path)
        return await _error(request, words)
    return await _error(request, ApiError(error.detail, status=error.status_code))
