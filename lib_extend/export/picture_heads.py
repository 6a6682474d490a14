"""Check a picture's file by its first and last bytes, without decoding. This is fast, and "damaged" is always right."""

from __future__ import annotations

import contextlib
import stat
from dataclasses import dataclass
from pathlib import Path

from lib_extend.errors import ImageError
from lib_extend.files.scan import show

_SUFFIXES = {
    "PNG": {".png"},
    "JPEG": {".jpg", ".jpeg", ".jfif"},
    "MPO": {".jpg", ".jpeg", ".jfif"},
    "WEBP": {".webp"},
    "BMP": {".bmp"},
    "DIB": {".bmp"},
    "GIF": {".gif"},
    "TIFF": {".tif", ".tiff"},
    "AVIF": {".avif"},
    "PPM": {".ppm"},
    "TGA": {".tga"},
}
_ENDS = {
    "PNG": b"IEND\xaeB`\x82",
    "JPEG": b"\xff\xd9",
    "MPO": b"\xff\xd9",
    "WEBP": b"",
    "BMP": b"",
    "GIF": b";",
}
"""What stands near the end of a whole file; of other formats only decoding tells."""
_TAIL = 4096
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Head:
    """A picture as its file's head has it.

    Attributes:
        format: Pillow's name ("PNG"), "" when it cannot be read. width, height: pixels as stored, before turning.
        turned: EXIF says that it must be turned or mirrored. transparent: it may be. frames: more than 1 when it moves.
        trouble: why it cannot be read, as one sentence; "" when it can.
    """

    format: str = ""
    width: int = 0
    height: int = 0
    turned: bool = False
    sideways: bool = False
    transparent: bool = False
    frames: int = 1
    trouble: str = ""

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        return (self.height, self.width) if self.sideways else (self.width, self.height)

    def fits(self, suffix: str) -> bool:
        """Whether the file's name ends as its format does."""
        return not self.format or suffix.lower() in _SUFFIXES.get(self.format, {suffix.lower()})

    @property
    def suffix(self) -> str:
        """The usual ending of its format, "" where there is none."""
        return next(iter(sorted(_SUFFIXES.get(self.format, ()), key=len)), "")


def head_of(path: Path, *, decode: bool = False) -> Head:
    """The head of the picture at `path`.

    Args:
        decode: decode it whole, whatever its ends look like.
    """
    from PIL import Image

    try:
        size = _size(path)
        with path.open("rb") as file:
            with Image.open(file) as image:
                exif = image.getexif() if "exif" in image.info or image.format in ("JPEG", "MPO") else {}
                turn = exif.get(_ORIENTATION, 1)
                frames = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))
                head = Head(
                    image.format or "",
                    *image.size,
                    turned=turn in range(2, 9),
                    sideways=turn in range(5, 9),
                    transparent=image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info,
                    frames=frames,
                )
                whole = not decode and image.format in _ENDS
            if whole and _is_whole(path, head.format, size):
                return head
    except Exception:  # noqa: BLE001 - whatever a damaged file makes of Pillow: the decoder below says what it is
        head = Head()
    return _decoded(path, head)


def _size(path: Path) -> int:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        raise ValueError
    return status.st_size


def _is_whole(path: Path, format: str, size: int) -> bool:
    with path.open("rb") as file:
        start = file.read(8)
        if format == "WEBP":
            return int.from_bytes(start[4:8], "little") + 8 <= size
        if format == "BMP":
            return int.from_bytes(start[2:6], "little") <= size
        file.seek(max(0, size - _TAIL))
        return _ENDS[format] in file.read(_TAIL)


def _decoded(path: Path, head: Head) -> Head:
    from lib_extend.analysis.decode import decode

    try:
        decode(str(path))
    except ImageError as error:
        return Head(trouble=error.reason)
    if head.format:
        return head
    with contextlib.suppress(Exception):
        # a format that only the decoder knows how to open
        return Head("", *decode(str(path)).image.size)
    return Head(trouble=f"{show(path.name)} cannot be read.")
