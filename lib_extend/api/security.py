"""Refuse requests from other sites, under foreign host names, and without the host's login.

Three attacks are kept out. A web page somewhere makes the user's browser send requests here (its origin tells, and a
form cannot send JSON). A web page lets its own name point to this machine, so that the browser takes us for it (its
name is not ours). Somebody without the login of the WebUI asks (no cookie of Gradio's, no name and password).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from lib_extend.api import request_messages
from lib_extend.api.error_answers import ApiError
from lib_extend.errors import ForbiddenError
from lib_extend.host.gradio import user_of
from lib_extend.host.safety import Safety

HOSTS = "PROMPT_EXTEND_HOSTS"
"""Environment variable: more names under which this server may be reached, separated by commas."""

READING = ("GET", "HEAD")
_SHARE = ".gradio.live"


@dataclass(frozen=True)
class Login:
    """How the host knows its users.

    Attributes:
        needed: whether it wants them to be known. user: the name behind a request's cookies, None for nobody.
        credentials: name → password of those who may send them with each request.
        page: there is a page on which one logs in; without it the browser itself has to ask.
    """

    needed: bool
    user: Callable[[Mapping[str, str]], str | None]
    credentials: Callable[[], Mapping[str, str]]
    page: bool


def login_of(app: Any, safety: Safety, credentials: Callable[[], Mapping[str, str]]) -> Login:
    """The login of a host: of the Gradio `app`, and of the WebUI's flags."""
    page = getattr(app, "auth", None) is not None
    return Login(page or safety.login, lambda cookies: user_of(app, cookies), credentials, page)


def check_host(headers: Mapping[str, str], safety: Safety, login: Login) -> None:
    """Raises UserError when the request's Host is a name that might be anybody's.

    IP addresses are always allowed. A server with a login is safe, because a page under another name does not get its
    cookie.
    """
    host = _name(headers.get("host", ""))
    if login.needed or _is_address(host) or host in _own_names() or host == "localhost":
        return
    if host.endswith((".localhost", ".local")) or (host and "." not in host):
        return
    if safety.shared and host.endswith(_SHARE):
        return
    if host in {h.strip().lower() for h in os.environ.get(HOSTS, "").split(",") if h.strip()}:
        return
    raise request_messages.HOST.error(ForbiddenError, host=ascii(host)[1:-1] or "''")


def check_site(method: str, headers: Mapping[str, str]) -> None:
    """Raises UserError when another site made the browser send this.

    Browsers say so themselves (Sec-Fetch-Site; behind a proxy only they know the page's own address); where they do
    not, over plain http to another machine, the origin's host must be ours.
    """
    site = headers.get("sec-fetch-site", "")
    own = headers.get("host", "").lower()
    origin = headers.get("origin", "")
    if site in ("cross-site", "same-site"):
        raise request_messages.ORIGIN.error(ForbiddenError, origin=ascii(origin)[1:-1] or site)
    if site == "same-origin":
        return
    if not origin and method in READING:
        # pictures and links send a Referer: it proves nothing, but is enough to refuse
        origin = headers.get("referer", "")
    if origin and _netloc(origin) != own:
        raise request_messages.ORIGIN.error(ForbiddenError, origin=ascii(origin[:100])[1:-1])


def check_type(method: str, headers: Mapping[str, str], *, form: bool = False) -> None:
    """Raises UserError unless a request that changes something is JSON (or, with `form`, a form with a file)."""
    if method in READING:
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or (form and kind == "multipart/form-data"):
        return
    raise request_messages.JSON_ONLY.error(ApiError, status=415, kind=ascii(kind)[1:-1] or "nothing")


def check_login(headers: Mapping[str, str], login: Login) -> str:
    """The user's name, "" where nobody needs one. Raises UserError (401) for nobody."""
    if not login.needed:
        return ""
    user = login.user(_cookies(headers.get("cookie", "")))
    if user is None:
        user = _basic(headers.get("authorization", ""), login.credentials())
    if user is None:
        raise request_messages.LOGIN.error(ApiError, status=401)
    return user


def challenge(headers: Mapping[str, str], login: Login) -> dict[str, str]:
    """The header that goes with a 401: it makes a browser ask, which is wanted only where no page does."""
    if login.page and "authorization" not in headers:
        return {}
    return {"WWW-Authenticate": 'Basic realm="Prompt Extend", charset="UTF-8"'}


def _basic(header: str, known: Mapping[str, str]) -> str | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    expected = known.get(name)
    # compared also for an unknown name, so that the time does not tell which names there are
    same = secrets.compare_digest(password.encode(), (expected or "").encode())
    return name if colon and expected and same else None


def _cookies(header: str) -> dict[str, str]:
    """Read as browsers and Starlette do: Python's own parser gives up at another program's odd cookie."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value.strip('"') for name, _, value in pairs if name}


def _netloc(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") else ""


def _name(host: str) -> str:
    """The name of a Host header without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    return frozenset({socket.gethostname().lower()} - {""})
