"""Things that a user names and keeps: presets, questions, characters, casts; one readable file each in one folder.

    store = NamedFiles(folder, FileFormat("preset", ".json", write, read, clean))
    store.save("mine", preset)
    store.names()

A file's name is made from the thing's name: it is valid on every system, two names never share a file, and no name
leads out of the folder. Names that differ only in upper and lower case are the same name, because some disks treat them
so.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from lib_extend.errors import (
    ConflictError,
    DamagedFileError,
    NotFoundError,
    StorageError,
    UserError,
)
from lib_extend.files.atomic_writing import write_text

MAX_BYTES = 1_000_000
"""Bytes of a file that is read, at the most."""
_LONGEST = 150
"""Bytes of a file name; the shortest limit of a common system is 255, and ours need room for temporary ones."""
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%]')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices."""

T = TypeVar("T")


@dataclass(frozen=True)
class FileFormat(Generic[T]):
    """How a thing of one kind is stored in a file.

    Attributes:
        word: what one is called in messages.
        suffix: the file name's ending, with its dot.
        write: the file's text from a name and a thing.
        read: name and thing from a file's text and its name without ending. Raises UserError or ValueError with what is
            wrong, as words that follow the file's name ("is not JSON").
        clean: the name in the form that is stored. Raises UserError for an invalid name.
        name_inside: whether the name stands in the file, so that it may be any text and a person may rename the file.
            Else the name is the file name, and `clean` must allow only names that are valid file names on every system.
            A damaged file can then be replaced and deleted by its name.
    """

    word: str
    suffix: str
    write: Callable[[str, T], str]
    read: Callable[[str, str], tuple[str, T]]
    clean: Callable[[str], str]
    name_inside: bool = False


