"""The user's own questions, written in the page: one TOML file each in the data folder, as `--question-file` reads them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib_extend.api import texts
from lib_extend.api.contents import write_text
from lib_extend.api.errors import ApiError, bad, missing
from lib_extend.api.presets import RESERVED
from lib_extend.api.settings import question_row
from lib_extend.datasets.question_files import questions_of_text, toml_of
from lib_extend.errors import UserError
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.own import from_tables
from lib_extend.questions.records import Question

FIELDS = ("kind", "ask", "when", "unless", "each", "answers", "tag")
"""What the page lets one write, beside the name. Others that stand in a file are kept."""
MOST = 500
_NAME = re.compile(r"[a-z0-9_]{1,64}")
_SUFFIX = ".toml"
_LARGEST = 1_000_000


class OwnQuestions:
    """The questions in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[dict[str, Any]]:
        """Each with its fields (see `row`), by name; `problem` where its file cannot be read."""
        rows = []
        for name in self._names():
            try:
                rows.append(self.row(self._read(name)))
            except UserError as error:
                rows.append({"name": name, "file": str(self._file(name)), "problem": str(error)})
        return rows

    def row(self, question: Question) -> dict[str, Any]:
        """A question as JSON values, with the `file` that the setting `question_file` names."""
        return {
            **question_row(question),
            "unless": list(question.unless),
            "each": list(question.each),
            "answers": list(question.answers),
            "file": str(self._file(question.name)),
        }

    def put(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Save a question, replacing one of that name. Raises ApiError naming the field."""
        file = self._file(name)
        names = self._names()
        if name not in names and len(names) >= MOST:
            raise bad(texts.BOUNDS.format(name="questions", low=0, high=MOST))
        kept: dict[str, Any] = {}
        if name in names:
            with contextlib.suppress(UserError):  # a damaged one is written anew
                kept = _values(self._read(name))
        given = {k: v for k, v in values.items() if k in FIELDS and v not in ("", [], None)}
        table = {"name": name, **{k: v for k, v in kept.items() if k not in (*FIELDS, "name")}, **given}
        (question,) = from_tables([table], [texts.THE_QUESTION], BUILTIN)
        try:
            write_text(file, toml_of(question))
        except OSError as error:
            raise ApiError(507, f"{file} cannot be written ({error.strerror}).") from None
        return self.row(question)

    def delete(self, name: str) -> None:
        """Remove a question. Raises ApiError (404)."""
        try:
            self._file(name).unlink()
        except FileNotFoundError:
            raise missing(texts.NO_QUESTION.format(name=name), "name") from None
        except OSError as error:
            raise ApiError(507, f"The question {name!r} cannot be deleted ({error.strerror}).") from None

    def _read(self, name: str) -> Question:
        file = self._file(name)
        try:
            if file.stat().st_size > _LARGEST:
                raise UserError(f"{file.name} is too large for a question.")
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise UserError(f"{file.name} cannot be read ({reason}).") from None
        found = questions_of_text(text, file.name, BUILTIN)
        if len(found) != 1 or found[0].name != name:
            raise UserError(
                f"{file.name} should hold one question called {name!r}: rename it, or the question."
            )
        return found[0]

    def _names(self) -> list[str]:
        try:
            files = sorted(os.listdir(self.folder))
        except OSError:
            return []
        stems = [f[: -len(_SUFFIX)] for f in files if f.endswith(_SUFFIX)]
        return [s for s in stems if _NAME.fullmatch(s)]

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or RESERVED.fullmatch(name):
            raise bad(texts.QUESTION_NAME, "name")
        return self.folder / f"{name}{_SUFFIX}"


def _values(question: Question) -> dict[str, Any]:
    """The fields of a question that say something, as a table holds them."""
    values = {f.name: getattr(question, f.name) for f in dataclasses.fields(question)}
    return {
        k: list(v) if isinstance(v, tuple) else v.value if k == "kind" else v
        for k, v in values.items()
        if v not in ("", (), False)
    }
