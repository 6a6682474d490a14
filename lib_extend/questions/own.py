"""A user's own questions: from the tables of a TOML file, or from one line of text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lib_extend.errors import UserError
from lib_extend.questions.question import Kind, Question


class QuestionError(UserError):
    """A question that cannot be asked; `field` is the one of its fields that must be mended, "" for none."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


_FIELDS = {f.name for f in dataclasses.fields(Question)}
_LISTS = frozenset({"when", "unless", "each", "each_answer", "answers", "plain"})
_TEXTS = _FIELDS - _LISTS - {"kind"}
_NAME = re.compile(r"[a-z0-9_]+")
MOST_QUESTIONS = 500
"""Of one file."""
LONGEST_TEXT = 2000
"""Characters of one text, and of a question in one line."""
MOST_TEXTS = 1000
"""Of one list."""
_SHOWN = 60


def from_table(item: Mapping[str, Any], where: str) -> Question:
    """One question from a table of values.

    Args:
        item: the fields of `Question`; `kind` by its word; lists may be lists of texts or one text.
        where: what to call the place in a message ("own.toml, line 7").

    Raises:
        UserError: naming the place, what is wrong and what is allowed.
    """
    for name in item:
        if name not in _FIELDS:
            raise QuestionError(
                f"{where}: a question has no field {name!r}; the fields are {', '.join(sorted(_FIELDS))}.",
                name,
            )
    values: dict[str, Any] = {}
    for name, value in item.items():
        if name in _LISTS:
            values[name] = _names(name, value, where)
        elif not isinstance(value, str):
            raise QuestionError(f"{where}: {name} must be a text, not {value!r}.", name)
        else:
            values[name] = value.strip()
            if len(values[name]) > LONGEST_TEXT:
                raise QuestionError(f"{where}: {name} has at most {LONGEST_TEXT:,} characters.", name)
    for name in ("name", "ask"):
        if not values.get(name):
            raise QuestionError(f'{where}: the question needs {name} = "…".', name)
    if not _NAME.fullmatch(values["name"]):
        raise QuestionError(f"{where}: name is {values['name']!r}, but may hold a-z, 0-9 and _ only.", "name")
    kind = values.get("kind") or ("one_of" if values.get("answers") else "free")
    try:
        values["kind"] = Kind(kind)
    except ValueError:
        raise QuestionError(
            f"{where}: kind is {kind!r}, but must be one of: {', '.join(k.value for k in Kind)}.", "kind"
        ) from None
    question = Question(**values)
    _check(question, where)
    return question


def from_tables(
    items: Sequence[Mapping[str, Any]], places: Sequence[str], known: Sequence[Question]
) -> tuple[Question, ...]:
    """The questions of several tables, checked against each other and the `known` ones.

    Raises UserError for a name given twice, or an `after` / `each_answer` that names no question.
    """
    result: list[Question] = []
    names = {q.name for q in known}
    for item, where in zip(items, places, strict=True):
        question = from_table(item, where)
        if question.name in names:
            raise QuestionError(
                f"{where}: there is already a question called {question.name!r}: choose another name.", "name"
            )
        names.add(question.name)
        result.append(question)
    for question, where in zip(result, places, strict=True):
        for other in (*question.each_answer, *((question.after,) if question.after else ())):
            if other not in names:
                raise QuestionError(f"{where}: it follows {other!r}, but there is no such question.", "after")
    return tuple(result)


