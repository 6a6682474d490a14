"""Thumbnails for the browser, made in the WebUI's own process: fast, limited in memory, and without errors.

A picture that cannot be shown becomes a drawn placeholder with the reason beside it. Thumbnails are stored in
`thumbs.sqlite3` beside the job's state: one file, not thousands that a trainer might take for training pictures.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import io
import os
import sqlite3
import stat
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lib_extend.datasets.state_file import have_own_files, may_keep_files, remove, tables, tables_of
from lib_extend.files.scan import show

if TYPE_CHECKING:
    from PIL.Image import Image

SIDES = (192, 384, 1280)
"""Pixels of a thumbnail's longer side."""
MIME = "image/jpeg"
FILE = "thumbs.sqlite3"
MOST_BYTES = 512 * 1024 * 1024
"""Of thumbnails kept for one folder; the longest unused go first."""

MAX_PIXELS = 50_000_000
"""Largest picture that is decoded whole here: 150 MB while it is."""
MAX_SCALED_PIXELS = 1_000_000_000
"""Largest baseline JPEG, which is scaled while it is decoded."""
_BIG_PIXELS = 8_000_000
_one_big = threading.Lock()  # pictures above _BIG_PIXELS one at a time, to save memory

# the formats of `analysis.decode`, so that the browser shows what can be tagged
_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "DIB", "ICO", "TGA")
_QUALITY = 82
_SCHEMA = """
CREATE TABLE thumbs (name TEXT UNIQUE, used INTEGER, size INTEGER, data BLOB);
CREATE INDEX thumbs_used ON thumbs (used, size);
"""
_DAY = 86_400

# the errors of Pillow's decoders for damaged files (several raise any error of their parsing)
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, MemoryError,
    RuntimeError, OverflowError, ZeroDivisionError, AssertionError, struct.error, zlib.error,
)  # fmt: skip


class _Unshowable(Exception):
    """Why a picture has no thumbnail, as a sentence."""


@dataclass(frozen=True)
class Thumbnail:
    """A JPEG. `etag` changes when the picture does; `problem` says why it is a placeholder, else ""."""

    data: bytes
    etag: str
    problem: str = ""


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of the upright picture, from its header only; (0, 0) when unknown."""
    from PIL import Image

    try:
        with _opened(path) as file:
            image = Image.open(file, formats=_formats())
            width, height = image.size
            tiff = getattr(image, "tag_v2", None)
            if image.format == "TIFF" and tiff is not None:
                width, height = (
                    tiff.get(256, width),
                    tiff.get(257, height),
                )  # newer versions of Pillow rotate `size` already
            elif "exif" not in image.info:  # a PNG without EXIF would be decoded completely
                return width, height
            return (height, width) if _orientation(image) >= 5 else (width, height)
    except (_Unshowable, Image.DecompressionBombError, *_DAMAGE):
        return 0, 0


class Thumbnails:
    """The thumbnails of one folder. Safe in threads."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._db = _database(folder / FILE)
        self._bytes = 0
        if self._db is not None:
            self._bytes = int(self._db.execute("SELECT total(size) FROM thumbs").fetchone()[0])

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
            self._db = None

    def get(self, path: Path, size: int, mtime: int, side: int) -> Thumbnail:
        """The thumbnail of the picture at `path`, whose file has these bytes and mtime_ns.

        Args:
            side: one of `SIDES`.
        """
        etag = self.etag(path, size, mtime, side)
        data = self._kept(etag)
        if data is None:
            try:
                data = make(path, side)
            except _Unshowable as e:
                return Thumbnail(placeholder(side), etag, str(e))
            self._keep(etag, data)
        return Thumbnail(data, etag)

    @staticmethod
    def etag(path: Path, size: int, mtime: int, side: int) -> str:
        """The identifier of a thumbnail's exact content."""
        text = b"\0".join([os.fsencode(path), f"{size} {mtime} {side}".encode()])
        return hashlib.blake2b(text, digest_size=12).hexdigest()

    def _kept(self, name: str) -> bytes | None:
        now = int(time.time())
        with self._lock, contextlib.suppress(sqlite3.DatabaseError):
            if self._db is None:
                return None
            row = self._db.execute("SELECT used, data FROM thumbs WHERE name=?", (name,)).fetchone()
            if row is None:
                return None
            if not isinstance(row[0], int) or row[0] < now - _DAY:
                self._db.execute("UPDATE thumbs SET used=? WHERE name=?", (now, name))
            return row[1] if isinstance(row[1], bytes) else None
        return None

    def _keep(self, name: str, data: bytes) -> None:
        with self._lock, contextlib.suppress(sqlite3.DatabaseError):  # a full disk: made again next time
            if self._db is None:
                return
            values = (name, int(time.time()), len(data), data)
            added = self._db.execute("INSERT OR IGNORE INTO thumbs VALUES (?,?,?,?)", values).rowcount
            self._bytes += len(data) if added else 0
            if self._bytes > self._most:
                self._shrink()

    def _shrink(self) -> None:
        assert self._db is not None
        wanted = self._most * 9 // 10
        rows = self._db.execute("SELECT rowid, size FROM thumbs ORDER BY used, rowid").fetchall()
        gone = []
        for rowid, size in rows:
            if self._bytes <= wanted:
                break
            gone.append((rowid,))
            self._bytes -= size
        self._db.execute("BEGIN")
        self._db.executemany("DELETE FROM thumbs WHERE rowid=?", gone)
        self._db.execute("COMMIT")


