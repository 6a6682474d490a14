"""Characters and casts kept as files that the user owns: one readable JSON file each.

    library = Library(folder)
    library.characters.save("Ann", character)
    library.casts.names()

A name may be anything a person writes; its file name is made from it so that every system takes it and two
names never share a file. Names are the same that differ in upper and lower case only, as some disks see them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from lib_extend.errors import StorageError, UserError
from lib_extend.generation import checks
from lib_extend.generation.cast import MAX_NAME, Cast, Character

SUFFIX = ".json"
MAX_BYTES = 1_000_000
_LONGEST = 150
"""Bytes of a file name; the shortest limit of a common system is 255, and ours need room for temporary ones."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class _Json(Protocol):
    def to_json(self, *, brief: bool = False) -> dict[str, Any]: ...


T = TypeVar("T", bound=_Json)


class Shelf(Generic[T]):
    """Things of one kind in one folder."""

    def __init__(self, folder: Path, kind: str, from_json: Callable[[Any], T]) -> None:
        """`kind`: what the thing is called in messages and in its file."""
        self.folder = folder
        self._kind = kind
        self._from_json = from_json

    def names(self) -> list[str]:
        """All names in order; files that are none of ours, or broken, have none."""
        found = []
        for path in self._files():
            with contextlib.suppress(UserError):
                found.append(self._read(path)[0])
        return sorted(set(found), key=lambda n: (n.casefold(), n))

    def problems(self) -> list[str]:
        """A sentence for every file that cannot be used."""
        found = []
        for path in self._files():
            try:
                self._read(path)
            except UserError as e:
                found.append(str(e))
        return found

    def load(self, name: str) -> T:
        """What is saved under a name. Raises UserError: nothing is, or the file cannot be used."""
        path = self._find(name)
        if path is None:
            known = ", ".join(self.names()[:20]) or "nothing yet"
            raise UserError(f"There is no saved {self._kind} called {name}; there is: {known}.")
        return self._read(path)[1]

    def save(self, name: str, thing: T, *, overwrite: bool = False) -> Path:
        """Saves under a name; returns the file.

        Raises:
            UserError: the name is taken and `overwrite` not given, or it is no name. StorageError: the disk.
        """
        name = _clean(name)
        old = self._find(name)
        if old is not None and not overwrite:
            raise UserError(
                f"There is a saved {self._kind} called {name} already: choose another name, or replace it."
            )
        data = {"kind": self._kind, "name": name, self._kind: thing.to_json()}
        path = old or self.folder / file_name(name)
        if old is None and path.exists():
            # broken, or of a name that this disk takes for the same: it is not ours to replace
            path = path.with_name(f"{path.stem}%{secrets.token_hex(4)}{SUFFIX}")
        _write(path, json.dumps(data, ensure_ascii=False, indent=2) + "\n")
        return path

    def delete(self, name: str) -> None:
        """Deletes what is saved under a name. Raises UserError when nothing is."""
        path = self._find(name)
        if path is None:
            raise UserError(f"There is no saved {self._kind} called {name}.")
        try:
            path.unlink(missing_ok=True)
        except OSError as e:
            raise UserError(f"{path} cannot be deleted ({e.strerror}).") from None

    def _files(self) -> list[Path]:
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        return [self.folder / n for n in sorted(names) if n.endswith(SUFFIX) and not n.startswith(".")]

    def _find(self, name: str) -> Path | None:
        wanted = _key(_clean(name))
        path = self.folder / file_name(_clean(name))
        # A file that the user renamed is found by what it says.
        for candidate in (*([path] if path.is_file() else []), *self._files()):
            with contextlib.suppress(UserError):
                if _key(self._read(candidate)[0]) == wanted:
                    return candidate
        return None

    def _read(self, path: Path) -> tuple[str, T]:
        try:
            if path.stat().st_size > MAX_BYTES:
                raise UserError(f"{path} is too large for a saved {self._kind}: move it away.")
            data = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as e:
            raise UserError(f"{path} cannot be read ({e.strerror}).") from None
        except (ValueError, RecursionError):
            raise UserError(f"{path} is not JSON: mend or delete it.") from None
        if not isinstance(data, dict) or data.get("kind") != self._kind:
            raise UserError(f"{path} is not a saved {self._kind}: move it away.")
        try:
            # A person may have copied the file and changed its name only: then that is the name.
            name = data.get("name")
            return _clean(name if isinstance(name, str) and name.strip() else path.stem), self._from_json(
                data.get(self._kind)
            )
        except checks.FieldError as e:
            raise UserError(f"{path} cannot be used: {e}") from None


class Library:
    """The user's characters and casts."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not be there yet."""
        self.characters: Shelf[Character] = Shelf(folder / "characters", "character", Character.from_json)
        self.casts: Shelf[Cast] = Shelf(folder / "casts", "cast", Cast.from_json)


def file_name(name: str) -> str:
    """The file for a name: as it is where it can be, `%2F` for what cannot; a long one ends in its hash."""
    safe = _UNSAFE.sub(lambda m: f"%{ord(m[0]):02X}", unicodedata.normalize("NFC", name))
    if safe[:1] == ".":
        safe = f"%2E{safe[1:]}"
    if safe[-1:] in (".", " "):
        safe = f"{safe[:-1]}%{ord(safe[-1]):02X}"
    if _RESERVED.fullmatch(safe):
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    data = safe.encode("utf-8", "replace")
    if len(data) > _LONGEST:
        digest = hashlib.sha256(data).hexdigest()[:16]
        safe = f"{data[: _LONGEST - 17].decode('utf-8', 'ignore')}%{digest}"
    return safe + SUFFIX


def _clean(name: str) -> str:
    try:
        clean = checks.text("name", name, MAX_NAME, lines=False)
    except checks.FieldError as e:
        raise UserError(f"The {e}") from None
    if not clean:
        raise UserError("The name is empty: write one.")
    return unicodedata.normalize("NFC", clean)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _write(path: Path, text: str) -> None:
    """The whole file or the old one."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
    except OSError as e:
        raise StorageError(
            f"{path} cannot be written ({e.strerror}): check the disk and the folder."
        ) from None