def from_line(text: str, number: int = 1) -> Question:
    """A question in one line: `TEXT`, `TEXT [answer, answer]`, `TEXT [yes] -> tag`, `TEXT -> tag with {answer}`.

    Without answers it takes free text; with `[yes]` it is a yes/no question. Raises UserError.
    """
    where = f"--question {text if len(text) <= _SHOWN else text[:_SHOWN] + '…'!r}"
    if len(text) > LONGEST_TEXT:
        raise UserError(f"{where} has {len(text):,} characters: {LONGEST_TEXT:,} are the most.")
    parts = _parts(text.strip())
    if parts is None:
        raise UserError(
            f"{where}: write it as TEXT [answer, answer] -> tag; answers and tag may be left out."
        )
    ask, listed, tag = parts
    answers = tuple(a.strip() for a in listed.split(",") if a.strip())
    item: dict[str, Any] = {"name": f"own_{number}", "ask": ask, "tag": tag or "{answer}"}
    if answers and {a.lower() for a in answers} <= {"yes", "no"}:
        if not tag:
            raise UserError(f"{where}: say what a yes means, for example [yes] -> rain.")
        item["kind"] = "yes_no"
    elif answers:
        item |= {"kind": "one_of", "answers": [a.lower().replace(" ", "_") for a in answers]}
    else:
        item["kind"] = "free"
    return from_table(item, where)


def _parts(text: str) -> tuple[str, str, str] | None:
    """What is asked, the answers and the tag of a question in one line; None when it is none."""
    arrow, bracket = text.find("->", 1), text.find("[")
    if arrow > 0 and (bracket < 0 or arrow < bracket) and "]" not in text[:arrow]:
        ask, listed, rest = text[:arrow], "", text[arrow:]
        if not rest[2:].strip() or "\n" in rest[2:].strip():
            ask, rest = text, ""
    elif bracket >= 0:
        ask, (listed, closed, rest) = text[:bracket], text[bracket + 1 :].partition("]")
        if not closed or "[" in listed:
            return None
    else:
        ask, listed, rest = text, "", ""
    rest = rest.strip()
    tag = rest.removeprefix("->").strip()
    if not ask.strip() or set(ask) & set("[]") or "\n" in tag or (rest and (tag == rest or not tag)):
        return None
    return ask.strip(), listed, tag


def line_numbers(text: str, table: str = "question") -> list[int]:
    """The line (from 1) of each `[[question]]` in a TOML text, for messages."""
    header = re.compile(rf"\s*\[\[\s*{table}\s*\]\]")
    return [i for i, line in enumerate(text.splitlines(), 1) if header.match(line)]


def _names(field: str, value: Any, where: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(i, str) and i.strip() for i in items):
        raise QuestionError(f"{where}: {field} must be a list of texts, not {value!r}.", field)
    if len(items) > MOST_TEXTS or any(len(i) > LONGEST_TEXT for i in items):
        raise QuestionError(
            f"{where}: {field} has at most {MOST_TEXTS:,} texts of {LONGEST_TEXT:,} characters.", field
        )
    return tuple(str(i).strip().replace(" ", "_") for i in items)


def _check(question: Question, where: str) -> None:
    if question.kind in (Kind.ONE_OF, Kind.SOME_OF) and len(question.answers) < (
        2 if question.kind is Kind.ONE_OF else 1
    ):
        raise QuestionError(
            f'{where}: a {question.kind.value} question needs answers = ["…", "…"].', "answers"
        )
    about_things = bool(question.each or question.each_answer)
    if question.kind in (Kind.COUNT, Kind.COLOR) and not about_things:
        raise QuestionError(
            f'{where}: a {question.kind.value} question needs each = ["…"]: the objects it is put to.', "each"
        )
    allowed = {"object", "objects"} if about_things else set()
    if question.kind is Kind.SOME_OF:
        allowed.add("answer")
    for field, template, fields in (
        ("ask", question.ask, allowed),
        ("rephrased", question.rephrased, allowed),
        ("tag", question.tag, allowed | {"answer"}),
    ):
        for name in re.findall(r"\{(\w*)\}", template):
            if name not in fields:
                known = ", ".join(f"{{{f}}}" for f in sorted(fields)) or "none here"
                raise QuestionError(
                    f"{where}: {{{name}}} stands for nothing in {field} = {template!r}; what may stand there: {known}.",
                    field,
                )
