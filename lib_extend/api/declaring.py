"""Declare a route: one function with a decorator.

    routes = Routes("Folders", place=30)

    @routes.get("/folders/recent", gives=[EXAMPLE])
    def recent_folders(services: Services) -> list[dict[str, Any]]:
        '''The folders used last, newest first.'''

    @routes.post("/folders/open", gives=EXAMPLE)
    def open_folder(services: Services, path: Annotated[str, Takes("the whole path of a folder")]) -> Any: ...

The signature says what the route takes: parts of the address by their names, else members of the query (GET) or of the
JSON body. A member without a default is needed. The docstring's first paragraph says what it does, the others are notes.
From these declarations come the checks of what is sent (`member_checks.py`), the OpenAPI document and the reference.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from lib_extend.api.calls import Call, Stream

TEXT, INTEGER, NUMBER, FLAG, LIST, OBJECTS, OBJECT, CONFIG, FILE, BODY = KINDS = (
    "text", "integer", "number", "flag", "list", "objects", "object", "config", "file", "body",
)  # fmt: skip
"""Kinds of members. list: of texts. objects: a list of objects. config: settings.
body: the whole JSON object, whose members the handler checks."""
_BY_TYPE: dict[Any, str] = {
    str: TEXT, int: INTEGER, float: NUMBER, bool: FLAG, list[str]: LIST, list[Any]: OBJECTS, dict[str, Any]: OBJECT,
    Path: FILE,
}  # fmt: skip

Pool = Literal["requests", "browsing", "pictures"]
"""Which threads run a handler, see `services.container.Pools`."""


@dataclass(frozen=True)
class Takes:
    """Further facts about a member of the signature.

    Attributes:
        text: what it means, in the reference. low, high: a number's bounds. choices: the only values.
        kind: one of KINDS, where the type leaves it open. name: as it is sent, where the parameter is called otherwise.
        members: of a whole body. checked: whether the type is checked here; else the handler does, in words of its own.
    """

    text: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    kind: str = ""
    name: str = ""
    members: tuple[Member, ...] = ()
    checked: bool = True


@dataclass(frozen=True)
class Member:
    """One thing that a route takes.

    Attributes:
        name: as it is sent. kind: one of KINDS. parameter: the handler's. where: path, query or body.
        default: what the handler gets where nothing is sent. checked: see `Takes`.
    """

    name: str
    kind: str
    text: str
    needed: bool = False
    parameter: str = ""
    where: str = "body"
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    members: tuple[Member, ...] = ()
    checked: bool = True


@dataclass(frozen=True)
class Access:
    """Who may use a route.

    Attributes:
        login: only those who are logged in, where the server wants a login.
        trusted: what is refused where others can reach the server without a login: the beginning of the sentence.
    """

    login: bool = True
    trusted: str = ""


USERS = Access()
ANYBODY = Access(login=False)


def trusted(what: str) -> Access:
    """For users of this machine and those with a login only; `what` begins the sentence for all others."""
    return Access(trusted=what)


@dataclass(frozen=True)
class Route:
    """A declared route.

    Attributes:
        path: below the prefix; `{name}` stands for a part, `{name:path}` for a part with slashes.
        gives: an answer, as JSON values; a text says what else comes (pictures, events).
        summary, notes: from the docstring. pool: the threads that run it.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    gives: Any
    summary: str
    notes: str
    access: Access
    pool: Pool
    members: tuple[Member, ...]
    call: str
    subject: str

    @property
    def plain_path(self) -> str:
        """The path without its parts' kinds."""
        return re.sub(r":\w+\}", "}", self.path)

    @property
    def takes_form(self) -> bool:
        """Whether it takes a form with a file instead of JSON."""
        return any(m.kind == FILE for m in self.members)

    @property
    def streams(self) -> bool:
        """Whether it gives events as they come."""
        return bool(typing.get_type_hints(self.handler).get("return") is Stream)

    def of(self, where: str) -> tuple[Member, ...]:
        """What it takes in its query or its body."""
        found = tuple(m for m in self.members if m.where == where)
        return next((m.members for m in found if m.kind == BODY), found)


@dataclass
class Routes:
    """The routes of one subject.

    Attributes:
        place: where the subject stands in the reference, among the others.
    """

    subject: str
    place: int
    declared: list[Callable[[], Route]] = field(default_factory=list)

    def get(self, path: str, **about: Any) -> Callable[[Handler], Handler]:
        """Declare a route that only looks; see `_declare`."""
        return self._declare("GET", path, **about)

    def post(self, path: str, **about: Any) -> Callable[[Handler], Handler]:
        """Declare a route that does something."""
        return self._declare("POST", path, **about)

    def put(self, path: str, **about: Any) -> Callable[[Handler], Handler]:
        """Declare a route that saves something."""
        return self._declare("PUT", path, **about)

    def delete(self, path: str, **about: Any) -> Callable[[Handler], Handler]:
        """Declare a route that deletes something."""
        return self._declare("DELETE", path, **about)

    def all(self) -> list[Route]:
        """The routes, with what their signatures say."""
        return [make() for make in self.declared]

    def _declare(
        self, method: str, path: str, *, gives: Any, access: Access = USERS, pool: Pool = "requests"
    ) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            # signatures are read when the routes are requested, not at import
            self.declared.append(lambda: _route(self.subject, method, path, handler, gives, access, pool))
            return handler

        return declare


Handler = typing.TypeVar("Handler", bound=Callable[..., Any])


def _route(
    subject: str, method: str, path: str, handler: Callable[..., Any], gives: Any, access: Access, pool: Pool
) -> Route:
    words = inspect.cleandoc(handler.__doc__ or "").split("\n\n", 1)
    summary, notes = (" ".join(w.split()) for w in (*words, "")[:2])
    parts = set(re.findall(r"\{(\w+)", path))
    hints = typing.get_type_hints(handler, include_extras=True)
    members, call = [], ""
    for parameter in list(inspect.signature(handler).parameters.values())[1:]:
        hint = hints[parameter.name]
        if hint is Call:
            call = parameter.name
            continue
        where = "path" if parameter.name in parts else "query" if method == "GET" else "body"
        members.append(_member(parameter, hint, where))
    return Route(
        method, path, handler, gives, summary, notes, access, pool, tuple(members), call, subject
    )  # fmt: skip


def _member(parameter: inspect.Parameter, hint: Any, where: str) -> Member:
    takes = Takes()
    hint = _without_none(hint)
    if typing.get_origin(hint) is Annotated:
        takes = next(m for m in hint.__metadata__ if isinstance(m, Takes))
        hint = _without_none(hint.__origin__)
    needed = parameter.default is inspect.Parameter.empty
    kind = takes.kind or _BY_TYPE[hint]
    return Member(
        name=takes.name or parameter.name,
        kind=kind,
        text=takes.text,
        needed=needed and kind != BODY,
        parameter=parameter.name,
        where=where,
        default=None if needed else parameter.default,
        low=takes.low,
        high=takes.high,
        choices=takes.choices,
        members=takes.members,
        checked=takes.checked,
    )


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        (hint,) = (a for a in typing.get_args(hint) if a is not type(None))
    return hint
