"""The gate before all routes under `/prompt-extend/v1`: it refuses what may not pass and turns errors into JSON.

Plain ASGI, so that it holds for every route behind it, however that one is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from lib_extend.api import security, texts
from lib_extend.api.errors import ApiError, answer_of, bad
from lib_extend.api.http import JSON_LIMIT, UPLOAD_LIMIT, to_bytes
from lib_extend.api.services import Services

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

FORMS = ("/analyze", "/cast/from-picture")
"""Routes that take a form with a file."""
PUBLIC = "/page/"
"""The page's own files say nothing of anybody and are needed before a login."""

_ALWAYS = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
}


class Gate:
    """Wraps the routes.

    Args:
        host: the app they are mounted on; its login is asked for.
    """

    def __init__(self, routes: ASGIApp, services: Services, host: Any) -> None:
        self._routes = routes
        self._services = services
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        started = finished = False

        async def sending(message: Message) -> None:
            nonlocal started, finished
            finished = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start":
                started = True
                given = {name.lower() for name, _ in message.get("headers", ())}
                extra = [(k.encode(), v.encode()) for k, v in _ALWAYS.items() if k.encode() not in given]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        try:
            limit = self._check(scope)
            await self._routes(scope, _bounded(receive, limit), sending)
        except Exception as error:
            if finished:
                return  # told already; Starlette raises once more for a log that has it from us
            if started:
                raise
            await _refuse(error, scope, sending, self._login())

    def _check(self, scope: Scope) -> int:
        """Raises ApiError for what may not pass; returns the largest body that may."""
        headers = headers_of(scope)
        method, path = str(scope["method"]), route_path(scope)
        login = self._login()
        security.check_host(headers, self._services.safety(), login)
        security.check_site(method, headers)
        form = path in FORMS
        security.check_type(method, headers, form=form)
        scope["prompt_extend.login"] = login.needed
        if not path.startswith(PUBLIC):
            security.check_login(headers, login)
        is_form = form and not headers.get("content-type", "").startswith("application/json")
        limit = UPLOAD_LIMIT if is_form else JSON_LIMIT
        length = headers.get("content-length", "")
        if length and not length.isdecimal():
            raise bad(texts.LENGTH)
        if length and int(length) > limit:
            raise ApiError(413, texts.TOO_LARGE.format(limit=limit))
        return limit

    def _login(self) -> security.Login:
        return security.login_of(self._host, self._services.safety(), self._services.credentials)


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, lower case; of several with one name the first, of cookies all."""
    headers: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        if name == "cookie" and name in headers:
            headers[name] += "; " + text
        else:
            headers.setdefault(name, text)
    return headers


def route_path(scope: Scope) -> str:
    """The address below where the routes are mounted, beginning with `/`, percent-decoded."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _bounded(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                raise ApiError(413, texts.TOO_LARGE.format(limit=limit))
        return message

    return bounded


async def _refuse(error: Exception, scope: Scope, send: Send, login: security.Login) -> None:
    status, body = answer_of(error)
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    if status == 401:
        headers |= security.challenge(headers_of(scope), login)
    if status == 413:
        headers["connection"] = "close"
    data = to_bytes(body)
    pairs = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
    pairs.append((b"content-length", str(len(data)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": data})
