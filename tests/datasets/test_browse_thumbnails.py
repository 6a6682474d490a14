"""Thumbnails: right side up, bounded, kept, and never an error."""

from __future__ import annotations

import io
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from lib_extend.datasets import thumbnails
from lib_extend.datasets.thumbnails import FILE, Thumbnail, Thumbnails, picture_size


@pytest.fixture
def thumbs(tmp_path: Path) -> Iterator[Thumbnails]:
    them = Thumbnails(tmp_path / "state")
    yield them
    them.close()


def get(thumbs: Thumbnails, path: Path, side: int = 192) -> Thumbnail:
    s = path.stat()
    return thumbs.get(path, s.st_size, s.st_mtime_ns, side)


def opened(thumb: Thumbnail) -> Image.Image:
    assert not thumb.problem, thumb.problem
    image = Image.open(io.BytesIO(thumb.data))
    assert image.format == "JPEG" and image.mode == "RGB"
    return image


def corners(image: Image.Image) -> str:
    """The corners' colors, clockwise from the top left."""
    w, h = image.size
    names = ""
    for x, y in ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)):
        r, g, b = image.getpixel((int(w * x), int(h * y)))  # type: ignore[misc]
        names += "w" if min(r, g, b) > 200 else "rgb"[(r, g, b).index(max(r, g, b))]
    return names


def quarters(size: tuple[int, int] = (400, 200)) -> Image.Image:
    """Red, green, blue and white, clockwise from the top left."""
    image = Image.new("RGB", size, "white")
    w, h = size[0] // 2, size[1] // 2
    image.paste((255, 0, 0), (0, 0, w, h))
    image.paste((0, 255, 0), (w, 0, 2 * w, h))
    image.paste((0, 0, 255), (w, h, 2 * w, 2 * h))
    return image


def rotated(turn: int) -> Image.Image:
    """`quarters` as a camera held that way stores it."""
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270, 3: Image.Transpose.ROTATE_180}
    back |= {2: Image.Transpose.FLIP_LEFT_RIGHT, 4: Image.Transpose.FLIP_TOP_BOTTOM}
    back |= {5: Image.Transpose.TRANSPOSE, 7: Image.Transpose.TRANSVERSE}
    return quarters().transpose(back[turn]) if turn in back else quarters()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_upright(tmp_path: Path, thumbs: Thumbnails, suffix: str, turn: int) -> None:
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = turn
    rotated(turn).save(path, exif=exif)
    image = opened(get(thumbs, path))
    assert (image.size, corners(image)) == ((192, 96), "rgbw")
    assert picture_size(path) == (400, 200)


@pytest.mark.parametrize("side", [192, 384, 1280])
def test_sides(tmp_path: Path, thumbs: Thumbnails, side: int) -> None:
    quarters((3000, 1500)).save(tmp_path / "large.jpg")
    quarters((40, 80)).save(tmp_path / "small.png")
    assert opened(get(thumbs, tmp_path / "large.jpg", side)).size == (side, side // 2)
    assert opened(get(thumbs, tmp_path / "small.png", side)).size == (40, 80), "nothing is blown up"


def test_modes(tmp_path: Path, thumbs: Thumbnails) -> None:
    clear = quarters().convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 200, 100))
    clear.save(tmp_path / "clear.png")
    assert corners(opened(get(thumbs, tmp_path / "clear.png"))) == "wgbw", "transparent is white"
    quarters().convert("P").save(tmp_path / "palette.gif")
    assert corners(opened(get(thumbs, tmp_path / "palette.gif"))) == "rgbw"
    quarters().convert("CMYK").save(tmp_path / "cmyk.jpg")
    assert corners(opened(get(thumbs, tmp_path / "cmyk.jpg"))) == "rgbw"
    Image.new("I;16", (100, 100), 40000).save(tmp_path / "deep.png")
    grey = opened(get(thumbs, tmp_path / "deep.png")).getpixel((50, 50))
    assert all(abs(v - 156) <= 2 for v in grey), grey  # type: ignore[union-attr]


