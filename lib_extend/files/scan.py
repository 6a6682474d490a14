"""Which images a dataset folder holds, and where the caption of each belongs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from lib_extend.errors import UserError
from lib_extend.files.caption_forms import CAPTION_SUFFIXES, chosen, standard_name

IMAGE_SUFFIXES = frozenset(".png .jpg .jpeg .jfif .webp .avif .bmp .gif .tif .tiff .ppm .tga".split())
NOT_READ = frozenset(
    ".jxl .heic .heif .hif .jp2 .j2k .apng .psd .psb .clip .kra .xcf .svg .exr .hdr .qoi .dds .raw .dng .cr2 .cr3 .nef "
    ".arw .orf .rw2 .mp4 .webm .mkv .mov .avi".split()
)
"""Pictures and videos that are not read: they are named, not passed over."""
SIDECAR_SUFFIX = ".json"


@dataclass(frozen=True)
class Found:
    """An image file of the dataset.

    Attributes:
        name: path relative to the dataset, with forward slashes; bytes that are not UTF-8 are kept as
            surrogates (PEP 383).
        size: bytes. mtime_ns: nanoseconds since the epoch.
        clash: name of another image that owns the same caption file, or "".
        caption: relative path of its caption file, "" for that of a picture that has none yet.
    """

    name: str
    size: int
    mtime_ns: int
    clash: str = ""
    caption: str = ""

    @property
    def caption_name(self) -> str:
        """Relative path of its caption: the file that is there, or the stem with `.txt`."""
        return self.caption or standard_name(self.name)


@dataclass(frozen=True)
class Survey:
    """What a folder holds.

    Attributes:
        found: the images. excluded: images that an exclude glob leaves out. left_out: images that a person left out.
        not_read: pictures of kinds that are not read. sidecars: the JSON file of each image that has one, by image.
        twofold: (image, caption in use, caption left alone) where an image has several.
    """

    found: list[Found]
    excluded: list[str]
    left_out: list[str]
    not_read: list[str]
    sidecars: dict[str, str]
    twofold: list[tuple[str, str, str]]


def survey(
    root: Path,
    *,
    recursive: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    left_out: Collection[str] = (),
    limit: int | None = None,
    allowed: Callable[[Path], bool] = lambda path: True,
) -> Survey:
    """The images under `root`, sorted by name, and what else there is. Hidden files are left out.

    `include` holds globs, and names of single images with `/` before them; `exclude` globs, `left_out` names. Links to folders are
    followed once each, so a loop ends. If several images share one caption file, the first in order keeps it; the
    others have its name in `clash`.

    Raises:
        UserError: `root` is not a folder or cannot be listed.
    """
    images: list[tuple[str, int, int]] = []
    sizes: dict[str, int] = {}
    json_files: dict[str, str] = {}
    not_read = []
    wanted = IMAGE_SUFFIXES | NOT_READ | {*CAPTION_SUFFIXES, SIDECAR_SUFFIX}
    for name, size, mtime in walk(root, wanted, recursive=recursive, allowed=allowed):
        suffix = os.path.splitext(name)[1].lower()
        if suffix in CAPTION_SUFFIXES:
            sizes[os.path.normcase(name)] = size
        elif suffix == SIDECAR_SUFFIX:
            json_files[os.path.normcase(name)] = name
        elif suffix in NOT_READ:
            not_read.append(name)
        else:
            images.append((name, size, mtime))
    images.sort()
    stems = Counter(os.path.normcase(os.path.splitext(name)[0]) for name, _, _ in images)
    exact = {glob[1:] for glob in include if glob.startswith("/")}
    globs = [glob for glob in include if not glob.startswith("/")]
    result = Survey([], [], [], sorted(not_read), {}, [])
    owners: dict[str, str] = {}
    for name, size, mtime in images:
        if include and name not in exact and not matches(name, globs):
            continue
        if name not in exact and name in left_out:
            result.left_out.append(name)
            continue
        if name not in exact and matches(name, exclude):
            result.excluded.append(name)
            continue
        shared = stems[os.path.normcase(os.path.splitext(name)[0])] > 1
        caption, others = chosen(name, sizes, shared=shared)
        owner = owners.setdefault(os.path.normcase(caption), name)
        clash = "" if owner == name else owner
        result.found.append(
            Found(name, size, mtime, clash, caption if caption != standard_name(name) else "")
        )
        result.twofold.extend((name, caption, other) for other in others if not shared)
        for candidate in sidecar_names(name):
            if os.path.normcase(candidate) in json_files:
                result.sidecars[name] = json_files[os.path.normcase(candidate)]
                break
    del result.found[len(result.found) if limit is None else limit :]
    return result


def scan(
    root: Path,
    *,
    recursive: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    limit: int | None = None,
) -> list[Found]:
    """The images of `survey`."""
    return survey(root, recursive=recursive, include=include, exclude=exclude, limit=limit).found


def matches(name: str, globs: Sequence[str]) -> bool:
    """Whether a relative path, or its end after a slash, matches one of the globs."""
    return any(fnmatch(name, glob) or fnmatch(name, f"*/{glob}") for glob in globs)


def sidecar_names(image: str) -> tuple[str, ...]:
    """The names a JSON file about an image may have."""
    stem = image[: image.rindex(".")]
    return stem + SIDECAR_SUFFIX, image + SIDECAR_SUFFIX, f"{stem}_metainfo{SIDECAR_SUFFIX}"


def folders_of_images(root: Path, most: int = 200) -> list[str]:
    """The names of subfolders that hold images themselves, of the first `most`, sorted."""
    try:
        with os.scandir(root) as entries:
            names = sorted(e.name for e in entries if not e.name.startswith(".") and e.is_dir())[:most]
        return [name for name in names if next(walk(root / name, IMAGE_SUFFIXES), None)]
    except (OSError, UserError):
        return []


def walk(
    root: Path,
    suffixes: Collection[str],
    *,
    recursive: bool = False,
    allowed: Callable[[Path], bool] = lambda path: True,
) -> Iterator[tuple[str, int, int]]:
    """Name, size and mtime_ns of the files under `root` with one of `suffixes` (lower case), in no order.

    Links and subfolders are followed only if `allowed` returns true for them.

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
        return  # a subfolder without read permission is skipped; the others are still read
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
                if (
                    wanted
                ):  # a broken link, or a file that was deleted meanwhile: listed, so that the report names it
                    yield prefix + entry.name, 0, 0
    for name in folders if recursive else ():
        if allowed(folder / name):
            yield from _walk(folder / name, f"{prefix}{name}/", suffixes, recursive, allowed, seen)


def show(name: str) -> str:
    """`name` printable on one line in any terminal: control characters and stray bytes are escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in name
    )
