"""Decide which questions are asked about an image, round by round."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from lib_extend.errors import UserError
from lib_extend.questions.answer_reading import RULES, YES, choices, fill
from lib_extend.questions.question import Asked, Kind, Question
from lib_extend.records import Answer, Prompt
from lib_extend.vocabulary import colors
from lib_extend.vocabulary.plurals import plural

COLOR = "color"
"""Name of the built-in color question."""

POSITIVE = 0.5
"""Probability a yes needs before it is followed up."""

FREE_TOKENS = 32


def select(questions: Sequence[Question], ask: Sequence[str]) -> tuple[Question, ...]:
    """The questions that the words of `--ask` name, in the table's order.

    Raises UserError for a word that names none.
    """
    words = list(dict.fromkeys(q.selected_by for q in questions))
    for word in ask:
        if word not in words:
            raise UserError(f"There is no question called {word!r}: the questions are {', '.join(words)}.")
    return tuple(q for q in questions if q.selected_by in ask)


def of_pictures(questions: Sequence[Question]) -> list[Question]:
    """The questions put to whole images."""
    return [q for q in questions if not q.of_person]


def of_persons(questions: Sequence[Question]) -> list[Question]:
    """The questions put to each person alone."""
    return [q for q in questions if q.of_person]


def signature(questions: Sequence[Question]) -> str:
    """Hash of everything that decides what is asked and how answers are read. Answers are stored under it."""
    table = [(asdict(q), choices(q)) for q in questions]
    rows = json.dumps([RULES, table], sort_keys=True, default=str)
    return hashlib.blake2b(rows.encode(), digest_size=16).hexdigest()


def next_round(
    questions: Sequence[Question], tags: Mapping[str, float], answers: Sequence[Answer]
) -> list[Asked]:
    """The questions that apply now and were not asked yet; empty when all is asked.

    Args:
        tags: canonical names of the tags that are there, with their scores.
        answers: all answers so far.
    """
    done = {(a.question, a.object) for a in answers}
    result = []
    for question in questions:
        if not _applies(question, tags, answers):
            continue
        for thing in _objects(question, tags, answers):
            if (question.name, thing) not in done:
                done.add((question.name, thing))
                second = prompt(question, thing, question.rephrased) if question.rephrased else None
                result.append(Asked(question, thing, prompt(question, thing), second))
    return result


def prompt(question: Question, thing: str, template: str = "") -> Prompt:
    """The question put to one object ("" when it is about the whole image), in its words or another `template`."""
    # "How many oranges", not "oranges (fruit)"
    name = re.sub(r"_\(.*\)$", "", thing)
    words = {
        "object": name.replace("_", " "),
        "objects": plural(name).replace("_", " "),
        "answer": name.replace("_", " "),
    }
    return Prompt(fill(template or question.ask, words), choices(question), FREE_TOKENS)


def _applies(question: Question, tags: Mapping[str, float], answers: Sequence[Answer]) -> bool:
    if not all(t in tags for t in question.when) or any(t in tags for t in question.unless):
        return False
    return not question.after or any(a.question == question.after and _positive(a) for a in answers)


def _objects(question: Question, tags: Mapping[str, float], answers: Sequence[Answer]) -> Iterable[str]:
    if question.kind is Kind.SOME_OF:
        return question.answers
    if not (question.each or question.each_answer):
        return ("",)
    things = [t for t in tags if t in question.each]
    if question.unless_any:
        there = tags.keys()
        things = [t for t in things if not any(fill(x, {"object": t}) in there for x in question.unless_any)]
    things += [
        a.object or a.tag for a in answers if a.question in question.each_answer and a.tag and _positive(a)
    ]
    return dict.fromkeys(things)


def _positive(answer: Answer) -> bool:
    sure = answer.probability is None or answer.probability >= POSITIVE
    return (
        sure
        and answer.answer not in ("", "no", "0", colors.NONE)
        and (answer.answer == YES or bool(answer.tag))
    )


def colorless(answer: Answer) -> bool:
    """Whether a color question said that the thing is not there. A "none" to a user's own question ("What is in the
    cup?") says nothing of the cup."""
    return answer.question == COLOR and bool(answer.object) and answer.answer == colors.NONE


def settle(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Resolve contradictions between answers before they become tags.

    A thing found by a yes/no question (furniture, a door) is dropped when its color answer says there is
    none; so is a count of it.
    """
    denied = {
        a.object for a in answers if colorless(a) and (a.probability is None or a.probability >= POSITIVE)
    }
    if not denied:
        return tuple(answers)
    return tuple(
        Answer(a.question, a.object, a.answer, a.raw, a.probability, "")
        if (a.object or a.tag) in denied and a.tag
        else a
        for a in answers
    )
