"""Shrinking with and without the SIMD package: the same picture, in any thread, at any part of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from lib_extend.models import images, resampling

FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where the package is not installed."""
    monkeypatch.setitem(sys.modules, "cykooz_resizer", None)
    resampling._package.cache_clear()
    yield
    monkeypatch.undo()
    resampling._package.cache_clear()


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    soft = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)).resize((width, height))
    soft.paste((200, 10, 30), (width // 3, height // 4, width // 2, height // 2))
    return soft


def difference(a: Image.Image, b: Image.Image) -> float:
    return float(np.abs(np.asarray(a, np.int16) - np.asarray(b, np.int16)).mean())


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("box", [(0, 0, 1203, 997), (0.3, 0.7, 1202.6, 996.1), (100.5, 3.0, 1101.25, 905.0)])
def test_any_part_is_as_pillow_shrinks_it(filter: int, box: resampling.Box) -> None:
    pytest.importorskip("cykooz_resizer")
    assert resampling.fast()
    image = picture(1203, 997)
    ours = resampling.shrink(image, (320, 300), filter, box)
    assert ours.size == (320, 300) and ours.mode == "RGB"
    assert difference(ours, image.resize((320, 300), Image.Resampling(filter), box=box)) < 0.3
    shifted = (box[0], box[1], box[2] - 2, box[3] - 2)
    assert difference(ours, image.resize((320, 300), Image.Resampling(filter), box=shifted)) > 0.3


@pytest.mark.parametrize(
    ("mode", "size"), [("RGBA", (90, 90)), ("L", (90, 90)), ("RGB", (300, 90)), ("RGB", (900, 900))]
)
def test_what_it_is_not_for_is_pillows_to_the_bit(mode: str, size: tuple[int, int]) -> None:
    image = picture(400, 400).convert(mode)
    box = (0.5, 0.0, 400.0, 399.5)
    ours = resampling.shrink(image, size, Image.Resampling.BICUBIC, box)
    assert ours == image.resize(size, Image.Resampling.BICUBIC, box=box)


def test_threads_do_not_share_a_resizer() -> None:
    shrunk = [picture(1000 + i, 900, i) for i in range(12)]
    alone = [images.pad_square(image, 300) for image in shrunk]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(lambda image: images.pad_square(image, 300), shrunk)) == alone


def test_without_the_package_pillow_does_it(without: None) -> None:
    assert not resampling.fast()
    for size in [(2003, 1501), (950, 1790)]:
        image = picture(*size)
        square = max(size)
        canvas = Image.new("RGB", (square, square), images.WHITE)
        canvas.paste(image, ((square - size[0]) // 2, (square - size[1]) // 2))
        whole = canvas.resize((448, 448), Image.Resampling.BICUBIC)
        assert difference(images.pad_square(image, 448), whole) <= 0.3
