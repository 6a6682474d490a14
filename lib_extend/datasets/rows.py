"""One picture of a folder as the browser knows it, and sets of pictures as bits."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

SOURCES = ("tagger", "question", "person", "human")

# flags of a row
ANALYSED = 1
UNSURE = 2
CAPTIONED = 4
BROKEN_IMAGE = 8
BROKEN_CAPTION = 16
PROSE = 32
"""The caption has sentences, which are no tags: words are looked for in its text too."""
FOREIGN = 64
"""The caption is not UTF-8: it is read again when the folder's encodings are decided anew."""

CERTAIN = 1.0


class Row(NamedTuple):
    """A picture and its caption as they were when they were read.

    Attributes:
        name: relative to the folder, as in `scan.Found`.
        size, mtime: the image file's bytes and nanoseconds. width, height: upright pixels, 0 when it cannot be read.
        caption_size, caption_mtime: of the caption file; -1 without one.
        caption: its text, "" without one. tags: canonical names, in order, without sentences.
        tokens: CLIP tokens. sources: how many tags and sentences come from each of
            `SOURCES`.
        sure: the least probability of the answers nobody has looked at, 1 without any.
        flags: what the constants above say.
    """

    name: str
    size: int
    mtime: int
    width: int
    height: int
    caption_size: int
    caption_mtime: int
    caption: str
    tags: tuple[str, ...]
    tokens: int
    sources: tuple[int, int, int, int]
    sure: float
    flags: int


_DIGITS = bytes.maketrans(b"\0\1", b"01")
_FLAGS = bytes.maketrans(b"01", b"\0\1")


def pack(flags: bytes | bytearray) -> int:
    """The set of the places where `flags` (0 or 1 each) is 1, as the bits of an integer."""
    return int(flags[::-1].translate(_DIGITS) or b"0", 2)


def unpack(bits: int, count: int) -> bytes:
    """The inverse of `pack`: 0 or 1 for each of `count` places."""
    if not count:
        return b""
    return f"{bits & ((1 << count) - 1):0{count}b}".encode("ascii")[::-1].translate(_FLAGS)


def image_id(name: str) -> str:
    """An image's name in URLs: its bytes, percent-encoded except for slashes."""
    return quote(os.fsencode(name), safe="/")


def name_of(id: str) -> str:
    """The inverse of `image_id`."""
    return os.fsdecode(unquote_to_bytes(id))
