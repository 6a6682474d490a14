"""Slips of the pen in a cast's texts that would make another picture than was meant."""

from __future__ import annotations

from collections.abc import Iterator

from lib_extend.generation import syntax
from lib_extend.generation.cast import Cast
from lib_extend.generation.value_checks import FieldError

_FELLOW = {"(": ")", "[": "]", "{": "}", ")": "(", "]": "[", "}": "{"}
_SHOWN = 30


def find(cast: Cast) -> list[FieldError]:
    """What is wrong with a cast's texts, one error a field."""
    return [error for field, text in _fields(cast) if (error := _bracket(field, text)) is not None]


def _bracket(field: str, text: str) -> FieldError | None:
    """A bracket without its fellow in a tag that has words; in a face (`:(`) it is a letter like any other."""
    for piece in syntax.pieces(text):
        alone = syntax.lone_brackets(piece.text)
        if alone and syntax.WORD.search(piece.text):
            sign = piece.text[alone[0]]
            tag = piece.text if len(piece.text) <= _SHOWN else f"{piece.text[:_SHOWN]}…"
            return FieldError(
                field,
                f"has a {sign} without its {_FELLOW[sign]} in “{tag}”: add it, or write \\{sign} for the sign itself",
            )
    return None


def _fields(cast: Cast) -> Iterator[tuple[str, str]]:
    for i, character in enumerate(cast.characters):
        yield f"characters[{i}].prompt", character.prompt
        yield f"characters[{i}].negative", character.negative
    yield "common", cast.common
    yield "scene", cast.scene
    yield "negative", cast.negative
