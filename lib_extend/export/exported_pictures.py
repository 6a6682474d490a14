"""Export a picture: upright, opaque, not animated, with its format's ending. A picture that already is so is copied
byte by byte."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib_extend.errors import ImageError, Message, StorageError
from lib_extend.export.picture_heads import Head, head_of
from lib_extend.export.trainer import Trainer
from lib_extend.files.scan import show
from lib_extend.preparation.buckets import BucketSettings, Fit, fit

if TYPE_CHECKING:
    from PIL.Image import Image

VANISHED = Message(
    "vanished", "{name} is gone: it was moved or deleted while the export ran; put it back and export again."
)
FULL = Message(
    "disk_full",
    "{folder} cannot be written ({reason}): make room, or choose another place; nothing half is left there.",
)
_ANYWHERE = frozenset({".png", ".jpg", ".jpeg", ".webp"})
"""Kinds that every trainer reads: others are written as PNG."""


@dataclass(frozen=True)
class Exported:
    """A picture that was written. `suffix` is its ending; width, height: pixels. copied: byte by byte."""

    suffix: str
    width: int
    height: int
    copied: bool


def write_picture(
    source: Path,
    target: Path,
    trainer: Trainer,
    color: tuple[int, int, int],
    buckets: BucketSettings | None = None,
) -> Exported:
    """Write `source` as `target` with the right ending put behind it; `source` is never touched.

    Args:
        color: laid under what is transparent. buckets: the picture is resized and cut to its bucket; None leaves its size.

    Raises:
        ImageError: it cannot be read, or was deleted. StorageError: the target cannot be written.
    """
    head = head_of(source)
    if head.trouble:
        raise (
            VANISHED.error(ImageError, name=show(source.name))
            if not source.exists()
            else ImageError(head.trouble)
        )
    same = buckets is None or _is_fit(head, buckets)
    if same and _may_be_copied(head, trainer):
        suffix = head.suffix
        place = target.with_name(target.name + suffix)
        try:
            shutil.copyfile(source, place)
        except FileNotFoundError:
            raise VANISHED.error(ImageError, name=show(source.name)) from None
        except OSError as error:
            raise full(place.parent, error) from None
        return Exported(suffix, *head.upright, copied=True)
    image = _opaque(_decoded(source), color)
    if buckets is not None:
        image = resized(image, fit(*image.size, buckets))
    place = target.with_name(target.name + ".png")
    try:
        image.save(place, "PNG", compress_level=3)
    except OSError as error:
        raise full(place.parent, error) from None
    return Exported(".png", *image.size, copied=False)


def full(folder: Path, error: OSError) -> StorageError:
    """The sentence for a folder that cannot be written."""
    return FULL.error(StorageError, folder=show(str(folder)), reason=error.strerror or str(error))


def resized(image: Image, into: Fit) -> Image:
    """The centre of an opaque picture, resized and cut to its bucket."""
    from PIL import Image as images

    if image.size != into.resized:
        image = image.resize(into.resized, images.Resampling.LANCZOS)
    left = (into.resized[0] - into.bucket[0]) // 2
    top = (into.resized[1] - into.bucket[1]) // 2
    return image.crop((left, top, left + into.bucket[0], top + into.bucket[1]))


def _may_be_copied(head: Head, trainer: Trainer) -> bool:
    suffix = head.suffix
    plain = not (head.turned or head.transparent) and head.frames == 1 and head.format != "MPO"
    return plain and suffix in _ANYWHERE and trainer.reads(suffix)


def _is_fit(head: Head, buckets: BucketSettings) -> bool:
    found = fit(*head.upright, buckets)
    return found.bucket == found.resized == head.upright


def _decoded(source: Path) -> Image:
    from lib_extend.analysis.decode import decode

    return decode(os.fspath(source)).image


def _opaque(image: Image, color: tuple[int, int, int]) -> Image:
    if image.mode != "RGBA":
        return image
    from PIL import Image as images

    under = images.new("RGB", image.size, color)
    under.paste(image, mask=image.getchannel("A"))
    return under
