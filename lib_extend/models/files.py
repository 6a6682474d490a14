"""The files of one model, in a user's folder or in several places of the download cache.

Standard library only.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.errors import ModelError
from lib_extend.files.downloading import sha256

_SHA256 = re.compile(r"[0-9a-f]{64}")
_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class ModelFiles:
    """Files by their base name.

    Attributes:
        label: what to call them in a message: the folder's path or the model's name.
        paths: base name → path.
        mend: what a user can do when a file is missing or damaged, as the end of a sentence.
    """

    label: str
    paths: Mapping[str, Path]
    mend: str = "put the model's files there, all from the same place"

    @classmethod
    def of(cls, folder: Path) -> ModelFiles:
        """The files of `folder`; of its only subfolder with a model if it has none itself (a clone of
        a repository that keeps its versions in subfolders). Raises ModelError when it cannot be read."""
        try:
            paths = _files(folder)
            if not any(p.suffix == ".onnx" for p in paths):
                inner = [_files(p) for p in sorted(folder.iterdir()) if p.is_dir()]
                inner = [files for files in inner if any(p.suffix == ".onnx" for p in files)]
                if len(inner) == 1:
                    # Labels may lie beside the model or above it.
                    paths += inner[0]
        except OSError as error:
            raise ModelError(
                f"The model folder {folder} cannot be read ({error.strerror or error}): check its name and rights."
            ) from error
        return cls(str(folder), {p.name: p for p in paths})

    def __contains__(self, name: str) -> bool:
        return name in self.paths

    def path(self, *names: str) -> Path:
        """The first of `names` that is there. Raises ModelError naming the first when none is."""
        for name in names:
            if name in self.paths:
                return self.paths[name]
        raise ModelError(f"{self.label} has no {names[0]}: {self.mend}.")

    def model(self, *names: str) -> Path:
        """The ONNX file: the first of `names`, else model.onnx, else the only *.onnx there is."""
        for name in (*names, "model.onnx", "model_optimized.onnx"):
            if name in self.paths:
                return self.paths[name]
        found = [p for n, p in sorted(self.paths.items()) if n.endswith(".onnx")]
        if len(found) == 1:
            return found[0]
        if found:
            raise ModelError(
                f"{self.label} has {len(found)} ONNX files and none is called model.onnx: rename the one to use."
            )
        raise ModelError(f"{self.label} has no model.onnx: {self.mend}.")

    def damaged(self, path: Path, what: str) -> ModelError:
        """The error for a file with wrong content."""
        return ModelError(f"{path.name} of {self.label} {what}: {self.mend}.")

    def json(self, *names: str) -> Any:
        """A JSON file's content. Raises ModelError when it is missing or no JSON."""
        path = self.path(*names)
        try:
            return json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise self.damaged(path, f"is no JSON file ({error})") from error

    def table(self, *names: str, need: Iterable[str] = ()) -> list[dict[str, str]]:
        """A CSV file's rows; every value a text, so that tags spelled `null` or `nan` survive.

        Raises ModelError when it is missing, no CSV, empty or lacks one of the columns `need`.
        """
        path = self.path(*names)
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                columns = reader.fieldnames or []
                rows = [{k: v or "" for k, v in row.items() if k is not None} for row in reader]
        except (OSError, ValueError, csv.Error) as error:
            raise self.damaged(path, f"is no CSV table ({error})") from error
        missing = [name for name in need if name not in columns]
        if missing:
            raise self.damaged(path, f"has no column {missing[0]!r}")
        if not rows:
            raise self.damaged(path, "is empty")
        return rows

    def columns(self, name: str) -> tuple[str, ...]:
        """The first line of a CSV file, () when it is missing or unreadable."""
        try:
            with self.paths[name].open(encoding="utf-8-sig", newline="") as file:
                return tuple(next(csv.reader(file), []))
        except (KeyError, OSError, ValueError, csv.Error):
            return ()


def _files(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.iterdir()) if p.is_file()]


def is_pointer(path: Path) -> bool:
    """Whether this is a Git LFS pointer instead of the file itself."""
    with path.open("rb") as file:
        return file.read(len(_POINTER)) == _POINTER


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; taken from the file's name where the download cache names files by it."""
    real = path.resolve()
    if real.parent.name == "blobs" and _SHA256.fullmatch(real.name):
        return real.name
    return sha256(real)


def identity(files: ModelFiles, *paths: Path) -> str:
    """A short name of the files' content, the same on every machine."""
    state = hashlib.sha256()
    for path in paths:
        try:
            state.update(digest(path).encode())
        except OSError as error:
            raise files.damaged(path, f"cannot be read ({error.strerror or error})") from error
    return state.hexdigest()[:16]
