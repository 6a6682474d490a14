"""A model may name the only things that it was taught; it is not asked about others."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib_extend.analysis.answer_making import AnswerMaker
from lib_extend.errors import ModelError
from lib_extend.models.registry import SKETCH
from lib_extend.models.vlms.folders import SETTINGS, objects
from lib_extend.questions.asking import select
from lib_extend.questions.builtin import BUILTIN
from lib_extend.sketch.vlm_questions import TAUGHT

TAGS = {"indoors": 1.0, "cake": 1.0, "window": 1.0, "cloud": 1.0, "tree": 1.0}


def asked_about(taught: frozenset[str] | None) -> set[str]:
    questions = select(BUILTIN, ["count", "color", "door"])
    place = SimpleNamespace(
        beat=lambda: None, questions=questions, question_threshold=0.3, person_tag_threshold=None, tagger=None
    )
    model = SimpleNamespace(parallel=1, objects=taught)
    maker = AnswerMaker(model, place)  # type: ignore[arg-type]
    return {a.object for a in maker._next(questions, TAGS, [])}


def test_the_sketch_model_is_not_asked_about_windows() -> None:
    taught = objects(SKETCH / "vlm")
    assert taught == TAUGHT, "the shipped list is that of the training"
    everything, known = asked_about(None), asked_about(taught)
    assert {"window", "cake", ""} <= everything
    assert known == everything & (TAUGHT | {""}) and "cake" in known and "window" not in known


def test_what_a_folder_may_say(tmp_path: Path) -> None:
    assert objects(tmp_path) is None
    for said, known in (({"temperature": 1}, None), ({"objects": ["cake"]}, frozenset({"cake"}))):
        (tmp_path / SETTINGS).write_text(json.dumps(said), encoding="utf-8")
        assert objects(tmp_path) == known
    for wrong in ({"objects": "cake"}, {"objects": [1]}, []):
        (tmp_path / SETTINGS).write_text(json.dumps(wrong), encoding="utf-8")
        with pytest.raises(ModelError, match=SETTINGS):
            objects(tmp_path)
