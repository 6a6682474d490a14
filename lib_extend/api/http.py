"""What a handler sees of a request, and what it may answer: plain records, no web framework.

A handler is `handler(services, call)`; it runs in a thread and returns JSON values, `Raw` bytes or a `Stream`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extend.api import texts
from lib_extend.api.errors import bad
from lib_extend.api.events import EventLog

JSON_LIMIT = 16 * 1024 * 1024
"""Bytes of a JSON body, at the most: a job on 100,000 names fits."""
UPLOAD_LIMIT = 128 * 1024 * 1024
"""Bytes of a form with a picture, at the most."""


@dataclass(frozen=True)
class Raw:
    """An answer that is no JSON."""

    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Stream:
    """The events of `log` after number `after`: as server-sent events, or (`poll`) what is there as a JSON list."""

    log: EventLog
    after: int
    poll: bool = False


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes:
        path: the parts of the address that stand for something. query, headers (lower case): as sent.
        body: the JSON object; {} for GET. upload: the file with the picture of a form.
        login: whether this server asks who one is.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    upload: Path | None = None
    login: bool = False

    def members(self, *known: str) -> Body:
        """The body, which must have no other members than `known`."""
        for name in self.body:
            if name not in known:
                raise bad(texts.UNKNOWN.format(name=name, known=", ".join(known) or "none"), name)
        return Body(self.body)

    def number(self, name: str, default: int, low: int = 0, high: int = 2**53) -> int:
        """A whole number of the query."""
        text = self.query.get(name, "")
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            raise bad(texts.MUST_BE.format(name=name, what="a whole number"), name) from None
        return _within(name, value, low, high)

    def share(self, name: str, default: float) -> float:
        """A number from 0 to 1 of the query."""
        text = self.query.get(name, "")
        try:
            value = float(text) if text else default
        except ValueError:
            value = math.nan
        if not 0.0 <= value <= 1.0:
            raise bad(texts.BOUNDS.format(name=name, low=0, high=1), name)
        return value

    def after(self) -> int:
        """The last event the caller has: `after`, or what its browser remembers of a lost connection."""
        seen = self.headers.get("last-event-id", "")
        return max(self.number("after", 0), int(seen) if seen.isdecimal() and len(seen) < 16 else 0)


Handler = Callable[[Any, Call], Any]


class Body:
    """The members of a JSON object, asked for by type. Each method raises ApiError naming the member."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A text; needed where there is no default."""
        return str(self._typed(name, str, "a text", default))

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""
        return bool(self._typed(name, bool, "true or false", default))

    def mapping(self, name: str, default: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """An object; needed where there is no default."""
        return dict(self._typed(name, dict, "an object", default))

    def items(self, name: str) -> list[Any]:
        """A list; needed."""
        return list(self._typed(name, list, "a list", None))

    def texts(self, name: str) -> list[str] | None:
        """A list of texts, None where there is none."""
        if name not in self:
            return None
        values = self.items(name)
        if not all(isinstance(v, str) for v in values):
            raise bad(texts.MUST_BE.format(name=name, what="a list of texts"), name)
        return values

    def integer(self, name: str, low: int = 0, high: int = 2**53) -> int | None:
        """A whole number, None where there is none."""
        if name not in self:
            return None
        value = self._values[name]
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad(texts.MUST_BE.format(name=name, what="a whole number"), name)
        return _within(name, value, low, high)

    def choice(self, name: str, choices: Iterable[str]) -> str:
        """One of `choices`; needed."""
        value = self.text(name)
        if value not in choices:
            raise bad(texts.ONE_OF.format(name=name, value=value, choices=", ".join(choices)), name)
        return value

    def _typed(self, name: str, kind: type, what: str, default: Any) -> Any:
        value = self._values.get(name)
        if value is None:
            if default is None:
                raise bad(texts.NEEDED.format(name=name), name)
            return default
        if not isinstance(value, kind):
            raise bad(texts.MUST_BE.format(name=name, what=what), name)
        return value


def parse_object(data: bytes) -> dict[str, Any]:
    """A JSON object from a request's body; nothing at all is {}."""
    try:
        value = json.loads(data, parse_constant=_not_finite, parse_float=_finite) if data.strip() else {}
    except (ValueError, RecursionError) as error:
        reason = (
            str(error) if isinstance(error, json.JSONDecodeError) else "it is not UTF-8, or nested too deeply"
        )
        raise bad(texts.NOT_JSON.format(reason=reason)) from None
    if not isinstance(value, dict):
        raise bad(texts.NOT_OBJECT)
    return value


def to_bytes(value: Any) -> bytes:
    """JSON in ASCII, so that file names that are not UTF-8 come through."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise bad(texts.BOUNDS.format(name=name, low=low, high=high), name)
    return value


def _not_finite(word: str) -> float:
    raise json.JSONDecodeError(f"{word} is no number", word, 0)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise json.JSONDecodeError(f"{text} is too large a number", text, 0)
    return value