def make(path: Path, side: int) -> bytes:
    """A JPEG of the picture, upright, at most `side` pixels along its longer side.

    Raises:
        _Unshowable: the file is not a picture, is damaged, or is too large.
    """
    from PIL import Image

    name = show(path.name)
    try:
        with _opened(path) as file:
            image = Image.open(file, formats=_formats())
            size = image.size
            if image.format in ("JPEG", "MPO"):
                # the decoder leaves out invisible detail: up to 8 times fewer pixels a side
                image.draft(None, (side * 2, side * 2))  # type: ignore[no-untyped-call,arg-type]
            held = size if image.info.get("progressive") else image.size
            if held[0] * held[1] > MAX_PIXELS or size[0] * size[1] > MAX_SCALED_PIXELS:
                raise _Unshowable(f"{name} is too large to be shown ({size[0]:,} × {size[1]:,} pixels).")
            with _one_big if held[0] * held[1] > _BIG_PIXELS else contextlib.nullcontext():
                image.load()
                # loading rotates a TIFF, but older versions of Pillow keep the old orientation tag
                turn = 1 if image.format == "TIFF" else _orientation(image)
                flat = _flat(image, side)
            upright = _UPRIGHT.get(turn)
            if upright is not None:
                flat = flat.transpose(Image.Transpose(upright))
            out = io.BytesIO()
            flat.save(out, "JPEG", quality=_QUALITY)
            return out.getvalue()
    except Image.DecompressionBombError:
        raise _Unshowable(f"{name} is too large to be shown.") from None
    except _DAMAGE as e:
        raise _Unshowable(f"{name} cannot be shown ({show(str(e)) or type(e).__name__}).") from None


# Image.Transpose's numbers by EXIF orientation
_UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


def _flat(image: Image, side: int) -> Image:
    """The picture as RGB, no larger than needed, what is transparent over white."""
    from PIL import Image as module

    if image.mode.startswith("I"):
        top = float(image.convert("I").getextrema()[1])  # type: ignore[arg-type]
        if top > 255:
            image = image.convert("I").point(lambda v: v * (1 / 257) + 0)
        image = image.convert("L")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode != "RGB":
        image = image.convert("RGB")
    image.thumbnail((side, side), module.Resampling.LANCZOS, reducing_gap=2.0)
    if image.mode == "RGBA":
        flat = module.new("RGB", image.size, (255, 255, 255))
        flat.paste(image, mask=image.getchannel("A"))
        return flat
    return image


def _orientation(image: Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except _DAMAGE:
        return 1  # the metadata is broken but the picture is valid


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The open file. Raises _Unshowable for what must not be opened (opening a pipe would block for ever)."""
    name = show(path.name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _Unshowable(f"{name} is not an ordinary file.")
        file: IO[bytes] = path.open("rb")
    except (OSError, ValueError) as e:
        raise _Unshowable(f"{name} cannot be read ({getattr(e, 'strerror', None) or e}).") from None
    with file:
        yield file


@functools.lru_cache(maxsize=1)
def _formats() -> list[str]:
    from PIL import Image

    Image.init()
    try:
        importlib.import_module("PIL._avif")
    except ImportError:
        # Pillow without AVIF of its own (before 11.3): the plugin registers itself when imported
        with contextlib.suppress(ImportError):
            importlib.import_module("pillow_avif")
    return [name for name in _FORMATS if name in Image.OPEN]


@functools.lru_cache(maxsize=len(SIDES))
def placeholder(side: int) -> bytes:
    """The placeholder of a picture that cannot be shown: a frame with a torn picture in it, as a JPEG."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (side, side), (128, 128, 132))
    draw = ImageDraw.Draw(image)
    u = side / 24
    line, paper = (90, 90, 94), (168, 168, 172)
    draw.rectangle((6 * u, 7 * u, 18 * u, 17 * u), fill=paper, outline=line, width=max(1, round(u / 2)))
    draw.ellipse((8 * u, 9 * u, 10 * u, 11 * u), fill=line)
    draw.polygon(
        [(7 * u, 16 * u), (11 * u, 12 * u), (13 * u, 14 * u), (15 * u, 11 * u), (17 * u, 16 * u)], fill=line
    )
    tear = [(14 * u, 5 * u), (11 * u, 10 * u), (13.5 * u, 12 * u), (10 * u, 19 * u)]
    draw.line(tear, fill=(128, 128, 132), width=max(2, round(u)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _database(file: Path) -> sqlite3.Connection | None:
    """The database of stored thumbnails, replaced when it is damaged; None if it cannot be written."""
    if not may_keep_files(file.parent):
        return None
    if not have_own_files(file):
        remove(file)
    for attempt in range(2):
        db = None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(file, timeout=5, check_same_thread=False, isolation_level=None)
            db.execute("PRAGMA trusted_schema=OFF")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=OFF")  # lost thumbnails are made again
            if not tables(db):
                db.executescript(_SCHEMA)
            if tables(db) != tables_of(_SCHEMA):
                raise sqlite3.DatabaseError("malformed: its tables are not ours")
            return db
        except OSError:
            return None
        except sqlite3.DatabaseError as e:
            if db is not None:
                db.close()
            if attempt or ("not a database" not in str(e) and "malformed" not in str(e)):
                return None
            remove(file)
    return None
