"""The two names a caption file may have: the picture's name without its ending, or its whole name, plus `.txt`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

CAPTION_SUFFIX = ".txt"
CAPTION_SUFFIXES = (".txt", ".caption")
"""`a.txt`, as most trainers read it, and `a.caption`, the default of sd-scripts."""


def standard_name(image: str) -> str:
    """The caption file that a picture without a caption gets: its name without the ending, plus `.txt`."""
    return image[: image.rindex(".")] + CAPTION_SUFFIX


def candidates(image: str, *, shared: bool = False) -> tuple[str, ...]:
    """Every name that the caption of `image` may have, best first.

    Downloaders write `a.png.txt`. Where several pictures have the same stem (`shared`), only this form says whose
    caption it is.
    """
    stem = image[: image.rindex(".")]
    by_stem = tuple(stem + suffix for suffix in CAPTION_SUFFIXES)
    by_name = tuple(image + suffix for suffix in CAPTION_SUFFIXES)
    return by_name + by_stem if shared else by_stem + by_name


def chosen(image: str, sizes: Mapping[str, int], *, shared: bool = False) -> tuple[str, tuple[str, ...]]:
    """The caption in use, and the others that are there.

    Args:
        sizes: bytes of the caption files there are, by normalised name (`os.path.normcase`). A caption with text is
            preferred to an empty one.
    """
    there = [c for c in candidates(image, shared=shared) if os.path.normcase(c) in sizes]
    if not there:
        return standard_name(image), ()
    used = next((c for c in there if sizes[os.path.normcase(c)]), there[0])
    return used, tuple(c for c in there if c != used)


def find(root: Path, image: str) -> str:
    """The caption of one image, by looking at the disk (see `chosen`)."""
    sizes = {}
    for name in candidates(image):
        try:
            sizes[os.path.normcase(name)] = (root / name).stat().st_size
        except (OSError, ValueError):
            continue
    shared = len(sizes) > 1 and _shares_stem(root / image)
    return chosen(image, sizes, shared=shared)[0]


def _shares_stem(image: Path) -> bool:
    try:
        with os.scandir(image.parent) as entries:
            stem = os.path.normcase(image.stem)
            return any(
                os.path.normcase(os.path.splitext(e.name)[0]) == stem
                and e.name != image.name
                and os.path.splitext(e.name)[1].lower() not in (*CAPTION_SUFFIXES, ".json", ".npz")
                for e in entries
            )
    except OSError:
        return False
