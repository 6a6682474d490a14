"""Question files: TOML with one `[[question]]` table a question."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError
from lib_extend.files.scan import show
from lib_extend.questions.own import from_line, from_tables, line_numbers
from lib_extend.questions.records import Kind, Question


def own_questions(
    files: Sequence[str], lines: Sequence[str], known: Sequence[Question]
) -> tuple[Question, ...]:
    """The questions of `files` (TOML) and of `lines` (see `own.from_line`), after the `known` ones.

    Raises:
        UserError: naming the file and the line.
    """
    result = list(known)
    for name in files:
        result += _read(Path(name).expanduser(), result)
    for number, line in enumerate(lines, 1):
        result.append(from_line(line, number))
    return tuple(result)


def _read(file: Path, known: Sequence[Question]) -> tuple[Question, ...]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        reason = e.strerror if isinstance(e, OSError) else "it is not UTF-8 text"
        raise UserError(f"The question file {show(str(file))} cannot be read ({reason}).") from None
    return questions_of_text(text, show(file.name), known)


def questions_of_text(text: str, name: str, known: Sequence[Question]) -> tuple[Question, ...]:
    """The questions of a question file's `text`; `name` is what messages call it.

    Raises:
        UserError: naming the line.
    """
    try:
        data = _parse(text)
    except ValueError as e:
        raise UserError(f"{name} is not TOML: {e}.") from None
    tables = data.get("question", [])
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables) or not tables:
        raise UserError(f"{name} holds no [[question]] table.")
    lines = line_numbers(text)
    places = [
        f"{name}, line {lines[i]}" if i < len(lines) else f"{name}, question {i + 1}"
        for i in range(len(tables))
    ]
    return from_tables(tables, places, known)


def toml_of(question: Question) -> str:
    """The question as the text of a question file; read again, it is the same."""
    lines = ["[[question]]"]
    for field in dataclasses.fields(question):
        value = getattr(question, field.name)
        if isinstance(value, tuple):
            text = f"[{', '.join(map(_quoted, value))}]"
        else:
            text = _quoted(value.value if isinstance(value, Kind) else str(value))
        if value not in ("", (), False):
            lines.append(f"{field.name} = {text}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's, but for the one character that JSON leaves as it is
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _parse(text: str) -> dict[str, Any]:
    """Python 3.11 reads TOML itself; before that tomlkit does (a WebUI may have only one of the two)."""
    for module in ("tomllib", "tomlkit", "tomli"):
        try:
            loads = importlib.import_module(module).loads
        except ModuleNotFoundError:
            continue
        parsed = loads(text)
        plain: dict[str, Any] = parsed.unwrap() if hasattr(parsed, "unwrap") else parsed
        return plain
    raise UserError("Reading a question file needs tomlkit on this Python: pip install tomlkit.")
