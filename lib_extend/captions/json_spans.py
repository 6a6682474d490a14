"""Where the values of a JSON object stand in its text: what is there can be read and kept to the letter."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
Path = tuple["str | int", ...]


@dataclass(frozen=True)
class Value:
    """One value that is no object and no list.

    Attributes:
        path: its keys and places, from the outside. start, end: where it stands; of a text without its quotes.
        is_text: it is a text.
    """

    path: Path
    start: int
    end: int
    is_text: bool


@dataclass(frozen=True)
class Member:
    """One member of the outermost object, with its key: `"note": "mine"`."""

    key: str
    start: int
    end: int


def loaded(text: str) -> dict[str, Any] | None:
    """The object that a text is; None where it is none."""
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}")):
        return None
    try:
        data = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def spans(text: str) -> tuple[list[Value], list[Member]]:
    """The values and the outermost members of a valid JSON object, in the text's order."""
    values: list[Value] = []
    members: list[Member] = []
    path: list[str | int] = []
    opened: list[str] = []
    key: tuple[str, int] | None = None
    wants_key = False
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in "{[":
            opened.append(sign)
            path.append("" if sign == "{" else 0)
            wants_key = sign == "{"
        elif sign in "}]":
            opened.pop()
            path.pop()
            if len(opened) == 1 and key is not None:
                members.append(Member(key[0], key[1], token.end()))
        elif sign == ",":
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
            wants_key = opened[-1] == "{"
        elif sign == ":":
            wants_key = False
        elif wants_key:
            path[-1] = json.loads(sign)
            wants_key = False
            if len(opened) == 1:
                key = str(path[-1]), token.start()
        else:
            quoted = sign[0] == '"'
            start, end = (token.start() + 1, token.end() - 1) if quoted else token.span()
            values.append(Value(tuple(path), start, end, quoted))
            if len(opened) == 1 and key is not None:
                members.append(Member(key[0], key[1], token.end()))
    return values, members


def unescaped(text: str) -> str:
    """What a part of a JSON text says."""
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def escaped(text: str) -> str:
    """The same text inside a JSON text."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
