"""Aspect-ratio buckets exactly as sd-scripts computes them (library/model_util.py, train_util.BucketManager, 0.10.1).

A bucket is a size, (width, height) in pixels, that a picture is resized and cut to; a batch has pictures of one bucket.
Pure arithmetic: no picture is opened.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lib_extend.errors import Message

Size = tuple[int, int]

UPSCALE_SHOWN = 1.5
"""From which enlargement on a picture is named: it gets soft."""
CUT_SHOWN = 0.05
"""From which share of the area on a cut is named."""
RESOLUTIONS = {"sd15": 512, "sdxl": 1024, "anima": 1024}
"""Side of the square whose area a family of base models is trained with."""

RANGE = Message(
    "bucket_range",
    "Buckets need a smallest side of at most {short} and a largest of at least {long} for {width}x{height}: they go from {low} to "
    "{high}.",
)
STEPS = Message(
    "bucket_steps", "Buckets go in steps of 8 to 512 pixels, not of {steps}; SDXL needs multiples of 32."
)
TOO_SMALL = Message(
    "too_small_for_bucket",
    "A picture of {width}x{height} is smaller than one step of {steps} pixels: nothing of it would stay.",
)


@dataclass(frozen=True)
class BucketSettings:
    """What buckets are made from, by sd-scripts' names.

    Attributes:
        resolution: (width, height) whose area no bucket exceeds. low, high: shortest and longest side of a bucket
            (min_bucket_reso, max_bucket_reso), before rounding to steps: down and up. steps: sides are multiples of it.
        no_upscale: pictures are never enlarged (bucket_no_upscale); then low and high have no effect.
    """

    resolution: Size = (1024, 1024)
    low: int = 256
    high: int = 2048
    steps: int = 64
    no_upscale: bool = False

    def __post_init__(self) -> None:
        """Raises UserError for what sd-scripts refuses."""
        if not 8 <= self.steps <= 512:
            raise STEPS.error(steps=self.steps, field="bucket_steps")
        width, height = self.resolution
        low, high = self.sides
        if min(width, height) < low or max(width, height) > high or low < 1:
            raise RANGE.error(
                short=min(width, height),
                long=max(width, height),
                width=width,
                height=height,
                low=self.low,
                high=self.high,
                field="resolution",
            )

    @property
    def sides(self) -> Size:
        """Shortest and longest side after rounding to steps."""
        return self.low - self.low % self.steps, math.ceil(self.high / self.steps) * self.steps

    @property
    def area(self) -> int:
        return self.resolution[0] * self.resolution[1]


@dataclass(frozen=True)
class Fit:
    """How one picture is resized and cut to its bucket.

    Attributes:
        bucket: the size it ends with. resized: the size before the centre is cut out. scale: by how much it is enlarged.
        cut: share 0…1 of its area that is cut off.
    """

    bucket: Size
    resized: Size
    scale: float
    cut: float


@functools.lru_cache(maxsize=64)
def bucket_sizes(settings: BucketSettings) -> tuple[Size, ...]:
    """All buckets, in sd-scripts' order; not for `no_upscale`, where each picture's own size makes its bucket."""
    low, high = settings.sides
    steps, area = settings.steps, settings.area
    side = int(math.sqrt(area) // steps) * steps
    sizes = {(side, side)}
    for width in range(low, high + 1, steps):
        height = min(high, int((area // width) // steps) * steps)
        if height >= low:
            sizes |= {(width, height), (height, width)}
    return tuple(sorted(sizes))


def fit(width: int, height: int, settings: BucketSettings) -> Fit:
    """The bucket of a picture of this size (upright, as it will be trained).

    Raises:
        UserError: with `no_upscale`, when a side is shorter than a step.
    """
    bucket, resized = (
        _own(width, height, settings) if settings.no_upscale else _chosen(width, height, settings)
    )
    if not all(bucket):
        raise TOO_SMALL.error(width=width, height=height, steps=settings.steps)
    kept = min(bucket[0], resized[0]) * min(bucket[1], resized[1])
    scale = max(resized[0] / width, resized[1] / height)
    return Fit(bucket, resized, scale, 1 - kept / (resized[0] * resized[1]))


def _chosen(width: int, height: int, settings: BucketSettings) -> tuple[Size, Size]:
    ratio = width / height
    sizes = bucket_sizes(settings)
    # the first of equally near buckets, as numpy's argmin returns it
    bucket = (
        (width, height) if (width, height) in sizes else min(sizes, key=lambda s: abs(s[0] / s[1] - ratio))
    )
    # where the picture is wider than its bucket, the heights are made equal
    scale = bucket[1] / height if ratio > bucket[0] / bucket[1] else bucket[0] / width
    return bucket, (int(width * scale + 0.5), int(height * scale + 0.5))


def _own(width: int, height: int, settings: BucketSettings) -> tuple[Size, Size]:
    steps = settings.steps
    ratio = width / height
    resized = (width, height)
    if width * height > settings.area:
        full_width = math.sqrt(settings.area * ratio)
        full_height = settings.area / full_width
        by_width = _to_steps(full_width, steps)
        its_height = _to_steps(by_width / ratio, steps)
        by_height = _to_steps(full_height, steps)
        its_width = _to_steps(by_height * ratio, steps)
        if not (its_height and by_height):
            raise TOO_SMALL.error(width=width, height=height, steps=steps)
        if abs(by_width / its_height - ratio) < abs(its_width / by_height - ratio):
            resized = (by_width, int(by_width / ratio + 0.5))
        else:
            resized = (int(by_height * ratio + 0.5), by_height)
    return (resized[0] - resized[0] % steps, resized[1] - resized[1] % steps), resized


def _to_steps(x: float, steps: int) -> int:
    whole = int(x + 0.5)
    return whole - whole % steps


@dataclass(frozen=True)
class BucketRow:
    """One bucket with its pictures, and the batches they make in an epoch."""

    size: Size
    names: tuple[str, ...]
    batches: int


@dataclass(frozen=True)
class BucketTable:
    """The buckets of a folder's pictures.

    Attributes:
        fits: by picture. rows: by size. enlarged: pictures enlarged by more than `UPSCALE_SHOWN`, with the factor.
        cut: pictures of which more than `CUT_SHOWN` is cut off, with the share. lone: pictures that are alone in a bucket.
        too_small: pictures that have no bucket. lost: share 0…1 of all area that is cut off.
    """

    fits: Mapping[str, Fit]
    rows: tuple[BucketRow, ...]
    enlarged: tuple[tuple[str, float], ...]
    cut: tuple[tuple[str, float], ...]
    lone: tuple[str, ...]
    too_small: tuple[str, ...]
    lost: float

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return sum(row.batches for row in self.rows)

    def to_json(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "buckets": [
                {"width": r.size[0], "height": r.size[1], "pictures": len(r.names), "batches": r.batches}
                for r in self.rows
            ],
            "batches": self.batches,
            "cut": [{"name": n, "share": round(s, 4)} for n, s in self.cut],
            "enlarged": [{"name": n, "factor": round(s, 3)} for n, s in self.enlarged],
            "lone": list(self.lone),
            "too_small": list(self.too_small),
            "lost": round(self.lost, 4),
        }


def table(
    pictures: Iterable[tuple[str, int, int]],
    settings: BucketSettings,
    *,
    batch_size: int = 1,
    repeats: Mapping[str, int] | None = None,
) -> BucketTable:
    """The buckets of (name, width, height) pictures.

    Args:
        repeats: how often a picture is seen in an epoch, by name; once where it is not named.
    """
    times = repeats or {}
    fits: dict[str, Fit] = {}
    small: list[str] = []
    for name, width, height in pictures:
        # `fit` refuses only this: with no_upscale, a side shorter than a step has no bucket
        if settings.no_upscale and min(width, height) < settings.steps:
            small.append(name)
            continue
        fits[name] = fit(width, height, settings)
    by_size: dict[Size, list[str]] = {}
    for name, f in fits.items():
        by_size.setdefault(f.bucket, []).append(name)
    rows = tuple(
        BucketRow(size, tuple(names), math.ceil(sum(times.get(n, 1) for n in names) / batch_size))
        for size, names in sorted(by_size.items())
    )
    area = sum(f.resized[0] * f.resized[1] for f in fits.values())
    off = sum(f.cut * f.resized[0] * f.resized[1] for f in fits.values())
    return BucketTable(
        fits,
        rows,
        _most((n, f.scale) for n, f in fits.items() if f.scale > UPSCALE_SHOWN),
        _most((n, f.cut) for n, f in fits.items() if f.cut > CUT_SHOWN),
        tuple(sorted(row.names[0] for row in rows if len(row.names) == 1 and len(fits) > 1)),
        tuple(small),
        off / area if area else 0.0,
    )


def _most(rows: Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(rows, key=lambda row: (-row[1], row[0])))


def square(side: int) -> BucketSettings:
    """Settings for a square of `side` pixels with the trainers' defaults: sides from a quarter of it to twice it.

    Raises UserError for a side that has no buckets.
    """
    return BucketSettings((side, side), min(256, side), max(1024, 2 * side))


def parse_resolution(text: str) -> Size:
    """`1024` or `832x1216` as (width, height). Raises ValueError."""
    parts: Sequence[str] = text.lower().replace("×", "x").replace(",", "x").split("x")
    numbers = [int(p) for p in parts]
    if len(numbers) not in (1, 2) or not all(64 <= n <= 8192 for n in numbers):
        raise ValueError(text)
    return numbers[0], numbers[-1]
