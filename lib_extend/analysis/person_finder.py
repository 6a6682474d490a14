"""From decoded pictures to persons: found by the detector, cut out with their neighbours masked, tagged alone.

Whoever changes what is cut out raises `people.geometry.CUTTING`, so that stored persons are made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lib_extend.analysis.making import Maker, Picture
from lib_extend.analysis.tag_making import TAGGER_LANE
from lib_extend.models.images import COVERED, flatten
from lib_extend.people.geometry import crop_box, left_to_right
from lib_extend.people.separating import MAX_PERSONS
from lib_extend.records import SCORE_FLOOR, Box, Person

if TYPE_CHECKING:
    from lib_extend.models.ports import Detector, Tagger

CROWD = MAX_PERSONS + 3
"""Persons that are cut out and tagged at the most: some of them may be given up, more are a crowd."""

SIDE = 4
"""A picture is decoded at no less than so many times the tagger's side, so that a person of a quarter of it
still fills the tagger's input."""

_HIDDEN = 255  # neighbours become white, as the taggers pad with white

Array = np.ndarray[Any, Any]


class PersonFinder:
    """Finds and tags the persons of several pictures at once.

    Not thread-safe, but `prepare` is. Cut-outs are prepared by `threads` threads and tagged in batches of the
    tagger's size, across pictures.
    """

    def __init__(self, detector: Detector, tagger: Tagger, threads: int = 1) -> None:
        self._detector, self._tagger = detector, tagger
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="crop")

    def prepare(self, image: Image.Image) -> Array:
        """The detector's input for one upright picture."""
        return self._detector.prepare(image)

    def find(
        self,
        images: Sequence[Image.Image],
        prepared: Sequence[Array],
        sizes: Sequence[tuple[int, int]],
        floor: float,
        beat: Callable[[], None] = lambda: None,
    ) -> list[tuple[Person, ...]]:
        """For each picture its persons, left to right, each with all tags of score ≥ `floor` of its cut-out.

        In a crowd of more than `CROWD` nobody is tagged.

        Args:
            images: upright, of any size and mode. prepared: the detector's inputs for them.
            sizes: (width, height) of the files' pictures, in whose pixels the boxes are.
            beat: called after each step.
        """
        detected = []
        for start in range(0, len(images), self._detector.batch):
            part = slice(start, start + self._detector.batch)
            detected += self._detector.detect(prepared[part], sizes[part])
            beat()
        found = [left_to_right([Person("", d.box, d.score) for d in some]) for some in detected]
        jobs: list[tuple[int, int]] = [
            (i, j) for i, persons in enumerate(found) if len(persons) <= CROWD for j in range(len(persons))
        ]
        tagged: dict[tuple[int, int], Person] = {}
        for start in range(0, len(jobs), self._tagger.batch):
            some_jobs = jobs[start : start + self._tagger.batch]
            inputs = list(
                self._pool.map(
                    lambda job: self._cut(images[job[0]], sizes[job[0]], found[job[0]], job[1]), some_jobs
                )
            )
            for job, tags in zip(some_jobs, self._tagger.tag(inputs, floor), strict=True):
                person = found[job[0]][job[1]]
                tagged[job] = Person("", person.box, person.score, tuple(tags))
            beat()
        return [
            tuple(tagged.get((i, j), person) for j, person in enumerate(persons))
            for i, persons in enumerate(found)
        ]

    def close(self) -> None:
        """End the threads; waits for steps in progress."""
        self._pool.shutdown(cancel_futures=True)

    def _cut(self, image: Image.Image, size: tuple[int, int], persons: Sequence[Person], which: int) -> Array:
        return self._tagger.prepare(cut_out(image, size, [p.box for p in persons], which))


class PersonMaker(Maker):
    """The persons of pictures, in the tagger's lane. `threads` prepare the cut-outs."""

    lane = TAGGER_LANE
    failure = "The tagger failed"

    def __init__(
        self, detector: Detector, tagger: Tagger, threads: int = 1, beat: Callable[[], None] = lambda: None
    ) -> None:
        self._finder = PersonFinder(detector, tagger, threads)
        self._side, self._beat = SIDE * tagger.side, beat
        self.batch = max(1, tagger.batch)

    def size(self, picture: Picture) -> tuple[int | None, int | None]:
        return self._side, None

    def prepare(self, picture: Picture, image: Image.Image) -> tuple[Image.Image, Array]:
        return image, self._finder.prepare(image)

    def make(
        self, pictures: Sequence[Picture], inputs: Sequence[tuple[Image.Image, Array]]
    ) -> list[tuple[Person, ...]]:
        return self._finder.find(
            [image for image, _ in inputs],
            [prepared for _, prepared in inputs],
            [(picture.width, picture.height) for picture in pictures],
            SCORE_FLOOR,
            self._beat,
        )

    def close(self) -> None:
        self._finder.close()


def cut_out(image: Image.Image, size: tuple[int, int], boxes: Sequence[Box], which: int) -> Image.Image:
    """RGB: person `which` cut out of `image`, with everybody else painted over.

    Where two boxes overlap, a pixel belongs to the person whose middle line is nearer, measured in widths of
    the boxes. `size` is (width, height) of the picture that the boxes speak of; `image` may be smaller.
    """
    covered = image.info.get(COVERED, (0, 0, *image.size))
    across, down = covered[2] / size[0], covered[3] / size[1]
    scaled = [Box(b.x0 * across, b.y0 * down, b.x1 * across, b.y1 * down) for b in boxes]
    own = scaled[which]
    left, top, right, bottom = crop_box(own, image.width, image.height)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    pixels = np.array(flatten(image.crop((left, top, right, bottom))))
    x = np.arange(left, right) + 0.5
    y = np.arange(top, bottom) + 0.5
    in_own = _within(own, x, y)
    to_own = np.abs(x - (own.x0 + own.x1) / 2) / max(own.width, 1e-6)
    for i, other in enumerate(scaled):
        if i == which:
            continue
        to_other = np.abs(x - (other.x0 + other.x1) / 2) / max(other.width, 1e-6)
        nearer = np.broadcast_to(to_other < to_own, in_own.shape)
        pixels[_within(other, x, y) & (~in_own | nearer)] = _HIDDEN
    return Image.fromarray(pixels)


def _within(box: Box, x: Array, y: Array) -> Array:
    rows = (y >= box.y0) & (y < box.y1)
    columns = (x >= box.x0) & (x < box.x1)
    return rows[:, None] & columns[None, :]
