"""The messages between the inference process and its parent: frozen records, one JSON object a line.

The lines are pure ASCII. A path whose bytes are not UTF-8 is a Python text with lone surrogates
(`os.fsdecode`), which JSON carries as `\\udcXX` escapes; the same holds for Windows' unpaired UTF-16
units, so every name a file system allows comes through. Pictures go by path, never through the pipe. The kinds of tasks
define requests and results (`task_kinds.py`).

    parent → worker   Setup, Task, Cancel, Stop
    worker → parent   Hello, Progress, Ready | SetupFailed, Partial, Done | Failed, Alive, Broken, Bye

`VERSION` (of `setup_record.py`) changes whenever an older side could misread a newer one; it is checked in both directions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_extend.captions.thresholds import Thresholds
from lib_extend.errors import WorkerError
from lib_extend.records import Record
from lib_extend.tagger_agreement import Limits
from lib_extend.worker import task_kinds
from lib_extend.worker.setup_record import IDLE_SECONDS, VERSION, Setup

__all__ = ["IDLE_SECONDS", "VERSION", "Setup"]


class ProtocolError(WorkerError):
    """A line that this version of the protocol does not know."""


@dataclass(frozen=True)
class Task(Record):
    """Something to do.

    Attributes:
        id: the caller's own name for it; comes back with the result.
        kind: the name of one of the kinds of `worker.kinds`.
        payload: the kind's request.
    """

    id: str
    kind: str
    payload: Record

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Task:
        kind = data["kind"]
        return cls(data["id"], kind, task_kinds.kind(kind).request.from_json(data["payload"]))


@dataclass(frozen=True)
class Cancel(Record):
    """Cancel the tasks that are not answered yet; later results of them are ignored."""


@dataclass(frozen=True)
class Stop(Record):
    """End now."""


@dataclass(frozen=True)
class Hello(Record):
    """The first message of a worker: who it is. `packages` maps distribution names to versions."""

    version: int
    python: str = ""
    pid: int = 0
    packages: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress(Record):
    """`what` is arriving or loading: `done` of `total` bytes (0 when unknown)."""

    what: str
    done: int
    total: int


@dataclass(frozen=True)
class Ready(Record):
    """The models are loaded.

    Attributes:
        tagger_key, vlm_key, detector_key: what analyses are stored under; "" where there is no such model.
        threshold, character_threshold, tag_thresholds: the tagger's own defaults. taggers: those of several, by their names.
        tagger_device, vlm_device, detector_device: where they run, in words, with the reason of any fallback.
        window: how many tasks keep every stage of the pipeline busy.
        vocabulary: the canonical names of all tags the tagger knows.
    """

    tagger_key: str = ""
    vlm_key: str = ""
    detector_key: str = ""
    threshold: float | None = None
    character_threshold: float | None = None
    tag_thresholds: dict[str, float] = field(default_factory=dict)
    tagger_device: str = ""
    vlm_device: str = ""
    detector_device: str = ""
    window: int = 8
    vocabulary: tuple[str, ...] = ()
    taggers: dict[str, Limits] = field(default_factory=dict)

    @property
    def thresholds(self) -> Thresholds:
        """The tagger's own, the usual ones where there is none."""
        known = Thresholds()
        if self.threshold is None:
            return known
        character = known.character if self.character_threshold is None else self.character_threshold
        return Thresholds(self.threshold, character, self.tag_thresholds, self.taggers)


@dataclass(frozen=True)
class SetupFailed(Record):
    """The models cannot be downloaded or loaded: `reason` is one sentence for the user."""

    reason: str


@dataclass(frozen=True)
class Done(Record):
    """The result of a task: `payload` is the result of its `kind`."""

    id: str
    kind: str
    payload: Record

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Done:
        kind = data["kind"]
        return cls(data["id"], kind, task_kinds.kind(kind).result.from_json(data["payload"]))


@dataclass(frozen=True)
class Partial(Record):
    """The present state of a running task: `payload` is a partial result of its `kind`. There may be many, or none."""

    id: str
    kind: str
    payload: Record

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Partial:
        kind = data["kind"]
        return cls(data["id"], kind, task_kinds.kind(kind).partial.from_json(data["payload"]))


@dataclass(frozen=True)
class Failed(Record):
    """A task that could not be done: `reason` is one sentence for the user."""

    id: str
    reason: str


@dataclass(frozen=True)
class Alive(Record):
    """A step of some task was finished since the last message: slow, but not hanging."""


@dataclass(frozen=True)
class Broken(Record):
    """The sender cannot understand the other side and ends."""

    reason: str


@dataclass(frozen=True)
class Bye(Record):
    """The worker ends by itself; it has not begun any unanswered task."""

    reason: str


Result = Done | Failed

_MESSAGES: dict[str, type[Record]] = {
    c.__name__: c
    for c in (
        Setup, Task, Cancel, Stop,
        Hello, Progress, Ready, SetupFailed, Partial, Done, Failed, Alive, Broken, Bye,
    )
}  # fmt: skip


def encode(message: Record) -> bytes:
    """The message as one line, newline included."""
    body = {"type": type(message).__name__, **message.to_json()}
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Record:
    """The message of a line. Raises ProtocolError for anything this version does not know."""
    try:
        body = json.loads(line)
    except ValueError:
        raise ProtocolError(
            f"A line between the inference process and its parent is no message: {line[:80]!r}."
        ) from None
    kind = str(body.get("type")) if isinstance(body, dict) else type(body).__name__
    if not isinstance(body, dict) or kind not in _MESSAGES:
        raise ProtocolError(
            f"A message between the inference process and its parent is of the unknown kind {kind!r} "
            f"(protocol {VERSION}): the two are of different versions, install Prompt Extend again."
        )
    try:
        return _MESSAGES[kind].from_json(body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProtocolError(
            f"A {kind} message between the inference process and its parent cannot be read: {error!r}."
        ) from error


def check_version(other: int, whose: str) -> None:
    """Raises ProtocolError unless `other`, the protocol version of `whose`, is ours."""
    if other != VERSION:
        raise ProtocolError(
            f"{whose} speaks protocol {other}, but {VERSION} is needed: the two are of different versions, "
            "install Prompt Extend again (or unset PROMPT_EXTEND_WORKER_PYTHON)."
        )
