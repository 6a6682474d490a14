"""Find contradictions between answers, and between answers and tags, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib_extend.questions.answer_reading import NO
from lib_extend.questions.asking import colorless
from lib_extend.records import Answer, Category, Tag

DOUBTED = 0.6
"""A tag below this score is one the tagger doubts."""


@dataclass(frozen=True)
class Doubt:
    """An answer that something else contradicts.

    Attributes:
        code: `counted_without_color`, `doubted_too` or `seen_by_tagger`. reason: a phrase for a person.
    """

    question: str
    object: str
    code: str
    reason: str


def doubts(tags: Sequence[Tag], answers: Sequence[Answer]) -> list[Doubt]:
    """The contradictions in one image's analysis, in the order of the answers.

    - something is counted, but its color question says there is none;
    - the tagger doubts a thing and the model denies it: its other answers are doubtful;
    - the tagger is sure of a thing the model denies.
    """
    scores = {t.name: t.score for t in tags if t.category is Category.GENERAL and t.score is not None}
    missing = {a.object for a in answers if colorless(a)}
    counted = {a.object: a.answer for a in answers if a.tag and a.answer.isdigit() and int(a.answer) > 0}
    result = []
    for a in answers:
        thing = a.object.replace("_", " ")
        denied = a.object and (a.answer in ("0", NO) or colorless(a))
        score = scores.get(a.object)
        if a.object in missing and a.object in counted and (a.tag or colorless(a)):
            result.append(
                Doubt(
                    a.question,
                    a.object,
                    "counted_without_color",
                    f"counted {counted[a.object]}, but no color: is there a {thing}?",
                )
            )
        elif denied and score is not None and score < DOUBTED:
            result.append(
                Doubt(a.question, a.object, "doubted_too", f"the tagger doubts the {thing} too ({score:.2f})")
            )
        elif denied and score is not None:
            result.append(
                Doubt(a.question, a.object, "seen_by_tagger", f"the tagger sees a {thing} ({score:.2f})")
            )
    return result
