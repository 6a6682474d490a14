"""Boxes as arrays: non-maximum suppression, and conversion to pixels of the original picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def corners(middles: Array) -> Array:
    """Rows of (cx, cy, w, h) → rows of (x0, y0, x1, y1)."""
    half = middles[:, 2:4] / 2
    return np.concatenate([middles[:, :2] - half, middles[:, :2] + half], axis=1)


def nms(boxes: Array, scores: Array, limit: float) -> Array:
    """Greedy non-maximum suppression, without regard to classes.

    The best box is kept and all boxes with an IoU above `limit` with it are removed; then the same with the rest. Among
    equal scores the first box is first.

    Args:
        boxes: [N, 4], x0, y0, x1, y1. scores: [N].
        limit: 0…1; two boxes whose IoU is exactly this both stay.

    Returns:
        The numbers of the boxes that stay, best first.
    """
    order = np.argsort(-scores, kind="stable")
    x0, y0, x1, y1 = boxes[order].astype(np.float64).T
    areas = np.maximum(0.0, x1 - x0) * np.maximum(0.0, y1 - y0)
    left = np.arange(len(order))
    kept = []
    while len(left):
        best, rest = left[0], left[1:]
        kept.append(best)
        wide = np.minimum(x1[best], x1[rest]) - np.maximum(x0[best], x0[rest])
        high = np.minimum(y1[best], y1[rest]) - np.maximum(y0[best], y0[rest])
        both = np.maximum(0.0, wide) * np.maximum(0.0, high)
        # Multiply instead of dividing: boxes without area have a union of 0.
        left = rest[both <= limit * (areas[best] + areas[rest] - both)]
    return order[np.array(kept, np.intp)]


def to_picture(boxes: Array, model: tuple[int, int], picture: tuple[int, int]) -> Array:
    """Boxes [N, 4] in pixels of the stretched input, cut at its edges, in pixels of the picture.

    `model` and `picture` are (width, height).
    """
    edges = np.array([*model, *model], np.float64)
    # In this order of operations the input's edge becomes exactly the picture's edge.
    inside: Array = np.clip(boxes, 0.0, edges) * np.array([*picture, *picture], np.float64) / edges
    return inside
