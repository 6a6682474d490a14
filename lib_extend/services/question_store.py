"""The user's own questions, written in the page: one TOML file each in the data folder, as `--question-file` reads them."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib_extend.datasets.question_files import questions_of_text, toml_of
from lib_extend.errors import ConflictError, UserError
from lib_extend.files.named_files import RESERVED, FileFormat, NamedFiles
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.own import from_tables
from lib_extend.questions.question import Question
from lib_extend.services import messages
from lib_extend.services.question_rows import question_row

FIELDS = ("kind", "ask", "when", "unless", "each", "answers", "tag")
"""What the page lets one write, beside the name. Others that stand in a file are kept."""
MOST = 500
_NAME = re.compile(r"[a-z0-9_]{1,64}")


class QuestionStore:
    """The questions in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        format: FileFormat[Question] = FileFormat("question", ".toml", _write, _read, _clean)
        self._files = NamedFiles(folder, format)

    def all(self) -> list[dict[str, Any]]:
        """Each with its fields (see `row`), by name; `problem` where its file cannot be used."""
        return [
            {"name": name, "file": str(self._files.path(name)), "problem": str(found)}
            if isinstance(found, UserError)
            else self.row(found)
            for name, found in self._files.all()
        ]

    def row(self, question: Question) -> dict[str, Any]:
        """A question as JSON values, with the `file` that the setting `question_file` names."""
        return {
            **question_row(question),
            "unless": list(question.unless),
            "each": list(question.each),
            "answers": list(question.answers),
            "file": str(self._files.path(question.name)),
        }

    def put(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Save a question, replacing one of that name. Raises UserError naming the field."""
        known = {n for n, _ in self._files.all()}
        if _clean(name) not in known and len(known) >= MOST:
            raise messages.BOUNDS.error(ConflictError, name="questions", low=0, high=MOST)
        kept: dict[str, Any] = {}
        with contextlib.suppress(UserError):  # there is none, or a damaged one, which is written anew
            kept = _values(self._files.load(name))
        given = {k: v for k, v in values.items() if k in FIELDS and v not in ("", [], None)}
        table = {"name": name, **{k: v for k, v in kept.items() if k not in (*FIELDS, "name")}, **given}
        (question,) = from_tables([table], [messages.THE_QUESTION], BUILTIN)
        self._files.save(name, question, overwrite=True)
        return self.row(question)

    def delete(self, name: str) -> None:
        """Remove a question. Raises NotFoundError."""
        self._files.delete(name)


def _write(name: str, question: Question) -> str:
    return toml_of(question)


def _read(text: str, stem: str) -> tuple[str, Question]:
    found = questions_of_text(text, f"{stem}.toml", BUILTIN)
    if len(found) != 1 or found[0].name != stem:
        raise ValueError(f"should hold one question called {stem!r}; rename it, or the question")
    return stem, found[0]


def _clean(name: str) -> str:
    if not _NAME.fullmatch(name) or RESERVED.fullmatch(name):
        raise messages.QUESTION_NAME.error(field="name")
    return name


def _values(question: Question) -> dict[str, Any]:
    """The fields of a question that say something, as a table holds them."""
    values = {f.name: getattr(question, f.name) for f in dataclasses.fields(question)}
    return {
        k: list(v) if isinstance(v, tuple) else v.value if k == "kind" else v
        for k, v in values.items()
        if v not in ("", (), False)
    }
