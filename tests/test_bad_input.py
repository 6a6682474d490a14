"""One folder with everything that goes wrong: the good pictures get captions, each bad one a sentence."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "classroom.jpg"


def bomb(path: Path, side: int = 20_000) -> None:
    """A PNG of a few kilobytes that would unpack to more than a gigabyte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    packer = zlib.compressobj(9)
    row = b"\0" + b"\xff" * (side * 3)
    data = b"".join(packer.compress(row) for _ in range(200)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "everything"
    root.mkdir()
    picture = Image.open(SAMPLE).convert("RGB")
    # good, each in its own way
    picture.save(root / "plain.png")
    picture.quantize(32).save(root / "palette.png")
    picture.convert("CMYK").save(root / "cmyk.jpg", quality=90)
    picture.save(root / "picture.webp")
    picture.save(root / "animated.gif", save_all=True, append_images=[picture.rotate(90)] * 2)
    picture.rotate(90, expand=True).save(root / "turned.jpg", exif=_turned(), quality=95)
    clear = picture.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save(root / "transparent.png")
    grey = picture.convert("L").point(lambda v: v * 257, "I").convert("I;16")
    grey.save(root / "sixteen.png")
    try:
        picture.save(root / "other.avif")
    except (KeyError, OSError):
        import pillow_avif  # noqa: F401 - registers the format

        picture.save(root / "other.avif")
    # bad
    (root / "cut.jpg").write_bytes(SAMPLE.read_bytes()[:20_000])
    (root / "short.png").write_bytes((root / "plain.png").read_bytes()[:30_000])
    (root / "empty.jpg").touch()
    (root / "text.png").write_text("not a picture", encoding="utf-8")
    bomb(root / "bomb.png")
    (root / "gone.png").symlink_to(root / "nowhere.png")
    (root / "folder.png").mkdir()
    return root


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    return exif


def test_everything_at_once(folder: Path) -> None:
    bad = {"cut.jpg", "short.png", "empty.jpg", "text.png", "bomb.png", "gone.png"}
    good = {p.name for p in folder.iterdir() if not p.is_dir()} - bad
    done = subprocess.run(
        [sys.executable, "-m", "lib_extend", "tag", str(folder), "--tagger", "sketch", "--offline", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    failed = {e["path"]: e["reason"] for e in events if e["event"] == "failed"}
    captions = {e["path"]: e["caption"] for e in events if e["event"] == "image"}
    assert set(failed) == bad and set(captions) == good
    for name, reason in failed.items():
        assert name in reason and reason.endswith(".") and "\n" not in reason and len(reason) < 300
        assert "Error" not in reason and "Traceback" not in reason
        assert not (folder / name).with_suffix(".txt").exists()
    # the same scene in every format is the same scene to the tagger
    expected = {"1boy", "solo", "indoors", "chair"}
    for name in good - {"transparent.png", "sixteen.png"}:
        assert expected <= set(captions[name].split(", ")), name


def test_empty_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lib_extend", "tag", str(tmp_path), "--tagger", "sketch", "--offline"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and "0 images" in done.stdout + done.stderr
    assert not [p for p in os.listdir(tmp_path) if p.endswith(".txt")]


def test_pictures_are_never_touched(folder: Path, tmp_path: Path) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    subprocess.run(
        [sys.executable, "-m", "lib_extend", "tag", str(folder), "--tagger", "sketch", "--offline"],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
    )
    assert {n: (folder / n).read_bytes() for n in before} == before
    shutil.rmtree(folder)