def test_broken_ones_are_drawn(tmp_path: Path, thumbs: Thumbnails, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.png").write_text("<html>", encoding="utf-8")
    (tmp_path / "empty.jpg").touch()
    quarters().save(tmp_path / "cut.png")
    data = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "folder.png").mkdir()
    for name in ("text.png", "empty.jpg", "cut.png", "folder.png", "gone.png"):
        thumb = thumbs.get(tmp_path / name, 1, 1, 384)
        assert name in thumb.problem and thumb.problem.endswith("."), thumb
        assert Image.open(io.BytesIO(thumb.data)).size == (384, 384)
    assert picture_size(tmp_path / "text.png") == picture_size(tmp_path / "gone.png") == (0, 0)
    # mended under the same name
    quarters().save(tmp_path / "text.png")
    assert opened(thumbs.get(tmp_path / "text.png", 1, 1, 384)).size == (384, 192)
    monkeypatch.setattr(thumbnails, "MAX_PIXELS", 1000)
    quarters((300, 200)).save(tmp_path / "bomb.png")
    assert "too large to be shown (300 × 200 pixels)" in get(thumbs, tmp_path / "bomb.png").problem
    quarters((300, 200)).save(tmp_path / "bomb.jpg", progressive=True)
    assert "too large" in get(thumbs, tmp_path / "bomb.jpg").problem


def test_a_bomb_is_not_decoded(tmp_path: Path, thumbs: Thumbnails) -> None:
    """A PNG of 900 million pixels in a few hundred bytes: refused from its head."""
    head = b"\0\0\0\rIHDR" + (30_000).to_bytes(4, "big") * 2 + b"\x01\0\0\0\0"
    import zlib

    png = b"\x89PNG\r\n\x1a\n" + head + zlib.crc32(head[4:]).to_bytes(4, "big") + b"\0\0\0\0IDAT" + bytes(200)
    (tmp_path / "bomb.png").write_bytes(png)
    assert "too large to be shown" in get(thumbs, tmp_path / "bomb.png").problem
    assert picture_size(tmp_path / "bomb.png") == (0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
def test_a_pipe_is_not_opened(tmp_path: Path, thumbs: Thumbnails) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "not an ordinary file" in get(thumbs, tmp_path / "pipe.png").problem
    assert picture_size(tmp_path / "pipe.png") == (0, 0)


def test_kept_until_the_picture_changes(tmp_path: Path, thumbs: Thumbnails) -> None:
    path = tmp_path / "a.png"
    quarters().save(path)
    first = thumbs.get(path, 1, 1, 192)
    path.unlink()
    assert thumbs.get(path, 1, 1, 192) == first, "kept"
    Image.new("RGB", (50, 50), "red").save(path)
    second = thumbs.get(path, 2, 1, 192)
    assert second.etag != first.etag and opened(second).size == (50, 50)
    thumbs.close()
    again = Thumbnails(tmp_path / "state")
    assert again.get(path, 1, 1, 192) == first, "kept over a restart"
    again.close()


def noise(path: Path, seed: int) -> None:
    Image.frombytes("RGB", (192, 192), random.Random(seed).randbytes(192 * 192 * 3)).save(path)


def test_the_store_is_bounded(tmp_path: Path) -> None:
    thumbs = Thumbnails(tmp_path / "state", most_bytes=400_000)
    for i in range(40):
        noise(tmp_path / f"{i}.png", i)
        data = get(thumbs, tmp_path / f"{i}.png").data
        assert len(data) > 20_000
    assert thumbs._bytes <= 400_000
    thumbs.close()
    assert (tmp_path / "state" / FILE).stat().st_size < 800_000
    again = Thumbnails(tmp_path / "state", most_bytes=400_000)
    assert 200_000 < again._bytes <= 400_000
    path = tmp_path / "39.png"
    stamp = path.stat()
    path.unlink()
    assert not again.get(path, stamp.st_size, stamp.st_mtime_ns, 192).problem, "the newest are still there"
    again.close()


def test_a_damaged_or_forbidden_store(tmp_path: Path) -> None:
    quarters().save(tmp_path / "a.png")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE).write_bytes(b"this is not a database" * 100)
    thumbs = Thumbnails(tmp_path / "state")
    assert opened(get(thumbs, tmp_path / "a.png"))
    thumbs.close()
    (tmp_path / "file").touch()
    nowhere = Thumbnails(tmp_path / "file" / "state")
    assert opened(get(nowhere, tmp_path / "a.png"))
    nowhere.close()
