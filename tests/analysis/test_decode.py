"""Every kind of picture file a dataset folder may hold, sound and broken, made here and decoded."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from lib_extend.analysis import decode as module
from lib_extend.analysis.decode import COVERED, MAX_PIXELS, decode, reduced, reduction
from lib_extend.errors import ImageError

posix = pytest.mark.skipif(os.name != "posix", reason="names and permissions as POSIX has them")


def scene(width: int = 300, height: int = 200, mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue, the top left quarter green: orientation and colors are checkable."""
    image = Image.new("RGB", (width, height), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, width // 2, height))
    image.paste((0, 255, 0), (0, 0, width // 2, height // 2))
    return image.convert(mode)


def corner_colors(image: Image.Image) -> list[str]:
    """The nearest of red, green, blue at the four corners: top left, top right, bottom left, bottom right."""
    w, h = image.size
    image = image.convert("RGB")
    at = [
        (w // 8, h // 8),
        (w - w // 8 - 1, h // 8),
        (w // 8, h - h // 8 - 1),
        (w - w // 8 - 1, h - h // 8 - 1),
    ]
    return ["RGB"[int(np.argmax(image.getpixel(p)))] for p in at]


def reason(path: Path | str, **want: int) -> str:
    with pytest.raises(ImageError) as caught:
        decode(os.fspath(path), **want)
    text = caught.value.reason
    assert "\n" not in text and text.endswith(".") and ":" in text, "one sentence with its mend"
    return text


# --- sound pictures


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif", "bmp", "gif", "tiff", "ppm", "tga", "jfif"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    if suffix == "avif":
        module._formats()
    path = tmp_path / f"a.{suffix}"
    scene().save(path, format="JPEG" if suffix in ("jpg", "jfif") else suffix.upper())
    got = decode(str(path))
    assert (got.width, got.height, got.image.mode) == (300, 200, "RGB")
    assert corner_colors(got.image) == ["G", "B", "R", "B"]


def test_the_suffix_does_not_decide(tmp_path: Path) -> None:
    scene().save(tmp_path / "a.png", format="JPEG")
    assert decode(str(tmp_path / "a.png")).image.size == (300, 200)


@pytest.mark.parametrize("mode", ["P", "L", "1", "CMYK", "YCbCr", "LAB"])
def test_modes(tmp_path: Path, mode: str) -> None:
    image = scene(mode=mode)
    path = tmp_path / "a.tiff"
    image.save(path)
    try:
        with Image.open(path) as again:
            again.load()
    except OSError:
        pytest.skip(f"this Pillow cannot read the {mode} TIFF that it writes")
    got = decode(str(path)).image
    assert got.mode == "RGB"
    wanted = image.convert("RGB") if mode != "LAB" else got
    assert np.abs(np.asarray(got, int) - np.asarray(wanted, int)).mean() < 1


def test_palette_with_transparency(tmp_path: Path) -> None:
    image = scene().quantize(8)
    image.save(tmp_path / "a.png", transparency=image.getpixel((0, 0)))
    got = decode(str(tmp_path / "a.png")).image
    assert got.mode == "RGBA"
    assert got.getpixel((10, 10))[3] == 0 and got.getpixel((290, 10))[3] == 255


def test_transparent(tmp_path: Path) -> None:
    image = scene(mode="RGBA")
    image.putalpha(Image.new("L", image.size, 77))
    image.save(tmp_path / "a.png")
    got = decode(str(tmp_path / "a.png")).image
    assert got.mode == "RGBA" and got.getpixel((5, 5))[3] == 77


def test_alpha_that_hides_nothing_is_dropped(tmp_path: Path) -> None:
    scene(mode="RGBA").save(tmp_path / "a.png")
    assert decode(str(tmp_path / "a.png")).image.mode == "RGB"


def test_reducing_does_not_bleed_hidden_color(tmp_path: Path) -> None:
    pixels = np.zeros((400, 400, 4), np.uint8)
    pixels[:, 0::2] = (255, 0, 0, 0)  # red that nobody sees
    pixels[:, 1::2] = (0, 0, 255, 255)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    got = reduced(decode(str(tmp_path / "a.png")).image, 50 * 50)
    assert got.size == (100, 100)
    red, _, blue, alpha = got.getpixel((50, 50))
    assert red == 0 and blue > 250 and 120 <= alpha <= 135


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(8, 0)
    for name in ("a.png", "a.tiff"):
        Image.fromarray(ramp).save(tmp_path / name)
        row = np.asarray(decode(str(tmp_path / name)).image)[0, :, 0].astype(int)
        assert np.abs(row - np.arange(256)).max() <= 1


def test_float_and_32_bit(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(8, 0)
    Image.fromarray(ramp).save(tmp_path / "f.tiff")
    Image.fromarray((ramp * 2**30).astype(np.int32)).save(tmp_path / "i.tiff")
    for name in ("f.tiff", "i.tiff"):
        row = np.asarray(decode(str(tmp_path / name)).image)[0, :, 0].astype(int)
        assert np.abs(row - np.arange(256)).max() <= 1


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_first_of_several_frames(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    others = [Image.new("RGB", (300, 200), (255, 255, 255)) for _ in range(3)]
    scene().save(path, save_all=True, append_images=others)
    assert corner_colors(decode(str(path)).image) == ["G", "B", "R", "B"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "webp", "png", "tiff"])
def test_exif_orientation(tmp_path: Path, orientation: int, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    stored = scene(1200, 800)
    # Stored as a camera would: so that turning by the tag gives `scene` again.
    undo = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}.get(orientation)
    if undo:
        stored = stored.transpose(module._UPRIGHT[undo])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(path, exif=exif)
    for want in ({}, {"side": 200}):
        got = decode(str(path), **want)
        assert (got.width, got.height) == (1200, 800)
        assert got.image.width > got.image.height
        assert corner_colors(got.image) == ["G", "B", "R", "B"]


def test_a_tiff_is_turned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow turns TIFFs itself; versions before 10 still tell of the orientation afterwards."""
    exif = Image.Exif()
    exif[0x0112] = 6
    scene().transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.tiff", exif=exif)
    loading = TiffImagePlugin.TiffImageFile.load

    def load(image: Any) -> Any:
        loaded = loading(image)
        image.getexif()[0x0112] = 6
        return loaded

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", load)
    got = decode(str(tmp_path / "a.tiff"))
    assert got.image.size == (got.width, got.height) == (300, 200)
    assert corner_colors(got.image) == ["G", "B", "R", "B"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_broken_metadata_on_a_sound_picture(tmp_path: Path) -> None:
    scene().save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7fgarbage")
    assert decode(str(tmp_path / "a.jpg")).image.size == (300, 200)


@posix
@pytest.mark.parametrize(
    "name", [b"with space.png", b'\'"quotes".png', b"new\nline.png", "☃🎂.png".encode(), b"caf\xe9 \xff.png"]
)
def test_odd_names(tmp_path: Path, name: bytes) -> None:
    raw = os.path.join(os.fsencode(tmp_path), name)
    buffer = io.BytesIO()
    scene().save(buffer, "PNG")
    for content in (buffer.getvalue(), b""):
        try:
            with open(raw, "wb") as file:
                file.write(content)
        except OSError:
            pytest.skip("this file system does not take the name")
        path = os.fsdecode(raw)
        if content:
            assert decode(path).width == 300
        else:
            reason(path).encode("utf-8")  # printable on any terminal


# --- how much is decoded


def test_reduction_keeps_twice_what_is_needed() -> None:
    assert reduction(3000, 2000, None, None) == 1
    assert reduction(3000, 2000, 448, None) == pytest.approx(3000 / 896)
    assert reduction(3000, 2000, None, 1_000_000) == pytest.approx(6**0.5 / 2)
    assert reduction(3000, 2000, 448, 1_000_000) == pytest.approx(6**0.5 / 2)
    assert reduction(200, 100, 448, None) == 1


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("size", [(3001, 1999), (897, 896), (1792, 100), (5000, 37), (6, 5000)])
def test_reduced_pictures_are_large_enough(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"a.{suffix}"
    scene(*size).save(path)
    got = decode(str(path), side=448)
    assert (got.width, got.height) == size
    assert 896 <= max(got.image.size) <= max(size) or got.image.size == size
    if max(size) >= 3000 and suffix == "jpg":
        assert max(got.image.size) < 1800
    small = reduced(got.image, 40_000)
    assert 160_000 <= small.width * small.height <= 640_000 or small.size == got.image.size


@pytest.mark.parametrize("orientation", range(1, 9))
def test_reduced_pictures_show_the_same(tmp_path: Path, orientation: int) -> None:
    rng = np.random.default_rng(0)
    whole = Image.fromarray(rng.integers(0, 256, (27, 40, 3), np.uint8)).resize((2403, 1601), Image.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = orientation
    whole.save(tmp_path / "a.jpg", quality=95, exif=exif)
    if orientation > 1:
        whole = whole.transpose(module._UPRIGHT[orientation])
    got = decode(str(tmp_path / "a.jpg"), side=448).image
    assert got.width == (whole.width + 1) // 2
    size = (whole.width // 6, whole.height // 6)
    small = got.resize(size, Image.BICUBIC, box=got.info[COVERED])
    wanted = np.asarray(whole.resize(size, Image.BICUBIC), int)
    assert np.abs(np.asarray(small, int) - wanted).mean() < 0.4
    shifted = np.asarray(got.resize(size, Image.BICUBIC), int)
    assert np.abs(shifted - wanted).mean() > 0.5, "the box matters"


# --- broken pictures


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "avif", "bmp", "tiff"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9])
def test_cut_short(tmp_path: Path, suffix: str, kept: float) -> None:
    module._formats()
    noise = np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    text = reason(path, side=448)
    assert text.startswith(f"photo.{suffix} is ") and "copy it again" in text
    if suffix in ("jpg", "png", "webp") and kept >= 0.5:
        assert "cut short" in text


def test_a_cut_jpeg_is_no_better_when_scaled(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise = np.random.default_rng(1).integers(0, 256, (1500, 2000, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-20_000])
    assert "cut short" in reason(path, side=200)


def test_zero_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert reason(tmp_path / "a.png") == "a.png is empty (0 bytes): copy it again from where it came."


@pytest.mark.parametrize(
    "content", [b"hello, I am a caption\n", "тег, тег, тег — all long text é".encode() * 9]
)
@pytest.mark.parametrize("suffix", ["png", "jpg", "tga"])
def test_text(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(content)
    text = reason(tmp_path / f"a.{suffix}")
    assert suffix == "tga" or "holds text, not a picture" in text


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xff\x0a\xfa\x1f" + bytes(99), "JPEG XL"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "HEIF"),
        (b"\0\0\0\x18ftypisom" + bytes(99), "video"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "vector"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\x93\x12\xff\xfe" * 50, "known format"),
    ],
)
def test_not_a_picture(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert what in reason(tmp_path / "a.png")


def png_of_zeros(path: Path, width: int, height: int) -> None:
    """A whole, valid black PNG of one bit a pixel: tiny on the disk, huge in memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    row = bytes(1 + (width + 7) // 8)
    rows = b"".join([packer.compress(row) for _ in range(height)]) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("limit", [None, Image.MAX_IMAGE_PIXELS])
def test_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None) -> None:
    path = tmp_path / "bomb.png"
    png_of_zeros(path, 20_000, 20_000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # the worker lifts Pillow's own
    tracemalloc.start()
    text = reason(path, side=448)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "bomb.png is too large" in text and "make it smaller" in text
    assert limit is not None or "20,000 × 20,000" in text
    assert peak < 20_000_000
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_large_jpeg_is_scaled_while_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PIXELS", 4_000_000)
    path = tmp_path / "a.jpg"
    Image.new("RGB", (4000, 3000)).save(path)
    assert max(decode(str(path), side=448).image.size) < 1100
    assert "too large" in reason(path)
    Image.new("RGB", (4000, 3000)).save(path, progressive=True)
    assert "too large" in reason(path, side=448)  # its decoder holds all of it
    assert MAX_PIXELS > 170_000_000


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    assert "is a folder" in reason(tmp_path / "a.png")


def test_vanished(tmp_path: Path) -> None:
    assert reason(tmp_path / "a.png").startswith("a.png is gone")


@posix
def test_not_permitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    scene().save(path)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything: have the system refuse all the same

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    assert "may not be read" in reason(path)


@posix
def test_pipe_and_link_loop(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "not an ordinary file" in reason(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert "loop.png cannot be read" in reason(tmp_path / "loop.png")
    assert "not a name a file can have" in reason(f"{tmp_path}/nul\0.png")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_flipped_bits_never_escape_as_another_error(tmp_path: Path) -> None:
    module._formats()
    rng = np.random.default_rng(7)
    for suffix in ("png", "jpg", "webp", "gif", "avif", "bmp", "tiff"):
        buffer = io.BytesIO()
        scene(64, 48).save(buffer, {"jpg": "JPEG", "tiff": "TIFF"}.get(suffix, suffix.upper()))
        sound = buffer.getvalue()
        path = tmp_path / f"a.{suffix}"
        for _ in range(60):
            damaged = bytearray(sound)
            for at in rng.integers(0, min(len(sound), 400), 3):
                damaged[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(damaged)
            try:
                decode(str(path), side=16)
            except ImageError as error:
                assert "\n" not in error.reason
