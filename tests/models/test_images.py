"""Preprocessing against a reference written as plainly as can be, over modes, sizes and reductions."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extend.analysis import decode
from lib_extend.models import images

from .pictures import MODES, difference, fitted, opaque, padded_square, picture, stretched

LIMIT = 0.2  # of 255, mean over pictures
ROUNDED = 0.25  # of one picture: averages are rounded to whole numbers once more

# Dots one pixel wide all over: as sharp as pictures get, so that averaging first shows more.
DITHERED = {"P": 1.0, "P+transparency": 1.5, "1": 4.0}


def test_the_decoder_and_the_taggers_name_the_covered_box_alike() -> None:
    assert (images.COVERED, images.SCALE) == (decode.COVERED, decode.SCALE)


@pytest.mark.parametrize("mode", MODES)
def test_padded_square_equals_the_reference(mode: str) -> None:
    found = []
    for size in [(700, 500), (1500, 2100), (2003, 1501)]:
        image = picture(*size, seed=3, mode=mode)
        found.append(difference(np.asarray(images.pad_square(image, 448)), padded_square(image, 448)))
    assert np.mean(found) <= DITHERED.get(mode, LIMIT)
    assert max(found) <= DITHERED.get(mode, ROUNDED)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    width=st.integers(1, 2100),
    height=st.integers(1, 1200),
    mode=st.sampled_from(["RGB", "L", "RGBA", "LA", "CMYK", "I;16"]),
    seed=st.integers(0, 5),
)
def test_padded_square_at_any_size(width: int, height: int, mode: str, seed: int) -> None:
    image = picture(width, height, seed, mode)
    before = image.tobytes()
    result = images.pad_square(image, 448)
    assert result.size == (448, 448) and result.mode == "RGB"
    assert difference(np.asarray(result), padded_square(image, 448)) <= ROUNDED
    assert image.tobytes() == before, "the decoder's picture may be used again"


def test_small_pictures_are_exactly_the_reference() -> None:
    for size in [(1, 1), (448, 448), (447, 448), (3, 800), (895, 500), (640, 480)]:
        image = picture(*size, seed=1)
        assert np.array_equal(np.asarray(images.pad_square(image, 448)), padded_square(image, 448)), size


def test_the_picture_ends_where_it_ends() -> None:
    """A black picture on white: the edge's position to a fraction of a pixel is its pixels' grey."""
    for width, height in [(2001, 1000), (2003, 1333), (1001, 3001), (4000, 17)]:
        image = Image.new("RGB", (width, height))
        ours = np.asarray(images.pad_square(image, 448), np.float64)
        theirs = padded_square(image, 448).astype(np.float64)
        # Along the shorter side, the sum of darkness is its length.
        axis = 0 if width > height else 1
        dark, expected = (255 - a.mean(axis=(1 - axis, 2)) for a in (ours, theirs))
        assert abs(dark.sum() - expected.sum()) / 255 < 0.1, (width, height)
        assert np.abs(dark - expected).max() < 12, (width, height)


@pytest.mark.parametrize("size", [(2000, 1500), (2003, 1501), (3001, 1999), (1795, 2993)], ids=str)
def test_reduced_pictures_stay_in_place(size: tuple[int, int]) -> None:
    """A picture averaged down by the decoder, with its covered box, gives what the original gives."""
    original = picture(*size, seed=5)
    factor = int(max(size) / 896)
    small = original.reduce(factor)
    small.info |= {images.COVERED: (0.0, 0.0, size[0] / factor, size[1] / factor), images.SCALE: factor}
    assert difference(np.asarray(images.pad_square(small, 448)), padded_square(original, 448)) <= 0.3
    close = images.resize(small, (448, 448), Image.Resampling.BILINEAR)
    assert difference(np.asarray(close), stretched(original, 448)) <= 0.5
    # Taken for an original of its own size it would be shifted or stretched.
    box = small.info.pop(images.COVERED)
    if box[2:] != small.size:
        wrong = difference(np.asarray(images.pad_square(small, 448)), padded_square(original, 448))
        small.info[images.COVERED] = box
        assert wrong > difference(np.asarray(images.pad_square(small, 448)), padded_square(original, 448))


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("turn", [1, 3, 5, 8])
def test_behind_the_decoder(tmp_path: Path, format: str, turn: int) -> None:
    image = picture(2003, 1501, seed=2)
    path = tmp_path / f"a.{format.lower()}"
    exif = Image.Exif()
    exif[0x0112] = turn
    image.save(path, format, exif=exif, **({"quality": 95} if format == "JPEG" else {"compress_level": 1}))
    decoded = decode.decode(str(path), side=448)
    upright = decode.decode(str(path)).image
    assert decoded.image.size != upright.size or format == "PNG"
    # JPEG's own scaling differs from averaging by rounding.
    limit = ROUNDED if format == "PNG" else 0.8
    assert difference(np.asarray(images.pad_square(decoded.image, 448)), padded_square(upright, 448)) <= limit


@pytest.mark.parametrize("mode", MODES)
def test_stretched_and_fitted_equal_the_reference(mode: str) -> None:
    limit = DITHERED.get(mode, 0.3)
    for size in [(600, 900), (1603, 1203)]:
        image = picture(*size, seed=4, mode=mode)
        close = images.resize(images.carry(image), (448, 448), Image.Resampling.BILINEAR)
        assert difference(np.asarray(close), stretched(image, 448)) <= limit
        for filter in (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS):
            small = images.fit(image, 512, filter)
            square = images.lay_on(small, (512, 512), (124, 116, 104))
            assert difference(np.asarray(square), fitted(image, 512, filter, (124, 116, 104))) <= limit


@pytest.mark.parametrize("mode", MODES)
def test_flatten_lays_what_is_transparent_over_white(mode: str) -> None:
    image = picture(60, 40, seed=6, mode=mode)
    flat = images.flatten(image)
    assert flat.mode == "RGB"
    assert np.abs(np.asarray(flat, int) - np.asarray(opaque(image), int)).max() <= 1


@pytest.mark.parametrize(
    ("dtype", "values", "wanted"),
    [
        (np.uint16, [0, 257, 32_896, 65_535], [0, 1, 128, 255]),
        (np.uint16, [0, 100, 200, 257], [0, 0, 1, 1]),  # dark, and no 8-bit picture in a wide type
        (np.int32, [0, 1, 128, 255], [0, 1, 128, 255]),  # this may be one
        (np.int32, [-5, 257, 32_896, 65_535], [0, 1, 128, 255]),
        (np.int32, [0, 2**29, 2**30], [0, 128, 255]),
        (np.float32, [0, 0.25, 0.5, 1], [0, 64, 128, 255]),
        (np.float32, [0, 64, 128, 255], [0, 64, 128, 255]),
        (np.float32, [0, 250, 500, 1000], [0, 64, 128, 255]),
        (np.float32, [np.nan, 0.5, np.inf, -np.inf], [0, 128, 128, 0]),
    ],
)
def test_deep_grey_is_scaled_not_clipped(dtype: Any, values: list[float], wanted: list[int]) -> None:
    image = Image.fromarray(np.array([values], dtype))
    assert image.mode in ("I;16", "I", "F")
    assert np.asarray(images.eight_bit(image)).tolist() == [wanted]
    assert np.asarray(images.flatten(image)).tolist() == [[[v] * 3 for v in wanted]]


def test_a_png_of_32_bit_mode_holds_16_bits() -> None:
    image = Image.fromarray(np.array([[0, 100, 200]], np.int32))
    image.format = "PNG"  # as older Pillows open one of 16 bits
    assert np.asarray(images.eight_bit(image)).tolist() == [[0, 0, 1]]


def test_whole_pixels_survive_rounding_errors() -> None:
    for n in range(1, 4000, 7):
        assert images.whole(n / 3 * 512 / (n / 3)) == 512


def test_threads_do_not_disturb_each_other() -> None:
    sources = [picture(1000 + 7 * i, 800, seed=i, mode="RGBA" if i % 2 else "RGB") for i in range(8)]
    expected = [np.asarray(images.pad_square(s, 224)) for s in sources]
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(3):
            for source, right in zip(sources, expected, strict=True):
                if not np.array_equal(np.asarray(images.pad_square(source, 224)), right):
                    wrong.append(source)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
