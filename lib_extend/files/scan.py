"""Which images a dataset folder holds, and where the caption of each belongs."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from lib_extend.errors import UserError

IMAGE_SUFFIXES = frozenset(".png .jpg .jpeg .jfif .webp .avif .bmp .gif .tif .tiff .ppm .tga".split())
CAPTION_SUFFIX = ".txt"
CAPTION_SUFFIXES = (".txt", ".caption")


@dataclass(frozen=True)
class Found:
    """An image file of the dataset.

    Attributes:
        name: path relative to the dataset, with forward slashes; bytes that are not UTF-8 are kept as
            surrogates (PEP 383).
        size: bytes. mtime_ns: nanoseconds since the epoch.
        clash: name of another image that owns the same caption file, or "".
    """

    name: str
    size: int
    mtime_ns: int
    clash: str = ""

    @property
    def caption_name(self) -> str:
        """Relative path of its caption: the image's stem with `.txt`, as sd-scripts reads it."""
        return self.name[: self.name.rindex(".")] + CAPTION_SUFFIX


def scan(
    root: Path, *, recursive: bool = False, include: Sequence[str] = (), limit: int | None = None
) -> list[Found]:
    """The images under `root`, sorted by name. Files are recognised by suffix; hidden ones are left out.

    `include` holds globs, and names of single images with `/` before them. Links to folders are followed
    once each, so a loop ends. Of two images with one stem the first in order keeps the caption; the others
    carry `clash`.

    Raises:
        UserError: `root` is not a folder or cannot be listed.
    """
    exact = {glob[1:] for glob in include if glob.startswith("/")}
    globs = [glob for glob in include if not glob.startswith("/")]
    found = [
        Found(*f)
        for f in walk(root, IMAGE_SUFFIXES, recursive=recursive)
        if not include
        or f[0] in exact
        or any(fnmatch(f[0], glob) or fnmatch(f[0], f"*/{glob}") for glob in globs)
    ]
    found.sort(key=lambda f: f.name)
    owners: dict[str, str] = {}
    result = []
    for f in found:
        owner = owners.setdefault(os.path.normcase(f.caption_name), f.name)
        result.append(f if owner == f.name else Found(f.name, f.size, f.mtime_ns, clash=owner))
    return result[:limit]


def walk(
    root: Path,
    suffixes: Collection[str],
    *,
    recursive: bool = False,
    allowed: Callable[[Path], bool] = lambda path: True,
) -> Iterator[tuple[str, int, int]]:
    """Name, size and mtime_ns of the files under `root` with one of `suffixes` (lower case), in no order.

    `allowed` is asked about links and subfolders; what it refuses is left out.

    Raises:
        UserError: `root` is not a folder or cannot be listed.
    """
    check_folder(root)
    yield from _walk(root, "", suffixes, recursive, allowed, set())


def check_folder(root: Path) -> None:
    """Raises UserError when `root` is not a folder."""
    if not root.exists():
        raise UserError(f"There is no folder {show(str(root))}: check the path.")
    if not root.is_dir():
        raise UserError(f"{show(str(root))} is a file, not a folder: name the folder that holds the images.")


def _walk(
    folder: Path,
    prefix: str,
    suffixes: Collection[str],
    recursive: bool,
    allowed: Callable[[Path], bool],
    seen: set[tuple[int, int]],
) -> Iterator[tuple[str, int, int]]:
    folders = []
    try:
        here = folder.stat()
        if (here.st_dev, here.st_ino) in seen and here.st_ino:
            return
        seen.add((here.st_dev, here.st_ino))
        entries = os.scandir(folder)
    except OSError as e:
        if not prefix:
            raise UserError(f"{show(str(folder))} cannot be listed ({e.strerror}).") from None
        return  # a subfolder that may not be read costs its own images only
    with entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            wanted = os.path.splitext(entry.name)[1].lower() in suffixes
            try:
                if entry.is_dir():
                    folders.append(entry.name)
                elif wanted and (not entry.is_symlink() or allowed(Path(entry.path))):
                    s = entry.stat()
                    yield prefix + entry.name, s.st_size, s.st_mtime_ns
            except OSError:
                if wanted:  # a dangling link or a file that vanished meanwhile: listed, so that it is reported by name
                    yield prefix + entry.name, 0, 0
    for name in folders if recursive else ():
        if allowed(folder / name):
            yield from _walk(folder / name, f"{prefix}{name}/", suffixes, recursive, allowed, seen)


def show(name: str) -> str:
    """`name` printable on one line in any terminal: control characters and stray bytes are escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in name
    )
