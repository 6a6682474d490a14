"""What a run would have to do: which images need a model, which are done, which stay as they are."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lib_extend.captions.composing import Thresholds
from lib_extend.config import TagConfig, settings
from lib_extend.datasets.question_files import own_questions
from lib_extend.datasets.state import State
from lib_extend.people.geometry import CUTTING
from lib_extend.questions.asking import of_persons, select, signature
from lib_extend.questions.records import Question
from lib_extend.records import Tag

TAGS = "tags"
ANSWERS = "answers"
PERSONS = "persons"

# Settings that do not change what a run writes, so a stopped run may continue with others.
_INCIDENTAL = frozenset({"threads", "batch_size", "device", "offline", "models_dir", "vram_limit"})


@dataclass(frozen=True)
class Models:
    """The models of a run, as far as they are known before they are loaded.

    Attributes:
        tagger, vlm, detector: their keys, "" when there is none, None when never loaded under this name.
        thresholds: the tagger's own.
    """

    tagger: str | None
    vlm: str | None
    thresholds: Thresholds = field(default_factory=Thresholds)
    detector: str | None = ""

    @property
    def known(self) -> bool:
        return None not in (self.tagger, self.vlm, self.detector)


def questions_of(config: TagConfig, known: Sequence[Question]) -> tuple[Question, ...]:
    """The questions that `--ask` selects, and all of the user's own."""
    table = own_questions(config.question_file, config.question, known)
    own = [q.selected_by for q in table[len(known) :]]
    return select(table, (*config.ask, *own))


def config_key(config: TagConfig) -> str:
    """Hash of all that decides what is written."""
    kept = {k: v for k, v in config.to_dict().items() if k not in _INCIDENTAL}
    return hashlib.blake2b(json.dumps(kept, sort_keys=True).encode(), digest_size=16).hexdigest()


def fingerprint(spec: str, models_dir: str) -> str:
    """A name for "the model under `spec`" that changes when a local folder's files do."""
    folder = Path(spec)
    if not folder.is_dir():
        return f"{spec}|{models_dir}" if models_dir else spec
    files = sorted(
        (e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in os.scandir(folder) if e.is_file()
    )
    return f"{folder.resolve()}|{hashlib.blake2b(repr(files).encode(), digest_size=16).hexdigest()}"


def _vlm_name(config: TagConfig) -> str:
    spec = f"{config.vlm}|{config.vlm_model}" if config.vlm_model else config.vlm
    name = "vlm|" + fingerprint(spec, config.models_dir)
    return name if config.vlm_4bit == "auto" else f"{name}|4bit {config.vlm_4bit}"


class Remembering(Protocol):
    """What remembers models: the open database, or a look at it."""

    def model(self, spec: str) -> tuple[str, dict[str, Any]] | None:
        """Key and thresholds of the model last loaded under `spec`, or None."""
        ...


def known_models(state: Remembering, config: TagConfig) -> Models:
    """The models' keys from an earlier run, so that a plan needs no model in memory."""
    thresholds = Thresholds()
    tagger: str | None = ""
    if config.tagger != "none":
        row = state.model("tagger|" + fingerprint(config.tagger, config.models_dir))
        tagger = None
        if row is not None:
            tagger, thresholds = row[0], Thresholds(**row[1])
    vlm: str | None = ""
    if config.vlm != "none":
        row = state.model(_vlm_name(config))
        vlm = None if row is None else row[0]
    detector: str | None = ""
    if config.people:
        row = state.model("detector|" + fingerprint(config.person_detector, config.models_dir))
        detector = None if row is None else row[0]
    return Models(tagger, vlm, thresholds, detector)


def remember_models(state: State, config: TagConfig, models: Models) -> None:
    """Keep the keys for the next plan."""
    if models.tagger:
        values: dict[str, Any] = {
            "general": models.thresholds.general,
            "character": models.thresholds.character,
            "tags": dict(models.thresholds.tags),
        }
        state.remember_model("tagger|" + fingerprint(config.tagger, config.models_dir), models.tagger, values)
    if models.vlm:
        state.remember_model(_vlm_name(config), models.vlm, {})
    if models.detector:
        name = "detector|" + fingerprint(config.person_detector, config.models_dir)
        state.remember_model(name, models.detector, {})


def answers_key(
    config: TagConfig, models: Models, questions: Sequence[Question], known: Sequence[Tag]
) -> str:
    """What answers are stored under: the models, the questions, and (without a tagger) the caption's tags."""
    parts = [
        models.vlm or "",
        models.tagger or "",
        signature(questions),
        f"{config.question_threshold:g}",
        str(config.max_pixels),
        "" if models.tagger else " ".join(sorted(t.name for t in known)),
    ]
    if config.people and of_persons(questions):
        parts += [persons_key(config, models), str(config.person_tag_threshold)]
    return hashlib.blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def persons_key(config: TagConfig, models: Models) -> str:
    """What persons are stored under: the models, the score a person needs and the way of cutting them out."""
    parts = [models.detector or "", models.tagger or "", str(config.person_threshold), str(CUTTING)]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def checked_settings(config: TagConfig) -> dict[str, Any]:
    """The settings that differ from their defaults, for the list of runs."""
    values = config.to_dict()
    return {
        s.name: values[s.name]
        for s in settings(TagConfig)
        if values[s.name] != (list(s.default) if isinstance(s.default, tuple) else s.default)
    }
