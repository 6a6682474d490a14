"""The records of requests and answers for handlers, without a web framework.

A handler runs in a thread and returns JSON values, `Raw` bytes, a `FileAnswer` or a `Stream`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lib_extend.api import request_messages


@dataclass(frozen=True)
class Raw:
    """An answer that is not JSON."""

    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class FileAnswer:
    """A file as it is."""

    path: Path
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Events(Protocol):
    """Numbered events; see `services.event_log.EventLog`."""

    @property
    def closed(self) -> bool:
        """Whether no more events come."""
        ...

    @property
    def poll_seconds(self) -> float:
        """Seconds until the next look for events, for sources that do not wake the reader."""
        ...

    def after(self, n: int) -> list[tuple[int, str]]:
        """Number and JSON of the events after number `n`."""
        ...

    def listening(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `wake()` when there is a new event."""
        ...


@dataclass(frozen=True)
class Stream:
    """Events after number `after`: as server-sent events, or (`poll`) what is there as a JSON list."""

    events: Events
    after: int
    poll: bool = False


@dataclass(frozen=True)
class Call:
    """A request.

    Attributes:
        path: the parts of the address that stand for something. query, headers (lower case): as sent.
        body: the JSON object; {} for GET. upload: the file with the picture of a form.
        login: whether this server asks who one is. raw_path: the address's bytes as they came; b"" when not known.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    upload: Path | None = None
    login: bool = False
    raw_path: bytes = b""

    def after(self, number: int) -> int:
        """The last event that the caller has: `number`, or the number that its browser sends after a lost
        connection."""
        seen = self.headers.get("last-event-id", "")
        return max(number, int(seen) if seen.isdecimal() and len(seen) < 16 else 0)


def parse_object(data: bytes) -> dict[str, Any]:
    """A JSON object from a request's body; nothing at all is {}."""
    try:
        value = json.loads(data, parse_constant=_not_finite, parse_float=_finite) if data.strip() else {}
    except (ValueError, RecursionError) as error:
        reason = (
            str(error) if isinstance(error, json.JSONDecodeError) else "it is not UTF-8, or nested too deeply"
        )
        raise request_messages.NOT_JSON.error(reason=reason) from None
    if not isinstance(value, dict):
        raise request_messages.NOT_OBJECT.error()
    return value


def to_bytes(value: Any) -> bytes:
    """JSON in ASCII, so that file names that are not UTF-8 come through."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def _not_finite(word: str) -> float:
    raise json.JSONDecodeError(f"{word} is no number", word, 0)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise json.JSONDecodeError(f"{text} is too large a number", text, 0)
    return value
