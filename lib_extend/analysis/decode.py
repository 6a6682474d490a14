"""A picture file → an upright RGB or RGBA image, no larger than is of use, or one sentence why not.

Truncated files are failures here, on purpose: half a picture would get half a caption. Pillow's global
settings are left alone.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import math
import re
import stat
import struct
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from lib_extend.errors import ImageError
from lib_extend.files.scan import show
from lib_extend.models.images import eight_bit

MAX_PIXELS = 178_956_970
"""Largest picture that is decoded, in pixels as they come out of the decoder (Pillow's own limit)."""

MAX_SCALED_PIXELS = 1_000_000_000
"""Largest baseline JPEG, which is scaled while it is decoded and so costs time but no memory."""

SHARP = 2
"""A reduced picture keeps at least this many pixels per pixel of use, along each side."""

COVERED = "covered"
SCALE = "scale"
"""Keys of `Image.info`; see `Decoded.image`."""

_BIG_PIXELS = 40_000_000
_one_big = threading.Lock()  # pictures above _BIG_PIXELS are decoded one at a time, for memory's sake

# What a dataset folder may hold. Left out on purpose: EPS and the like, whose decoders run programs.
_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "DIB", "ICO")
_BY_SUFFIX_ONLY = {".tga": "TGA"}  # has no signature: anything might be one

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow's decoders raise on damaged files (several raise whatever their parsing trips over).
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError,
    RuntimeError, OverflowError, ZeroDivisionError, AssertionError, struct.error, zlib.error,
)  # fmt: skip

_FOREIGN = (
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "), "a JPEG XL picture"),
    (re.compile(rb"....ftyp(hei|hev|mif1|msf1)", re.S), "a HEIF picture"),
    (re.compile(rb"....ftyp(?!avi[fs])", re.S), "a video"),
    (re.compile(rb"\x1aE\xdf\xa3"), "a video"),
    (re.compile(rb"8BPS"), "a Photoshop file"),
    (re.compile(rb"%!PS|\xc5\xd0\xd3\xc6|%PDF"), "a PostScript or PDF file"),
    (re.compile(rb"\s*<(svg|\?xml)", re.I), "a vector drawing"),
    (re.compile(rb"version https://git-lfs"), "a Git LFS pointer"),
)


@dataclass(frozen=True)
class Decoded:
    """An upright picture.

    Attributes:
        image: RGB, or RGBA where some pixel is transparent; possibly smaller than the file's picture. Then
            `image.info[COVERED]` is the box (x0, y0, x1, y1) that the picture covers, in the image's own
            pixels: not whole ones where the last row or column is covered in part; `image.info[SCALE]` is
            how many of the file's pixels one of them stands for, along each side.
        width, height: pixels of the upright original.
    """

    image: Image.Image
    width: int
    height: int


def decode(path: str, *, side: int | None = None, pixels: int | None = None) -> Decoded:
    """The picture at `path`, its first frame if it has several. Thread-safe.

    Args:
        path: as `os.fsdecode` gives it.
        side: the picture will be shrunk so that its longer side is this many pixels.
        pixels: it will be shrunk to at most this many pixels.

    With one or both given, a JPEG is decoded at a half, a quarter or an eighth of its size, at no less than
    `SHARP` times what the more demanding of the two needs, along each side. With neither it has its full size.

    Raises:
        ImageError: there is no such file, it is no picture, it is damaged or it is too large.
    """
    name = show(Path(path).name)
    try:
        size = _check_file(path, name)
        with Path(path).open("rb") as file:
            try:
                return _decode(file, path, name, side, pixels)
            except Image.DecompressionBombError as error:
                raise ImageError(_too_large(name, "")) from error
            except _DAMAGE as error:
                raise ImageError(_explain(error, file, name, size)) from error
    except MemoryError as error:
        raise ImageError(
            f"{name} needs more memory than is free: make the picture smaller or close other programs."
        ) from error
    except OSError as error:
        raise ImageError(_unreadable(error, name)) from error
    except ValueError as error:  # a path with a null byte
        raise ImageError(f"{name} is not a name a file can have: rename it.") from error


def reduction(width: int, height: int, side: int | None, pixels: int | None) -> float:
    """By how much, along each side, a picture of this size may be reduced while decoding; at least 1."""
    factors = []
    if side:
        factors.append(max(width, height) / side)
    if pixels:
        factors.append(math.sqrt(width * height / pixels))
    return max(1.0, min(factors) / SHARP) if factors else 1.0


def _check_file(path: str, name: str) -> int:
    """The file's size in bytes. Raises ImageError or OSError for what should not even be opened."""
    status = Path(path).stat()
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(f"{name} is a folder with a picture's name: rename the folder.")
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(f"{name} is not an ordinary file: put the picture itself in its place.")
    if status.st_size == 0:
        raise ImageError(f"{name} is empty (0 bytes): copy it again from where it came.")
    return status.st_size


