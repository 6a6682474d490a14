"""Boxes of persons: their overlap, their order, and the crop of each person."""

from __future__ import annotations

from collections.abc import Sequence

from lib_extend.records import Box, Person

CUTTING = 1
"""Counts changes to what is cut out of a picture for each person; what was tagged is stored under it."""


def intersection(a: Box, b: Box) -> float:
    """The area two boxes share, in square pixels."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return width * height if width > 0 and height > 0 else 0.0


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0…1; 0 for boxes without area."""
    shared = intersection(a, b)
    union = a.area + b.area - shared
    return shared / union if union > 0 else 0.0


def inside(a: Box, b: Box) -> float:
    """The share of `a` that lies in `b`, 0…1."""
    return intersection(a, b) / a.area if a.area > 0 else 0.0


def left_to_right(persons: Sequence[Person]) -> list[Person]:
    """The persons in the order of the middles of their boxes; persons above each other are ordered from the top.

    Stable: the order does not depend on the order in which they were found.
    """

    def place(person: Person) -> tuple[float, float, float, float, float]:
        b = person.box
        return (b.x0 + b.x1) / 2, b.y0, b.x0, b.x1, b.y1

    return sorted(persons, key=place)


def crop_box(box: Box, width: int, height: int, margin: float = 0.04) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) in whole pixels of the cut-out of a person, inside the picture.

    `margin` is added on each side as a share of the box' width and height. The result is at least one pixel wide and
    high if the box touches the picture.
    """
    dx, dy = box.width * margin, box.height * margin
    left, top = max(0, int(box.x0 - dx)), max(0, int(box.y0 - dy))
    right, bottom = min(width, int(box.x1 + dx + 0.5)), min(height, int(box.y1 + dy + 0.5))
    return left, top, max(left, right), max(top, bottom)


def position_words(count: int) -> tuple[str, ...]:
    """The words for the places of `count` persons, from left to right, as canonical tag names."""
    return {
        2: ("on_the_left", "on_the_right"),
        3: ("on_the_left", "in_the_middle", "on_the_right"),
        4: ("on_the_far_left", "on_the_left", "on_the_right", "on_the_far_right"),
        5: ("on_the_far_left", "on_the_left", "in_the_middle", "on_the_right", "on_the_far_right"),
    }.get(count, ("",) * count)
