"""The events that a job sends to its front end, in order. `to_json` is the line of `--json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_extend.records import Answer, Drop, Person, Record, Tag


@dataclass(frozen=True)
class Event(Record):
    """Base of the events; `event` is the word in JSON."""

    @property
    def event(self) -> str:
        return type(self).__name__.lower()

    def to_json(self) -> dict[str, Any]:
        return {"event": self.event, **super().to_json()}


@dataclass(frozen=True)
class Planned(Event):
    """The plan: images in this job, how many need no model any more, how many are left as they are.

    `earlier` captions have something of earlier runs that this one does not ask for: it stays (see `drop_earlier`).
    """

    images: int
    already_done: int
    skipped: int = 0
    run: int = 0
    continued: bool = False
    earlier: int = 0


@dataclass(frozen=True)
class Notice(Event):
    """Something about the folder that a person should know: `code` names the kind, `text` says it, `names` are the
    first of `count` files."""

    code: str
    text: str
    count: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status(Event):
    """The progress of slow work other than images (a download, a model loading)."""

    what: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Counted(Status):
    """A status whose `done` of `total` are the job's captions, where they are not told one by one (`Image`)."""

    @property
    def event(self) -> str:
        return "status"


@dataclass(frozen=True)
class Loaded(Event):
    """The models are ready; `devices` says where each runs and why."""

    devices: tuple[str, ...]


@dataclass(frozen=True)
class Image(Event):
    """One caption is decided (and written, unless a dry run).

    `changed` tells whether the file's bytes differ from before; `before` is the previous text. `persons` are those
    told apart; where persons were wanted and there are none, `reason` says why, and `reason_code` with `reason_fields` the
    same to programs. `earlier` names the tags that earlier
    runs found and this one did not ask for. `lines` is how many captions the file has, one a line.
    """

    path: str
    caption: str
    tags: tuple[Tag, ...]
    answers: tuple[Answer, ...]
    persons: tuple[Person, ...]
    changed: bool
    before: str | None = None
    dropped: tuple[Drop, ...] = ()
    reason: str = ""
    earlier: tuple[str, ...] = ()
    lines: int = 1
    reason_code: str = ""
    reason_fields: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        data = super().to_json()
        data["persons"] = [
            {
                "letter": p.letter,
                "box": p.box.as_list(),
                "score": p.score,
                "tags": [t.to_json() for t in p.tags],
            }
            for p in self.persons
        ]
        return data


@dataclass(frozen=True)
class Failed(Event):
    """One image could not be done; everything else goes on."""

    path: str
    reason: str


@dataclass(frozen=True)
class Incomplete(Event):
    """One image's `part` ("answers") could not be made; its caption is written without.

    `path` is "" if the model fails on all images; the event is then sent once.
    """

    path: str
    part: str
    reason: str
    code: str = ""


@dataclass(frozen=True)
class Finished(Event):
    """The end: `done` images with a caption, `failed` ones, `written` files changed.

    `earlier` tags of earlier runs stay that this one did not ask for; `several_lines` captions have more lines than the one that new tags go to.

    `analysed` images went through a model; in `separated` ones the persons were told apart; `incomplete` ones lack a part; `seconds` is wall time; `stopped` when the user asked.
    `encodings` counts the captions that were not UTF-8, by the encoding they were read in; "" where it is not certain.
    """

    done: int
    failed: int
    seconds: float
    images_per_second: float
    written: int = 0
    analysed: int = 0
    skipped: int = 0
    separated: int = 0
    incomplete: int = 0
    encodings: dict[str, int] = field(default_factory=dict)
    earlier: int = 0
    several_lines: int = 0
    stopped: bool = False
    run: int = 0


def finished(seconds: float, done: int, failed: int, **others: Any) -> Finished:
    """The end of a job that took so long; `others` are further fields."""
    per_second = round(done / seconds, 3) if seconds else 0.0
    return Finished(done, failed, round(seconds, 3), per_second, **others)
