"""A brush: Pillow's drawing calls in the local coordinates of one box, with outlines and colors."""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import ImageDraw

from lib_extend.sketch.scenes import Rect

RGB = tuple[int, int, int]
Points = Sequence[tuple[float, float]]

PAINT: dict[str, RGB] = {
    "red": (220, 38, 44),
    "blue": (44, 100, 224),
    "green": (44, 164, 68),
    "yellow": (252, 212, 48),
    "white": (248, 247, 243),
    "black": (44, 43, 52),
    "brown": (130, 80, 40),
    "purple": (152, 62, 190),
    "pink": (248, 150, 184),
    "blonde": (246, 212, 118),
}
LINE: RGB = (58, 38, 48)
GOLD: RGB = (240, 196, 60)


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """`a` with `share` (0…1) of `b` in it."""
    return (
        round(a[0] + (b[0] - a[0]) * share),
        round(a[1] + (b[1] - a[1]) * share),
        round(a[2] + (b[2] - a[2]) * share),
    )


def darker(color: RGB, share: float = 0.22) -> RGB:
    return mix(color, (30, 18, 40), share)


def lighter(color: RGB, share: float = 0.35) -> RGB:
    return mix(color, (255, 255, 255), share)


class Palette:
    """Named colors, each shifted a little by the picture's own taste (`jitter` per channel)."""

    def __init__(self, rng: random.Random, jitter: int) -> None:
        self._paint = {
            name: (
                _clip(r + rng.randint(-jitter, jitter)),
                _clip(g + rng.randint(-jitter, jitter)),
                _clip(b + rng.randint(-jitter, jitter)),
            )
            for name, (r, g, b) in PAINT.items()
        }

    def __getitem__(self, name: str) -> RGB:
        return self._paint[name]

    def hair(self, name: str) -> RGB:
        """Hair is softer than cloth: black hair keeps a bluish shine, white hair a grey one."""
        if name == "black":
            return mix(self._paint["black"], (52, 50, 84), 0.5)
        if name == "white":
            return mix(self._paint["white"], (200, 204, 220), 0.3)
        return self._paint[name]


def _clip(value: int) -> int:
    return max(0, min(255, value))


class Brush:
    """Draws into the box (x0, y0, x1, y1) in pixels: (0, 0) is its top left, (1, 1) its bottom right.

    Shapes get a dark outline of `line` pixels unless told otherwise.
    """

    def __init__(self, draw: ImageDraw.ImageDraw, box: Rect, line: float, palette: Palette) -> None:
        self.draw = draw
        self.x, self.y = box[0], box[1]
        self.w, self.h = box[2] - box[0], box[3] - box[1]
        self.line = max(1, round(line))
        self.palette = palette

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.x + x * self.w, self.y + y * self.h

    def rect(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        fill: RGB,
        round_by: float = 0.0,
        line: bool = True,
    ) -> None:
        """A rectangle; `round_by` rounds its corners, as a share of the box's shorter side."""
        box = (*self.at(x0, y0), *self.at(x1, y1))
        radius = round_by * min(self.w, self.h)
        outline, width = (LINE, self.line) if line else (None, 0)
        if radius >= 1:
            self.draw.rounded_rectangle(box, radius, fill, outline, width)
        else:
            self.draw.rectangle(box, fill, outline, max(1, width))

    def oval(self, cx: float, cy: float, rx: float, ry: float, fill: RGB | None, line: bool = True) -> None:
        box = (*self.at(cx - rx, cy - ry), *self.at(cx + rx, cy + ry))
        self.draw.ellipse(box, fill, LINE if line else None, self.line if line else 0)

    def poly(self, points: Points, fill: RGB, line: bool = True) -> None:
        corners = [self.at(x, y) for x, y in points]
        self.draw.polygon(corners, fill)
        if line:
            self.draw.line([*corners, corners[0], corners[1]], LINE, self.line, "curve")

    def stroke(self, points: Points, fill: RGB = LINE, width: float | None = None) -> None:
        """An open line, `width` as a share of the box's height (default: the outline's)."""
        thick = self.line if width is None else max(1, round(width * self.h))
        self.draw.line([self.at(x, y) for x, y in points], fill, thick, "curve")

    def limb(self, points: Points, fill: RGB, width: float) -> None:
        """A thick outlined line with round ends, `width` as a share of the box's height."""
        for color, thick in ((LINE, width * self.h + 2 * self.line), (fill, width * self.h)):
            corners = [self.at(x, y) for x, y in points]
            self.draw.line(corners, color, max(1, round(thick)), "curve")
            for cx, cy in corners:
                r = thick / 2
                self.draw.ellipse((cx - r, cy - r, cx + r, cy + r), color)

    def arc(
        self,
        cx: float,
        cy: float,
        rx: float,
        ry: float,
        start: float,
        end: float,
        fill: RGB = LINE,
        width: float | None = None,
    ) -> None:
        box = (*self.at(cx - rx, cy - ry), *self.at(cx + rx, cy + ry))
        thick = self.line if width is None else max(1, round(width * self.h))
        self.draw.arc(box, start, end, fill, thick)
