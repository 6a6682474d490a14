"""Find typing errors in a cast's texts that would change the picture."""

from __future__ import annotations

from collections.abc import Iterator

from lib_extend.generation import syntax
from lib_extend.generation.cast import Cast
from lib_extend.generation.value_checks import FieldError

_FELLOW = {"(": ")", "[": "]", "{": "}", ")": "(", "]": "[", "}": "{"}
_SHOWN = 30


def find(cast: Cast) -> list[FieldError]:
    """The errors in a cast's texts, at most one for each field."""
    return [error for field, text in _fields(cast) if (error := _bracket(field, text)) is not None]


def _bracket(field: str, text: str) -> FieldError | None:
    """An unpaired bracket in a tag with words; in a face (`:(`) a bracket is an ordinary character."""
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
