"""Which images of the folder a run takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lib_extend.config.setting import setting

_s = partial(setting, group="images")


@dataclass(frozen=True)
class ImageSettings:
    """Which images of the folder a run takes."""

    recursive: bool = _s(
        False,
        "subfolders too",
        label="Subfolders too",
    )
    include: tuple[str, ...] = _s(
        (),
        "only images whose relative path matches one of these globs",
        metavar="GLOB",
        label="Only files that match",
    )
    limit: int | None = _s(
        None,
        "most images in this run",
        low=1,
        high=10_000_000,
        label="Most pictures",
    )
    exclude_images: tuple[str, ...] = _s(
        ("*-masklabel.*", "*-condlabel.*"),
        "no images whose relative path matches one of these globs; trainers' mask files unless others are named",
        metavar="GLOB",
        label="No files that match",
    )
