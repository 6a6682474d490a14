"""What people decided about answers. Decisions are stored beside the analyses and overrule every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lib_extend.questions.answer_reading import tag_of
from lib_extend.questions.question import Question
from lib_extend.records import Answer, Record

ACCEPT, CORRECT, REJECT, LOCK = "accept", "correct", "reject", "lock"
WITHDRAW = "withdraw"
"""No verdict of its own: it takes the one before back."""
VERDICTS = (ACCEPT, CORRECT, REJECT, LOCK)


@dataclass(frozen=True)
class Verdict(Record):
    """A person's decision on one answer.

    Attributes:
        verdict: `accept` and `reject` apply while a model gives that `answer`; `correct` and `lock` keep `answer`, also
            when a model says something else later.
    """

    question: str
    object: str
    verdict: str
    answer: str


def subject(answer: Answer) -> tuple[str, str]:
    """The key of a verdict on an answer: the question and the object (`skirt@2` for person 2)."""
    return answer.question, f"{answer.object}@{answer.person}" if answer.person else answer.object


def apply(
    answers: Sequence[Answer], verdicts: Mapping[tuple[str, str], Verdict], questions: Sequence[Question]
) -> tuple[Answer, ...]:
    """The answers after people's decisions: accepted answers are certain, rejected answers give no tag."""
    if not verdicts:
        return tuple(answers)
    by_name = {q.name: q for q in questions}
    result = []
    seen = set()
    for a in answers:
        seen.add(subject(a))
        verdict = verdicts.get(subject(a))
        result.append(a if verdict is None else _decided(a, verdict, by_name.get(a.question)))
    for where, verdict in verdicts.items():
        # a person's decision stays when the model was not asked this time
        if where not in seen and verdict.verdict in (CORRECT, LOCK) and verdict.question in by_name:
            thing, _, person = verdict.object.partition("@")
            blank = Answer(verdict.question, thing, "", "", None, "", person=int(person or 0))
            result.append(_decided(blank, verdict, by_name[verdict.question]))
    return tuple(result)


def _decided(answer: Answer, verdict: Verdict, question: Question | None) -> Answer:
    if verdict.verdict == REJECT:
        return replace(answer, answer="", tag="") if answer.answer == verdict.answer else answer
    if verdict.verdict == ACCEPT:
        return replace(answer, probability=1.0) if answer.answer == verdict.answer else answer
    if question is None:
        return answer
    tag = tag_of(question, answer.object, verdict.answer)
    return replace(answer, answer=verdict.answer, tag=tag, probability=1.0, locked=verdict.verdict == LOCK)
