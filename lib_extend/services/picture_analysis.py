"""One picture on its own: tags, answers, persons and the caption; nothing is written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extend.captions.composing import compose
from lib_extend.captions.thresholds import Thresholds, agreed
from lib_extend.config import TagConfig
from lib_extend.datasets.recipe import ANSWERS, PERSONS, PROSE, TAGS, Recipe
from lib_extend.errors import ImageError
from lib_extend.records import Analysis, Caption, Person, Unmade
from lib_extend.services import messages
from lib_extend.services.idle_worker import IdleWorker, Worker
from lib_extend.worker.kinds import analyse_picture
from lib_extend.worker.protocol import Failed, Ready, Setup


@dataclass(frozen=True)
class Looked:
    """What was seen in one picture.

    Attributes:
        analysis: all that the models said. caption: what the settings make of it.
        thresholds: the tagger's own. vocabulary: the names it knows; empty when it does not say.
        seconds: how long it took.
        unmade: the parts that could not be made, and why.
    """

    analysis: Analysis
    caption: Caption
    thresholds: Thresholds
    vocabulary: frozenset[str]
    seconds: float
    unmade: Mapping[str, Unmade] = field(default_factory=dict)


def analyse(idle: IdleWorker, path: Path, config: TagConfig) -> dict[str, Any]:
    """All about one image as JSON values. Raises as `look` does."""
    looked = look(idle, path, config)
    analysis, caption = looked.analysis, looked.caption
    return {
        "caption": caption.text,
        "tags": [t.to_json() for t in caption.tags],
        "answers": [a.to_json() for a in analysis.answers],
        "persons": person_rows(caption.persons),
        "description": "" if analysis.prose is None else analysis.prose.text,
        "reason": caption.reason,
        "reason_code": caption.reason_code,
        "reason_fields": dict(caption.reason_fields),
        "dropped": [d.to_json() for d in caption.dropped],
        "width": analysis.width,
        "height": analysis.height,
        "seconds": looked.seconds,
        "unmade": [{"part": part, **why.to_json()} for part, why in looked.unmade.items()],
    }


def look(idle: IdleWorker, path: Path, config: TagConfig) -> Looked:
    """Look at one image.

    Raises OverloadedError (too many wait), UserError (a setting or a model), ImageError (the picture), WorkerError.
    """
    if config.tagger == "none":
        raise messages.NO_TAGGER.error(field="tagger")
    questions = Recipe.of(config).questions
    asked = config.with_(ask=tuple(dict.fromkeys(q.selected_by for q in questions)))
    with idle.turn(config) as worker:
        began = time.monotonic()
        ready, analysis, unmade = _run(worker, Setup.from_config(asked, questions), config, path)
    thresholds = ready.thresholds
    analysis = agreed(analysis, config, thresholds)
    caption = compose(analysis, config, image_key=path.name, thresholds=thresholds)
    seconds = round(time.monotonic() - began, 3)
    return Looked(analysis, caption, thresholds, frozenset(ready.vocabulary), seconds, unmade)


def person_rows(persons: Sequence[Person]) -> list[dict[str, Any]]:
    """Persons as JSON values, the box as [left, top, right, bottom]."""
    return [{**p.to_json(), "box": p.box.as_list()} for p in persons]


def _run(
    worker: Worker, setup: Setup, config: TagConfig, path: Path
) -> tuple[Ready, Analysis, Mapping[str, Unmade]]:
    ready = worker.start(setup)
    wanted = [*([PERSONS] if config.people else []), *([PROSE] if config.prose else [])]
    (result,) = worker.run([analyse_picture.task("1", str(path), [TAGS, ANSWERS, *wanted])])
    if isinstance(result, Failed):
        raise ImageError(result.reason)
    made = result.payload
    assert isinstance(made, analyse_picture.Result)
    tags, answers, persons = (made.parts.get(name, ()) for name in (TAGS, ANSWERS, PERSONS))
    told = made.parts.get(PROSE)
    return ready, Analysis(made.width, made.height, tags, answers, persons, told), made.unmade
