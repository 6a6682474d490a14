"""The first message to a worker: which models to load, and how."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_extend.config import TagConfig
from lib_extend.config.model_settings import ModelSettings
from lib_extend.config.prose_settings import ProseSettings
from lib_extend.config.run_settings import RunSettings
from lib_extend.records import Record

if TYPE_CHECKING:
    from lib_extend.questions.question import Question

VERSION = 4
"""Of the protocol; see `protocol.py`."""

IDLE_SECONDS = 600.0
"""A worker without work ends after this long, so that its memory comes back."""


@dataclass(frozen=True)
class Setup(ModelSettings, ProseSettings, RunSettings, Record):
    """The first message to a worker: which models to load, and how.

    All settings of models, of prose and of the machine are in it, a new one too; of the others those that are named here. Unless
    a model is named, there is none.

    Attributes:
        person_detector: the detector by its name. questions: `Question`s as JSON values; those selected by `ask` are put
            to each image.
        idle_seconds: how long the worker stays without work.
    """

    tagger: str = "none"
    person_detector: str = "none"
    person_threshold: float | None = None
    person_tag_threshold: float | None = None
    ask: tuple[str, ...] = ()
    questions: tuple[dict[str, Any], ...] = ()
    question_threshold: float = 0.35
    max_pixels: int = 1_048_576
    idle_seconds: float = IDLE_SECONDS
    version: int = VERSION

    @classmethod
    def from_config(cls, config: TagConfig, questions: Sequence[Question]) -> Setup:
        """The setup of a job: its settings, and the question table it chooses from."""
        taken = {f.name for f in dataclasses.fields(cls)} & {f.name for f in dataclasses.fields(config)}
        values = {name: getattr(config, name) for name in taken}
        table = tuple(json.loads(json.dumps(dataclasses.asdict(q))) for q in questions)
        return cls(**values, person_detector=config.person_detector, questions=table)