def _decode(file: IO[bytes], path: str, name: str, side: int | None, pixels: int | None) -> Decoded:
    formats = list(_formats())
    extra = _BY_SUFFIX_ONLY.get(Path(path).suffix.lower())
    image: Image.Image = Image.open(file, formats=[*formats, extra] if extra else formats)
    width, height = image.size
    factor = reduction(width, height, side, pixels)
    drafted = False
    if image.format in ("JPEG", "MPO") and factor >= 2:
        # The decoder leaves out the fine detail: 2, 4 or 8 times fewer pixels a side, and less work.
        image.draft(None, (max(1, int(width / factor)), max(1, int(height / factor))))  # type: ignore[no-untyped-call,arg-type]
        drafted = image.size != (width, height)
    # A progressive JPEG is held whole by its decoder, scaled or not.
    held = image.size if drafted and not image.info.get("progressive") else (width, height)
    if held[0] * held[1] > MAX_PIXELS or width * height > MAX_SCALED_PIXELS:
        raise ImageError(_too_large(name, f"{width:,} × {height:,} pixels, "))
    if image.size[0] * image.size[1] > _BIG_PIXELS:
        with _one_big:
            image.load()
    else:
        image.load()
    if not drafted:
        width, height = (
            image.size
        )  # TIFFs are turned upright by loading; older Pillows leave the tag as it was
    turn = 1 if image.format == "TIFF" else _orientation(image)
    scale = round(width / image.size[0])
    right, bottom = width / scale, height / scale
    flat = _flat(image)
    box = (0.0, 0.0, right, bottom)
    if turn in _UPRIGHT:
        w, h = flat.size
        flat = flat.transpose(_UPRIGHT[turn])
        # Where the far edges, which may be covered in part, end up.
        x = (0.0, right) if turn in (1, 4, 5, 6) else (w - right, float(w))
        y = (0.0, bottom) if turn in (1, 2, 5, 8) else (h - bottom, float(h))
        if turn >= 5:
            width, height, x, y = height, width, y, x
        box = (x[0], y[0], x[1], y[1])
    flat.info.pop(COVERED, None)
    flat.info.pop(SCALE, None)
    if scale > 1:
        flat.info[COVERED] = box
        flat.info[SCALE] = scale
    return Decoded(flat, width, height)


def reduced(image: Image.Image, pixels: int) -> Image.Image:
    """The image averaged down by a whole number, to no less than `SHARP` times `pixels` along each side."""
    factor = int(reduction(*image.size, None, pixels))
    return image.reduce(factor) if factor > 1 else image


def _flat(image: Image.Image) -> Image.Image:
    """The picture as RGB, or RGBA where it is transparent somewhere."""
    if image.mode.startswith(("I", "F")):
        image = eight_bit(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            return image
    return image if image.mode == "RGB" else image.convert("RGB")


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 where there is none or it cannot be read."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except _DAMAGE:
        return 1  # broken metadata on a sound picture


@functools.lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    Image.init()
    try:
        importlib.import_module("PIL._avif")
    except ImportError:
        # Pillow without AVIF of its own (before 11.3): the plugin registers itself when imported.
        with contextlib.suppress(ImportError):
            importlib.import_module("pillow_avif")
    return tuple(name for name in _FORMATS if name in Image.OPEN)


# --- what went wrong, in one sentence


def _too_large(name: str, size: str) -> str:
    return f"{name} is too large ({size}more than {MAX_PIXELS // 1_000_000} million): make it smaller."


def _unreadable(error: OSError, name: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{name} is gone: it was moved or deleted, put it back or leave it out."
    if isinstance(error, PermissionError):
        return f"{name} may not be read: give yourself permission to read it."
    text = error.strerror or str(error)
    return f"{name} cannot be read from the disk ({text}): copy it again or check the disk."


def _explain(error: Exception, file: IO[bytes], name: str, size: int) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return _unreadable(error, name)
    file.seek(0)
    head = file.read(64)
    missing = _missing_bytes(file, head, size)
    if missing or "truncated" in str(error).lower():
        how = f"{missing:,} bytes are missing" if missing else "it ends before the picture does"
        return f"{name} is cut short ({how}): copy it again from where it came."
    if isinstance(error, UnidentifiedImageError):
        for pattern, what in _FOREIGN:
            if pattern.match(head):
                return f"{name} is {what}, which cannot be read: put a PNG, JPEG or WebP in its place."
        if _is_text(head):
            return f"{name} holds text, not a picture: fetch the picture again."
        return f"{name} is no picture in a known format: save it anew as PNG, JPEG or WebP."
    detail = show(str(error)).rstrip(".") or type(error).__name__
    return f"{name} is damaged ({detail}): copy it again from where it came."


def _missing_bytes(file: IO[bytes], head: bytes, size: int) -> int:
    """How many bytes a file lacks by its own account; 0 where it does not say."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return max(0, int.from_bytes(head[4:8], "little") + 8 - size)
    if head[:2] == b"BM" and len(head) >= 6:
        return max(0, int.from_bytes(head[2:6], "little") - size)
    end = 0
    if head[4:8] == b"ftyp":  # AVIF: boxes, each beginning with its length (0 and 1 have other meanings)
        while end < size:
            file.seek(end)
            box = int.from_bytes(file.read(4), "big")
            if box < 8:
                break
            end += box
    return max(0, end - size)


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # else: a character cut in two by our reading 64 bytes
            return False
        text = head[: error.start].decode("utf-8")
    return all(c.isprintable() or c in "\t\r\n\f\ufeff" for c in text)
