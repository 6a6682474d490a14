"""Question files: TOML with one `[[question]]` table a question."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError
from lib_extend.files.scan import show
from lib_extend.questions.own import MOST_QUESTIONS, from_line, from_tables, line_numbers
from lib_extend.questions.question import Kind, Question

MAX_BYTES = 1_000_000
"""Bytes of a question file, at the most."""
DEEPEST = 20
"""Brackets within one another, at the most."""
# strings and comments first: a bracket inside them does not count
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' + r"'''.*?'''" + r'|"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|#[^\n]*|[\[\]{}\n]",
    re.DOTALL,
)

_KEY = r"""(?:[A-Za-z0-9_-]{1,200}|"[^"\n]{0,200}"|'[^'\n]{0,200}')"""
_MANY_PARTS = re.compile(
    rf"(?:^[ \t]*\[{{0,2}}|[{{,])[ \t]*{_KEY}(?:[ \t]*\.[ \t]*{_KEY}){{{DEEPEST}}}", re.MULTILINE
)
"""A dotted key of more than `DEEPEST` parts: readers take the square of their number."""


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
    shown = show(str(file))
    try:
        # reading a pipe or a device might never end
        size = file.stat().st_size if file.is_file() else (-1 if file.exists() else file.stat().st_size)
        if size < 0:
            raise UserError(
                f"The question file {shown} is no ordinary file: name one with [[question]] tables."
            )
        if size > MAX_BYTES:
            raise UserError(
                f"The question file {shown} is too large ({size:,} bytes; {MAX_BYTES:,} are the most): split it."
            )
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as e:
        reason = e.strerror if isinstance(e, OSError) else "it is not UTF-8 text"
        raise UserError(f"The question file {shown} cannot be read ({reason}).") from None
    return questions_of_text(text, show(file.name), known)


def questions_of_text(text: str, name: str, known: Sequence[Question]) -> tuple[Question, ...]:
    """The questions of a question file's `text`; `name` is what messages call it.

    Raises:
        UserError: naming the line.
    """
    deep = _too_deep(text)
    if deep:
        raise UserError(f"{name}, line {deep}: brackets go {DEEPEST} deep at the most.")
    dotted = _MANY_PARTS.search(text)
    if dotted:
        line = text.count("\n", 0, dotted.end()) + 1
        raise UserError(f"{name}, line {line}: a key has {DEEPEST} parts at the most.")
    try:
        data = _parse(text)
    except ValueError as e:
        raise UserError(f"{name} is not TOML: {show(str(e))}.") from None
    except RecursionError:
        raise UserError(f"{name} is nested too deep: write [[question]] tables only.") from None
    tables = data.get("question", [])
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables) or not tables:
        raise UserError(f"{name} holds no [[question]] table.")
    if len(tables) > MOST_QUESTIONS:
        raise UserError(f"{name} holds {len(tables):,} questions: {MOST_QUESTIONS} are the most.")
    lines = line_numbers(text)
    places = [
        f"{name}, line {lines[i]}" if i < len(lines) else f"{name}, question {i + 1}"
        for i in range(len(tables))
    ]
    return from_tables(tables, places, known)


def _too_deep(text: str) -> int:
    """The line where brackets are nested too deeply for a recursive parser, 0 for none."""
    depth, line = 0, 1
    for token in _TOKEN.finditer(text):
        piece = token[0]
        if piece in "[{":
            depth += 1
            if depth > DEEPEST:
                return line
        elif piece in "]}":
            depth = max(0, depth - 1)
        else:
            line += piece.count("\n")
    return 0


def toml_of(question: Question) -> str:
    """The question as the text of a question file; reading the text gives the same question."""
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
    # JSON's escapes are valid in TOML, except for one character that JSON does not escape
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _parse(text: str) -> dict[str, Any]:
    """Python 3.11 reads TOML itself; before that tomlkit does (a WebUI may have only one of them)."""
    for module in ("tomllib", "tomlkit", "tomli"):
        try:
            loads = importlib.import_module(module).loads
        except ModuleNotFoundError:
            continue
        parsed = loads(text)
        plain: dict[str, Any] = parsed.unwrap() if hasattr(parsed, "unwrap") else parsed
        return plain
    raise UserError("Reading a question file needs tomlkit on this Python: pip install tomlkit.")
