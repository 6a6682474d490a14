"""Questions as JSON values, and checks of a user's own questions."""

from __future__ import annotations

from typing import Any

from lib_extend.datasets.question_files import questions_of_text
from lib_extend.questions.answer_reading import choices
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.own import from_line
from lib_extend.questions.question import Kind, Question
from lib_extend.services import messages


def question_row(question: Question) -> dict[str, Any]:
    """One question as JSON values. `allowed`: what may be answered; [] for free text."""
    return {
        "name": question.name,
        "selected_by": question.selected_by,
        "ask": question.ask,
        "kind": question.kind.value,
        "tag": question.tag,
        "when": list(question.when),
        "after": question.after,
        "of_person": question.of_person,
        "allowed": allowed(question),
    }


def allowed(question: Question) -> list[str]:
    """The answers a question may have, by name; [] for free text."""
    if question.kind is Kind.ONE_OF:
        return list(question.answers)
    return [c[0] for c in choices(question)]


def check_questions(text: str | None, toml: str | None) -> list[dict[str, Any]]:
    """The questions of one line of text or of a TOML file's text. Raises UserError naming the line."""
    if (text is None) == (toml is None):
        raise messages.NO_QUESTION_TEXT.error()
    if text is not None:
        return [question_row(from_line(text))]
    return [question_row(q) for q in questions_of_text(toml or "", "The text", BUILTIN)]
