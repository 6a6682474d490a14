"""The first message to a worker: which models to load, and how."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_extend.records import Record

if TYPE_CHECKING:
    from lib_extend.config import TagConfig
    from lib_extend.questions.question import Question

VERSION = 3
"""Of the protocol; see `protocol.py`."""

IDLE_SECONDS = 600.0
"""A worker without work ends after this long, so that its memory comes back."""


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
        return cls(
            **values, questions=tuple(json.loads(json.dumps(dataclasses.asdict(q))) for q in questions)
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Setup:
        known = {f.name for f in dataclasses.fields(cls)}
        values = {k: v for k, v in data.items() if k in known}
        for name in ("ask", "questions"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)
