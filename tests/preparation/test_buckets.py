"""Buckets are those of sd-scripts 0.10.1: its own numbers, and a plain retelling of its code."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.errors import UserError
from lib_extend.preparation.buckets import (
    BucketSettings,
    Size,
    bucket_sizes,
    fit,
    parse_resolution,
    square,
    table,
)

XL = BucketSettings()


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        (XL, 41),
        (BucketSettings(steps=32), 81),
        (BucketSettings(high=1024), 25),
        (BucketSettings(high=4096), 97),
        (BucketSettings((512, 512), 256, 1024), 17),
        (BucketSettings((768, 768), 256, 1024), 19),
    ],
)
def test_how_many_buckets_there_are(settings: BucketSettings, count: int) -> None:
    assert len(bucket_sizes(settings)) == count


@pytest.mark.parametrize(
    ("picture", "bucket", "resized"),
    [
        ((1920, 1080), (1344, 768), (1365, 768)),
        ((1080, 1920), (768, 1344), (768, 1365)),
        ((1000, 1500), (832, 1216), (832, 1248)),
        ((500, 700), (832, 1216), (869, 1216)),
        ((640, 480), (1152, 896), (1195, 896)),
        ((3000, 400), (2048, 256), (2048, 273)),
    ],
)
def test_pictures_that_may_be_enlarged(picture: Size, bucket: Size, resized: Size) -> None:
    found = fit(*picture, XL)
    assert (found.bucket, found.resized) == (bucket, resized)


@pytest.mark.parametrize(
    ("picture", "bucket", "resized"),
    [
        ((500, 700), (448, 640), (500, 700)),
        ((640, 480), (640, 448), (640, 480)),
        ((1300, 731), (1280, 704), (1300, 731)),
        ((3000, 400), (2368, 320), (2400, 320)),
    ],
)
def test_pictures_that_are_never_enlarged(picture: Size, bucket: Size, resized: Size) -> None:
    found = fit(*picture, BucketSettings(no_upscale=True))
    assert (found.bucket, found.resized) == (bucket, resized)


def test_smaller_steps_lose_less() -> None:
    found = fit(1000, 1500, BucketSettings(steps=32))
    assert (found.bucket, found.cut) == ((832, 1248), 0)
    assert fit(1000, 1500, XL).cut == pytest.approx(32 / 1248)


sides = st.integers(70, 6000)


@given(sides, sides, st.sampled_from([32, 64]), st.booleans(), st.sampled_from([512, 768, 1024]))
def test_a_bucket_is_never_larger_than_it_may_be(
    width: int, height: int, steps: int, no_upscale: bool, side: int
) -> None:
    settings = BucketSettings((side, side), 256, 2 * side, steps, no_upscale)
    try:
        found = fit(width, height, settings)
    except UserError:
        assert no_upscale
        return
    assert all(s % steps == 0 and s > 0 for s in found.bucket)
    assert 0 <= found.cut < 1
    if no_upscale:
        assert found.scale <= 1.01 and found.bucket[0] <= found.resized[0]
    else:
        assert found.bucket[0] * found.bucket[1] <= settings.area or (width, height) == found.bucket
        # one side is met exactly, the other is cut
        assert found.bucket[0] == found.resized[0] or found.bucket[1] == found.resized[1]
        nearest = min(abs(w / h - width / height) for w, h in bucket_sizes(settings))
        chosen = abs(found.bucket[0] / found.bucket[1] - width / height)
        assert math.isclose(chosen, nearest)


def test_the_table_names_what_is_worth_a_look() -> None:
    pictures = [("a", 1024, 1024), ("b", 1024, 1024), ("c", 400, 400), ("d", 1920, 1080), ("e", 3000, 400)]
    result = table(pictures, XL, batch_size=2, repeats={"a": 3})
    assert [(r.size, len(r.names), r.batches) for r in result.rows] == [
        ((1024, 1024), 3, 3),
        ((1344, 768), 1, 1),
        ((2048, 256), 1, 1),
    ]
    assert result.enlarged == (("c", 2.56),) and result.lone == ("d", "e") and result.batches == 5
    assert [n for n, _ in result.cut] == ["e"] and result.cut[0][1] == pytest.approx(17 / 273, abs=1e-3)
    assert 0 < result.lost < 0.05
    small = table([("a", 60, 900), ("b", 100, 100)], BucketSettings(no_upscale=True))
    assert small.too_small == ("a",) and set(small.fits) == {"b"}


def test_settings_that_sd_scripts_refuses() -> None:
    for wrong in ({"resolution": (200, 1024)}, {"high": 900}, {"steps": 4}):
        with pytest.raises(UserError):
            BucketSettings(**wrong)  # type: ignore[arg-type]
    assert square(512) == BucketSettings((512, 512), 256, 1024)
    assert parse_resolution("832x1216") == (832, 1216) and parse_resolution("768") == (768, 768)
    with pytest.raises(ValueError):
        parse_resolution("12")
