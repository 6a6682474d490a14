"""What was sent, checked by what a route declares: the values its handler is called with."""

from __future__ import annotations

import math
from typing import Any

from lib_extend.api import request_messages
from lib_extend.api.calls import Call, parse_object
from lib_extend.api.declaring import (
    BODY,
    CONFIG,
    FILE,
    FLAG,
    INTEGER,
    LIST,
    NUMBER,
    OBJECT,
    OBJECTS,
    TEXT,
    Member,
    Route,
)
from lib_extend.services import messages

LARGEST = 2**53
"""Whole numbers beyond it are not the same in every language."""
_TYPES: dict[str, tuple[type, str]] = {
    TEXT: (str, "a text"),
    FLAG: (bool, "true or false"),
    LIST: (list, "a list of texts"),
    OBJECTS: (list, "a list"),
    OBJECT: (dict, "an object"),
    CONFIG: (dict, "an object"),
}
_FLAGS = {"1": True, "true": True, "0": False, "false": False}


def arguments(route: Route, call: Call) -> dict[str, Any]:
    """The arguments of a route's handler, beside the services.

    Raises UserError naming the member: unknown, needed, of the wrong type, out of bounds.
    """
    values: dict[str, Any] = {route.call: call} if route.call else {}
    if not any(m.kind == BODY for m in route.members):
        _refuse_unknown(route, call)
    for member in route.members:
        values[member.parameter] = _value(member, call)
    return values


def _refuse_unknown(route: Route, call: Call) -> None:
    known = dict.fromkeys(m.name for m in route.of("body"))
    for name in call.body:
        if name not in known:
            raise request_messages.UNKNOWN.error(name=name, known=", ".join(known) or "none", field=name)


def _value(member: Member, call: Call) -> Any:
    if member.kind == FILE:
        return call.upload
    if member.kind == BODY:
        return dict(call.body)
    if member.where == "body":
        value = call.body.get(member.name)
    else:
        text = (call.path if member.where == "path" else call.query).get(member.name, "")
        value = _from_text(member, text) if text else None
    if value is None:
        if member.needed:
            raise messages.NEEDED.error(name=member.name, field=member.name)
        return member.default
    return _checked(member, value)


def _from_text(member: Member, text: str) -> Any:
    """The value that a text of the address stands for; the text itself where it stands for none."""
    try:
        if member.kind == INTEGER:
            return int(text)
        if member.kind == NUMBER:
            return float(text)
    except ValueError:
        return text
    if member.kind == FLAG:
        return _FLAGS.get(text, text)
    if member.kind in (CONFIG, OBJECT):
        return parse_object(text.encode("utf-8", "surrogatepass"))
    return text


def _checked(member: Member, value: Any) -> Any:
    name = member.name
    if not member.checked:
        return value
    if member.kind in (INTEGER, NUMBER):
        return _number(member, value)
    kind, what = _TYPES[member.kind]
    right = isinstance(value, kind)
    if member.kind == LIST and isinstance(value, list):
        right = all(isinstance(v, str) for v in value)
    if not right:
        raise messages.MUST_BE.error(name=name, what=what, field=name)
    if member.choices:
        _among(member, value)
    return value


def _number(member: Member, value: Any) -> Any:
    name = member.name
    kinds, what = ((int,), "a whole number") if member.kind == INTEGER else ((int, float), "a number")
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise messages.MUST_BE.error(name=name, what=what, field=name)
    if member.choices:
        _among(member, value)
    low = 0 if member.low is None else member.low
    high = LARGEST if member.high is None else member.high
    if math.isnan(value) or not low <= value <= high:
        raise messages.BOUNDS.error(name=name, low=low, high=high, field=name)
    return value


def _among(member: Member, value: Any) -> None:
    if value not in member.choices:
        choices = ", ".join(map(str, member.choices))
        raise messages.ONE_OF.error(name=member.name, value=value, choices=choices, field=member.name)
