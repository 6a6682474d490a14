"""What the inference process and its parent say to each other: frozen records, one JSON object a line.

The lines are pure ASCII. A path whose bytes are not UTF-8 is a Python text with lone surrogates
(`os.fsdecode`), which JSON carries as `\\udcXX` escapes; the same holds for Windows' unpaired UTF-16
units, so every name a file system allows comes through. Pictures go by path, never through the pipe.

    parent → worker   Setup, Task, Cancel, Stop
    worker → parent   Hello, Progress, Ready | SetupFailed, Done | Failed, Alive, Broken, Bye

`VERSION` changes whenever an older side could misread a newer one; it is checked in both directions.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_extend.errors import WorkerError
from lib_extend.records import Answer, Person, Record, Tag

if TYPE_CHECKING:
    from lib_extend.config import TagConfig
    from lib_extend.questions.records import Question

VERSION = 2

SCORE_FLOOR = 0.05
"""Tags below this score are not stored: no sensible threshold is lower, and a model has ~10,000 tags."""

IDLE_SECONDS = 600.0
"""A worker without work ends after this long, so that its memory comes back."""


class ProtocolError(WorkerError):
    """A line that this version of the protocol does not know."""


@dataclass(frozen=True)
class Setup(Record):
    """The first message to a worker: which models to load, and how. Fields as in `TagConfig`.

    `questions` are `Question`s as JSON values; those selected by `ask` are put to each image.
    `idle_seconds`: how long the worker stays without work.
    """

    tagger: str = "none"
    person_detector: str = "none"
    person_threshold: float | None = None
    person_tag_threshold: float | None = None
    vlm: str = "none"
    vlm_model: str = ""
    vlm_4bit: str = "auto"
    vram_limit: float | None = None
    ask: tuple[str, ...] = ()
    questions: tuple[dict[str, Any], ...] = ()
    question_threshold: float = 0.35
    device: str = "auto"
    offline: bool = False
    models_dir: str = ""
    max_pixels: int = 1_048_576
    threads: int | None = None
    batch_size: int | None = None
    idle_seconds: float = IDLE_SECONDS
    version: int = VERSION

    @classmethod
    def from_config(cls, config: TagConfig, questions: Sequence[Question]) -> Setup:
        """The setup of a job: its settings, and the question table it chooses from."""
        own = {f.name for f in dataclasses.fields(cls)} - {"questions"}
        values = {k: v for k, v in dataclasses.asdict(config).items() if k in own}
        values["person_detector"] = config.person_detector
        return cls(**values, questions=tuple(_jsonable(dataclasses.asdict(q)) for q in questions))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Setup:
        known = {f.name for f in dataclasses.fields(cls)}
        values = {k: v for k, v in data.items() if k in known}
        for name in ("ask", "questions"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)


@dataclass(frozen=True)
class Task(Record):
    """One image to analyse.

    Attributes:
        id: the caller's own name for it; comes back with the result.
        path: absolute path of the image, as `os.fsdecode` gives it.
        need_tags: run the tagger.
        need_persons: find the persons and tag each alone.
        need_answers: ask the questions that its tags call for.
        tags: what is known already (cached scores, an existing caption); together with the tagger's they
            choose the questions. A tag without a score counts as certain.
        persons: those known already.
    """

    id: str
    path: str
    need_tags: bool = True
    need_answers: bool = True
    need_persons: bool = False
    tags: tuple[Tag, ...] = ()
    persons: tuple[Person, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Task:
        return cls(
            id=data["id"],
            path=data["path"],
            need_tags=bool(data.get("need_tags", True)),
            need_answers=bool(data.get("need_answers", True)),
            need_persons=bool(data.get("need_persons", False)),
            tags=tuple(Tag.from_json(t) for t in data.get("tags", ())),
            persons=tuple(Person.from_json(p) for p in data.get("persons", ())),
        )


@dataclass(frozen=True)
class Cancel(Record):
    """Forget the tasks that were not answered; their results, should any still come, are not wanted."""


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
        threshold, character_threshold, tag_thresholds: the tagger's own defaults.
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

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ready:
        known = {f.name for f in dataclasses.fields(cls)}
        values = {k: v for k, v in data.items() if k in known}
        return cls(**{**values, "vocabulary": tuple(values.get("vocabulary", ()))})


@dataclass(frozen=True)
class SetupFailed(Record):
    """The models cannot be had: `reason` is one sentence for the user."""

    reason: str


@dataclass(frozen=True)
class Done(Record):
    """An image's analysis. `tags` (score ≥ SCORE_FLOOR, and all ratings), `answers` and `persons` (left to right,
    each with all tags of its cut-out) are None where they were not asked for or there is no such model; `width`
    and `height` are the upright image's pixels."""

    id: str
    width: int
    height: int
    tags: tuple[Tag, ...] | None = None
    answers: tuple[Answer, ...] | None = None
    persons: tuple[Person, ...] | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Done:
        tags, answers, persons = data.get("tags"), data.get("answers"), data.get("persons")
        return cls(
            id=data["id"],
            width=int(data["width"]),
            height=int(data["height"]),
            tags=None if tags is None else tuple(Tag.from_json(t) for t in tags),
            answers=None if answers is None else tuple(Answer.from_json(a) for a in answers),
            persons=None if persons is None else tuple(Person.from_json(p) for p in persons),
        )


@dataclass(frozen=True)
class Failed(Record):
    """An image that could not be analysed: `reason` is one sentence for the user."""

    id: str
    reason: str


@dataclass(frozen=True)
class Alive(Record):
    """A step of some image was finished since the last message: slow, but not hanging."""


@dataclass(frozen=True)
class Broken(Record):
    """The sender cannot understand the other side and ends."""

    reason: str


@dataclass(frozen=True)
class Bye(Record):
    """The worker ends of its own accord; whatever it has not answered it has not begun."""

    reason: str


Result = Done | Failed

_MESSAGES: dict[str, type[Record]] = {
    c.__name__: c
    for c in (
        Setup, Task, Cancel, Stop,
        Hello, Progress, Ready, SetupFailed, Done, Failed, Alive, Broken, Bye,
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


def _jsonable(value: Any) -> Any:
    return json.loads(json.dumps(value))