class NamedFiles(Generic[T]):
    """Things of one kind in one folder. The folder may not exist yet."""

    def __init__(self, folder: Path, format: FileFormat[T]) -> None:
        self.folder = folder
        self._format = format

    def names(self) -> list[str]:
        """The names of all that can be read, in order."""
        return [name for name, thing in self.all() if not isinstance(thing, UserError)]

    def all(self) -> list[tuple[str, T | UserError]]:
        """Name and thing of each file, by name; the error where a file cannot be used."""
        things: dict[str, T | UserError] = {}
        damaged: list[tuple[str, T | UserError]] = []
        for path in self._files():
            try:
                name, thing = self._read(path)
                things[name] = thing
            except UserError as error:
                damaged.append((self._stem(path), error))
        return sorted([*things.items(), *damaged], key=lambda row: (row[0].casefold(), row[0]))

    def problems(self) -> list[str]:
        """A sentence for every file that cannot be used."""
        return [str(found) for _, found in self.all() if isinstance(found, UserError)]

    def load(self, name: str) -> T:
        """What is saved under a name.

        Raises:
            NotFoundError: nothing has this name. DamagedFileError: the file cannot be used. UserError: the name is
            invalid.
        """
        path = self._find(self._format.clean(name))
        if path is None:
            known = ", ".join(self.names()[:20]) or "nothing yet"
            raise NotFoundError(
                f"There is no saved {self._format.word} called {name}; there is: {known}.",
                code="nothing_saved",
                field="name",
                name=name,
            )
        return self._read(path)[1]

    def save(self, name: str, thing: T, *, overwrite: bool = False) -> Path:
        """Save under a name; returns the file.

        Raises:
            ConflictError: the name is taken and `overwrite` is false. UserError: the name is invalid. StorageError: the
            disk failed.
        """
        name = self._format.clean(name)
        old = self._find(name)
        if old is not None and not overwrite:
            raise ConflictError(
                f"There is a saved {self._format.word} called {name} already: choose another name, or replace it.",
                code="name_taken",
                field="name",
                name=name,
            )
        path = old or self.path(name)
        if old is None and path.exists():
            # the file is damaged, or this disk treats its name as the same: do not replace it
            path = path.with_name(f"{path.stem}%{secrets.token_hex(4)}{self._format.suffix}")
        try:
            write_text(path, self._format.write(name, thing))
        except OSError as error:
            raise StorageError(
                f"{_shown(path)} cannot be written ({error.strerror}): check the disk and the folder."
            ) from None
        return path

    def add(self, name: str, thing: T) -> str:
        """Save under a name that is free: "mine", else "mine 2", "mine 3" …; returns it."""
        name = self._format.clean(name)
        free, number = name, 2
        while self._find(free) is not None:
            free, number = self._format.clean(f"{name} {number}"), number + 1
        self.save(free, thing)
        return free

    def delete(self, name: str) -> None:
        """Delete what is saved under a name. Raises NotFoundError when nothing is, StorageError."""
        path = self._find(self._format.clean(name))
        if path is None:
            raise NotFoundError(
                f"There is no saved {self._format.word} called {name}.",
                code="nothing_saved",
                field="name",
                name=name,
            )
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{_shown(path)} cannot be deleted ({error.strerror}).") from None

    def path(self, name: str) -> Path:
        """The file that a new thing of this name gets."""
        if self._format.name_inside:
            return self.folder / file_name(name, self._format.suffix)
        if os.path.basename(name) != name:
            raise UserError(f"{name!r} is no name.", field="name")
        return self.folder / f"{name}{self._format.suffix}"

    def _files(self) -> list[Path]:
        try:
            with os.scandir(self.folder) as entries:  # reading a pipe may never end
                names = sorted(e.name for e in entries if e.is_file())
        except OSError:
            return []
        return [self.folder / n for n in names if n.endswith(self._format.suffix) and not n.startswith(".")]

    def _find(self, name: str) -> Path | None:
        wanted = _key(name)
        path = self.path(name)
        # a file that the user renamed is found by what it says
        for candidate in (*([path] if path.is_file() else []), *self._files()):
            try:
                found = self._read(candidate)[0]
            except UserError:
                if self._format.name_inside:
                    continue
                found = self._stem(candidate)
            if _key(found) == wanted:
                return candidate
        return None

    def _stem(self, path: Path) -> str:
        return path.name.removesuffix(self._format.suffix)

    def _read(self, path: Path) -> tuple[str, T]:
        shown = _shown(path)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise DamagedFileError(f"{shown} cannot be read ({error.strerror}).") from None
        if len(data) > MAX_BYTES:
            raise DamagedFileError(f"{shown} is too large for a saved {self._format.word}: move it away.")
        try:
            text = data.decode("utf-8-sig")
        except ValueError:
            raise DamagedFileError(f"{shown} is not UTF-8 text: mend or delete it.") from None
        try:
            name, thing = self._format.read(text, self._stem(path))
            return self._format.clean(name), thing
        except (ValueError, RecursionError) as error:
            words = "is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise DamagedFileError(f"{shown} {words}: mend or delete it.") from None
        except UserError as error:
            raise DamagedFileError(f"{shown} cannot be used: {error}", field=error.field) from None


def file_name(name: str, suffix: str) -> str:
    """The file for a name: characters that no file name may have become `%2F` and the like; a long name ends in its
    hash."""
    safe = _UNSAFE.sub(lambda m: f"%{ord(m[0]):02X}", unicodedata.normalize("NFC", name))
    if safe[:1] == ".":
        safe = f"%2E{safe[1:]}"
    if safe[-1:] in (".", " "):
        safe = f"{safe[:-1]}%{ord(safe[-1]):02X}"
    if RESERVED.fullmatch(safe):
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    data = safe.encode("utf-8", "replace")
    if len(data) > _LONGEST:
        digest = hashlib.sha256(data).hexdigest()[:16]
        safe = f"{data[: _LONGEST - 17].decode('utf-8', 'ignore')}%{digest}"
    return safe + suffix


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _shown(path: Path) -> str:
    """The file with only the folder it is in: a remote user need not learn the full path."""
    return f"{path.parent.name}/{path.name}"
