"""Characters and casts kept as files that the user owns: one readable JSON file each.

library = Library(folder)
library.characters.save("Ann", character)
library.casts.names()
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lib_extend.errors import UserError
from lib_extend.files.named_files import FileFormat, NamedFiles
from lib_extend.generation import value_checks as checks
from lib_extend.generation.cast import Cast, Character
from lib_extend.generation.cast_lora import MAX_NAME


class _Json(Protocol):
    def to_json(self, *, brief: bool = False) -> dict[str, Any]: ...


T = TypeVar("T", bound=_Json)


class Library:
    """The user's characters and casts."""

    def __init__(self, folder: Path) -> None:
        """`folder` may not exist yet."""
        self.characters: NamedFiles[Character] = NamedFiles(
            folder / "characters", _format("character", Character.from_json)
        )
        self.casts: NamedFiles[Cast] = NamedFiles(folder / "casts", _format("cast", Cast.from_json))


def _format(kind: str, from_json: Callable[[Any], T]) -> FileFormat[T]:
    """The JSON file of a kind of thing: `kind` says which, `name` how it is called; a file without one by its file's."""

    def write(name: str, thing: T) -> str:
        data = {"kind": kind, "name": name, kind: thing.to_json()}
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"

    def read(text: str, stem: str) -> tuple[str, T]:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("is not JSON") from None
        if not isinstance(data, dict) or data.get("kind") != kind:
            raise ValueError(f"is not a saved {kind}")
        # a person may have copied the file and changed only its file name: then the file name is the name
        name = data.get("name")
        return name if isinstance(name, str) and name.strip() else stem, from_json(data.get(kind))

    return FileFormat(kind, ".json", write, read, _clean, name_inside=True)


def _clean(name: str) -> str:
    try:
        clean = checks.text("name", name, MAX_NAME, lines=False)
    except checks.FieldError as e:
        raise UserError(f"The {e}", field="name") from None
    if not clean:
        raise UserError("The name is empty: write one.", field="name")
    return unicodedata.normalize("NFC", clean)
