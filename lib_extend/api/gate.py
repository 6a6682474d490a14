"""The gate before all routes under `/prompt-extend/v1`: it refuses forbidden requests and turns errors into JSON.

Plain ASGI, so that it protects every route behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from lib_extend.api import request_messages, security
from lib_extend.api.calls import to_bytes
from lib_extend.api.declaring import Route
from lib_extend.api.error_answers import ApiError, answer_of
from lib_extend.services.container import Services

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON_LIMIT = 16 * 1024 * 1024
"""Bytes of a JSON body, at the most: a job on 100,000 names fits."""
UPLOAD_LIMIT = 128 * 1024 * 1024
"""Bytes of a form with a picture, at the most."""
BODY_SECONDS, SLOWEST = 20.0, 16 * 1024
"""A body has this long to arrive, and a second more for each so many bytes that have: who sends slower is dropped."""

_ALWAYS = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
}


class Gate:
    """Wraps the routes.

    Args:
        routes: what is behind the gate; also as `served`. declared: the routes' declarations: they say who may use one, and which takes a form.
        host: the app they are mounted on; its login is asked for.
    """

    def __init__(self, routes: ASGIApp, declared: Sequence[Route], services: Services, host: Any) -> None:
        self.served = routes
        self._forms = {r.path for r in declared if r.takes_form}
        # the page's own files are not private and are needed before a login
        self._public = tuple(r.path.partition("{")[0] for r in declared if not r.access.login)
        self._services = services
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        started = finished = False
        body: _Body | None = None
        sends_body = _has_body(headers_of(scope))

        async def sending(message: Message) -> None:
            nonlocal started, finished
            finished = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start":
                started = True
                given = {name.lower() for name, _ in message.get("headers", ())}
                extra = [(k.encode(), v.encode()) for k, v in _ALWAYS.items() if k.encode() not in given]
                if sends_body and (body is None or not body.whole):
                    extra.append((b"connection", b"close"))  # other messages are ignored
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        try:
            body = _Body(receive, self._check(scope))
            await self.served(scope, body.receive, sending)
        except Exception as error:
            if finished:
                return  # already logged; Starlette raises the error a second time
            if started:
                raise
            await _refuse(error, scope, sending, self._login())

    def _check(self, scope: Scope) -> int:
        """Raises ApiError for a forbidden request; returns the limit for the body's bytes."""
        headers = headers_of(scope)
        method, path = str(scope["method"]), route_path(scope)
        login = self._login()
        security.check_host(headers, self._services.safety(), login)
        security.check_site(method, headers)
        form = path in self._forms
        security.check_type(method, headers, form=form)
        scope["prompt_extend.login"] = login.needed
        if not path.startswith(self._public):
            security.check_login(headers, login)
        is_form = form and not headers.get("content-type", "").startswith("application/json")
        limit = UPLOAD_LIMIT if is_form else JSON_LIMIT
        length = headers.get("content-length", "")
        if length and not length.isdecimal():
            raise request_messages.LENGTH.error()
        if length and int(length) > limit:
            raise request_messages.TOO_LARGE.error(ApiError, status=413, limit=limit)
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


class _Body:
    """A request's body as it comes, with bounds: `limit` bytes, and the time that it may take.

    Attributes:
        whole: whether all of it is here.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._began = time.monotonic()
        self._taken = 0
        self.whole = False

    async def receive(self) -> Message:
        """The next message. Raises ApiError: 408 too slow, 413 too large."""
        if self.whole:
            return await self._receive()  # waits for the client to leave
        left = self._began + BODY_SECONDS + self._taken / SLOWEST - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.0))
        except asyncio.TimeoutError:
            raise request_messages.SLOW.error(ApiError, status=408) from None
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            self.whole = not message.get("more_body", False)
            if self._taken > self._limit:
                raise request_messages.TOO_LARGE.error(ApiError, status=413, limit=self._limit)
        return message


def _has_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _refuse(error: Exception, scope: Scope, send: Send, login: security.Login) -> None:
    status, body = answer_of(error)
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    if status == 401:
        headers |= security.challenge(headers_of(scope), login)
    data = to_bytes(body)
    pairs = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
    pairs.append((b"content-length", str(len(data)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": data})
