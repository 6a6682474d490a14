"""A recipe: the settings, the questions and the models' keys of a run over a dataset, computed once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from lib_extend.captions.thresholds import Thresholds
from lib_extend.config import TagConfig
from lib_extend.datasets.question_files import own_questions
from lib_extend.datasets.state import State
from lib_extend.datasets.state_values import stored
from lib_extend.files.path_lists import listed
from lib_extend.parts.part import KeyInputs, Part
from lib_extend.parts.part_table import parts
from lib_extend.questions.asking import select
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.question import Question
from lib_extend.records import Tag

TAGS = "tags"
ANSWERS = "answers"
PERSONS = "persons"
PROSE = "prose"

# Settings that do not change the result of a run: a stopped run may continue with other values.
_INCIDENTAL = frozenset({"threads", "batch_size", "device", "offline", "models_dir", "vram_limit"})


@dataclass(frozen=True)
class ModelKeys:
    """The models of a run, as far as known before they are loaded.

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


class Remembering(Protocol):
    """The database, opened for writing or reading, which stores the models' keys."""

    def model(self, spec: str) -> tuple[str, dict[str, Any]] | None:
        """Key and thresholds of the model last loaded under `spec`, or None."""
        ...


@dataclass(frozen=True)
class Recipe:
    """The recipe of a run: made by `of`, completed by `known_in` or `with_models`.

    Attributes:
        config: all settings. questions: those that are asked, none without a vision-language model.
        models: the models' keys.
    """

    config: TagConfig
    questions: tuple[Question, ...]
    models: ModelKeys

    @classmethod
    def of(cls, config: TagConfig, known: Sequence[Question] = BUILTIN) -> Recipe:
        """The recipe of these settings; `known` is the table that `config.ask` selects from.

        Raises:
            UserError: a word of `ask` is unknown, or a question file cannot be read.
        """
        questions = questions_of(config, known) if config.vlm != "none" else ()
        unknown = ModelKeys(
            "" if config.tagger == "none" else None,
            "" if config.vlm == "none" else None,
            detector=None if config.people else "",
        )
        return cls(config, questions, unknown)

    def known_in(self, state: Remembering) -> Recipe:
        """With the models' keys from an earlier run, so that a plan needs no model in memory."""
        return self.with_models(_known_models(state, self.config))

    def with_models(self, models: ModelKeys) -> Recipe:
        return replace(self, models=models)

    def remember_in(self, state: State) -> None:
        """Keep the models' keys for the next plan."""
        config, models = self.config, self.models
        if models.tagger:
            state.remember_model(_tagger_name(config), models.tagger, models.thresholds.to_json())
        if models.vlm:
            state.remember_model(_vlm_name(config), models.vlm, {})
        if models.detector:
            state.remember_model(_detector_name(config), models.detector, {})

    @property
    def thresholds(self) -> Thresholds:
        return self.models.thresholds

    @cached_property
    def key(self) -> str:
        """Hash of all settings that decide what is written."""
        kept = {k: v for k, v in self.config.to_dict().items() if k not in _INCIDENTAL}
        return _hash(json.dumps(kept, sort_keys=True))

    def key_inputs(self, known: Iterable[Tag] = ()) -> KeyInputs:
        """The values that the keys of parts depend on; `known` are the caption's tags, used if there is no tagger."""
        m = self.models
        return KeyInputs(
            self.config, self.questions, m.tagger or "", m.vlm or "", m.detector or "", tuple(known)
        )

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The parts of an analysis that the run makes; parts that others need are first."""
        inputs = self.key_inputs()
        return tuple(part for part in parts().values() if part.wanted(inputs))

    @property
    def starts_from_captions(self) -> bool:
        """Whether parts depend on the tags of each image's caption, because no tagger gives any."""
        return self.models.tagger == "" and any(TAGS in part.needs for part in self.parts)

    @cached_property
    def part_keys(self) -> Mapping[str, str]:
        """The key of each part, by the part's name; "" while a model for it is unknown."""
        return self.part_keys_of(())

    def part_keys_of(self, known: Iterable[Tag]) -> dict[str, str]:
        """As `part_keys`, for one image with the tags `known` in its caption, where there is no tagger."""
        inputs = self.key_inputs(known)
        return {
            part.name: ""
            if any(getattr(self.models, model) is None for model in part.models)
            else part.key(inputs)
            for part in self.parts
        }

    def part_key(self, part: str, known: Iterable[Tag] = ()) -> str:
        """The key of one part, also of one that is not wanted; unknown models count as none."""
        return parts()[part].key(self.key_inputs(known))

    @cached_property
    def answers_key(self) -> str:
        """The key of answers if a tagger selects the questions: made from the models and the questions."""
        return self.part_key(ANSWERS)


def questions_of(config: TagConfig, known: Sequence[Question] = BUILTIN) -> tuple[Question, ...]:
    """The questions that `--ask` selects, and all of the user's own."""
    table = own_questions(config.question_file, config.question, known)
    own = [q.selected_by for q in table[len(known) :]]
    return select(table, (*config.ask, *own))


def _known_models(state: Remembering, config: TagConfig) -> ModelKeys:
    thresholds = Thresholds()
    tagger: str | None = ""
    if config.tagger != "none":
        row = state.model(_tagger_name(config))
        tagger = None
        if row is not None:
            tagger, thresholds = row[0], stored(Thresholds.from_json, row[1])
    vlm: str | None = ""
    if config.vlm != "none":
        row = state.model(_vlm_name(config))
        vlm = None if row is None else row[0]
    detector: str | None = ""
    if config.people:
        row = state.model(_detector_name(config))
        detector = None if row is None else row[0]
    return ModelKeys(tagger, vlm, thresholds, detector)


def _tagger_name(config: TagConfig) -> str:
    return "tagger|" + ",".join(_fingerprint(spec, config.models_dir) for spec in listed(config.tagger))


def _detector_name(config: TagConfig) -> str:
    return "detector|" + _fingerprint(config.person_detector, config.models_dir)


def _vlm_name(config: TagConfig) -> str:
    spec = f"{config.vlm}|{config.vlm_model}" if config.vlm_model else config.vlm
    name = "vlm|" + _fingerprint(spec, config.models_dir)
    return name if config.vlm_4bit == "auto" else f"{name}|4bit {config.vlm_4bit}"


def _fingerprint(spec: str, models_dir: str) -> str:
    """A name for "the model under `spec`" that changes when a local folder's files do."""
    folder = Path(spec)
    if not folder.is_dir():
        return f"{spec}|{models_dir}" if models_dir else spec
    files = sorted(
        (e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in os.scandir(folder) if e.is_file()
    )
    return f"{folder.resolve()}|{hashlib.blake2b(repr(files).encode(), digest_size=16).hexdigest()}"


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
