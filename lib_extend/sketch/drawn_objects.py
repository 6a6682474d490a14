"""The dozen objects, each drawn inside its box."""

from __future__ import annotations

from collections.abc import Callable

from lib_extend.sketch.brush import LINE, RGB, Brush, darker, lighter, mix

WOOD: RGB = (168, 122, 78)
METAL: RGB = (150, 152, 164)


def draw_thing(brush: Brush, kind: str, color: str, variant: int) -> None:
    """One object in its color; `variant` (0…999) chooses its small details."""
    _DRAWERS[kind](brush, brush.palette[color], variant)


def _accent(color: RGB) -> RGB:
    """A tone of the same color that shows on it: the object must keep one color."""
    return darker(color, 0.16) if sum(color) > 600 else lighter(color, 0.28)


def _cake(b: Brush, c: RGB, variant: int) -> None:
    cream = _accent(c)
    b.oval(0.5, 0.9, 0.49, 0.09, (232, 232, 238))
    b.rect(0.1, 0.42, 0.9, 0.92, c, 0.1)
    drips = [
        (0.1, 0.36),
        (0.9, 0.36),
        (0.9, 0.6),
        (0.78, 0.68),
        (0.68, 0.57),
        (0.56, 0.7),
        (0.44, 0.57),
        (0.32, 0.68),
        (0.22, 0.57),
        (0.1, 0.63),
    ]
    b.poly(drips, cream)
    b.oval(0.5, 0.37, 0.4, 0.1, c)
    for x in (0.5,) if variant % 2 else (0.36, 0.64):
        b.rect(x - 0.045, 0.13, x + 0.045, 0.37, (250, 244, 230), line=True)
        b.oval(x, 0.075, 0.05, 0.075, (255, 176, 40))


def _cup(b: Brush, c: RGB, variant: int) -> None:
    b.oval(0.77, 0.52, 0.22, 0.26, c)
    b.oval(0.77, 0.52, 0.11, 0.14, darker(c, 0.45))
    b.poly([(0.04, 0.12), (0.78, 0.12), (0.68, 0.97), (0.14, 0.97)], c)
    b.oval(0.41, 0.13, 0.37, 0.12, mix(c, (70, 46, 36), 0.55))
    if variant % 2:
        b.poly([(0.09, 0.5), (0.73, 0.5), (0.71, 0.66), (0.11, 0.66)], _accent(c), line=False)


def _book(b: Brush, c: RGB, variant: int) -> None:
    b.rect(0.1, 0.06, 0.98, 0.99, (250, 246, 232), 0.04)
    for y in (0.9, 0.935, 0.965):
        b.stroke([(0.14, y), (0.95, y)], (196, 186, 170))
    b.rect(0.03, 0.01, 0.93, 0.87, c, 0.05)
    b.rect(0.03, 0.01, 0.18, 0.95, darker(c, 0.2), 0.05)
    b.rect(0.32, 0.2, 0.8, 0.36, (250, 246, 232), 0.02)
    if variant % 2:
        b.stroke([(0.32, 0.55), (0.8, 0.55)], _accent(c), 0.035)
        b.stroke([(0.32, 0.66), (0.8, 0.66)], _accent(c), 0.035)


def _lamp(b: Brush, c: RGB, variant: int) -> None:
    b.rect(0.455, 0.42, 0.545, 0.93, METAL, line=True)
    b.oval(0.5, 0.935, 0.3, 0.06, METAL)
    b.oval(0.5, 0.47, 0.09, 0.05, (255, 240, 170))
    top = 0.26 if variant % 2 else 0.32
    b.poly([(top, 0.01), (1 - top, 0.01), (0.98, 0.46), (0.02, 0.46)], c)
    b.poly([(0.07, 0.38), (0.93, 0.38), (0.98, 0.46), (0.02, 0.46)], _accent(c), line=False)
    b.stroke([(0.84, 0.46), (0.84, 0.6)])


def _ball(b: Brush, c: RGB, variant: int) -> None:
    b.oval(0.5, 0.5, 0.49, 0.49, c)
    tone = _accent(c)
    if variant % 2:
        b.arc(0.5, 0.5, 0.2, 0.48, 0, 360, tone, 0.06)
        b.stroke([(0.03, 0.5), (0.97, 0.5)], tone, 0.06)
    else:
        b.arc(0.02, 0.5, 0.36, 0.46, 300, 60, tone, 0.07)
        b.arc(0.98, 0.5, 0.36, 0.46, 120, 240, tone, 0.07)
    b.oval(0.5, 0.5, 0.49, 0.49, None)
    b.oval(0.33, 0.26, 0.1, 0.07, lighter(c, 0.75), line=False)


def _balloon(b: Brush, c: RGB, variant: int) -> None:
    swing = 0.12 if variant % 2 else -0.12
    b.stroke([(0.5, 0.6), (0.5 + swing, 0.75), (0.5 - swing, 0.88), (0.5, 0.99)], (96, 84, 92), 0.014)
    b.poly([(0.5, 0.54), (0.38, 0.64), (0.62, 0.64)], darker(c, 0.15))
    b.oval(0.5, 0.295, 0.48, 0.29, c)
    b.oval(0.3, 0.17, 0.1, 0.075, lighter(c, 0.75), line=False)


def _box(b: Brush, c: RGB, variant: int) -> None:
    tape = _accent(c)
    b.poly([(0.02, 0.3), (0.2, 0.02), (0.98, 0.02), (0.8, 0.3)], lighter(c, 0.2))
    b.poly([(0.8, 0.3), (0.98, 0.02), (0.98, 0.7), (0.8, 0.98)], darker(c, 0.28))
    b.rect(0.02, 0.3, 0.8, 0.98, c)
    b.rect(0.34, 0.3, 0.48, 0.98 if variant % 2 else 0.55, tape)
    b.poly([(0.34, 0.3), (0.52, 0.02), (0.66, 0.02), (0.48, 0.3)], tape)


def _butterfly(b: Brush, c: RGB, variant: int) -> None:
    tone = _accent(c)
    for s in (-1, 1):
        b.poly(
            [
                (0.5, 0.5),
                (0.5 + s * 0.14, 0.14),
                (0.5 + s * 0.36, 0.02),
                (0.5 + s * 0.49, 0.14),
                (0.5 + s * 0.44, 0.42),
                (0.5 + s * 0.2, 0.56),
            ],
            c,
        )
        b.poly(
            [
                (0.5, 0.5),
                (0.5 + s * 0.26, 0.52),
                (0.5 + s * 0.4, 0.66),
                (0.5 + s * 0.34, 0.92),
                (0.5 + s * 0.16, 0.94),
            ],
            c,
        )
        b.oval(0.5 + s * 0.33, 0.24, 0.07, 0.09, tone, line=False)
        if variant % 2:
            b.oval(0.5 + s * 0.25, 0.74, 0.05, 0.07, tone, line=False)
        b.stroke([(0.5, 0.3), (0.5 + s * 0.1, 0.04)])
    b.oval(0.5, 0.55, 0.055, 0.32, LINE)


def _chair(b: Brush, c: RGB, variant: int) -> None:
    leg = darker(c, 0.25)
    for x in (0.06, 0.82):
        b.rect(x, 0.55, x + 0.12, 0.99, leg)
    for x in (0.26, 0.64):
        b.rect(x, 0.55, x + 0.09, 0.86, darker(c, 0.4))
    b.rect(0.1, 0.01, 0.9, 0.52, c, 0.14)
    inner = darker(c, 0.35)
    if variant % 2:
        for x in (0.27, 0.46, 0.65):
            b.rect(x, 0.12, x + 0.09, 0.47, inner)
    else:
        b.rect(0.26, 0.12, 0.74, 0.4, inner, 0.1)
    b.poly([(0.1, 0.48), (0.9, 0.48), (0.99, 0.6), (0.99, 0.67), (0.01, 0.67), (0.01, 0.6)], c)


def _table(b: Brush, c: RGB, variant: int) -> None:
    leg = darker(c, 0.2)
    if variant % 2:
        b.rect(0.455, 0.3, 0.545, 0.9, leg)
        b.rect(0.28, 0.88, 0.72, 0.99, leg, 0.05)
        b.oval(0.5, 0.2, 0.49, 0.19, c)
        b.oval(0.5, 0.17, 0.4, 0.12, _accent(c), line=False)
    else:
        for x in (0.05, 0.87):
            b.rect(x, 0.25, x + 0.08, 0.99, leg)
        for x in (0.2, 0.74):
            b.rect(x, 0.25, x + 0.06, 0.85, darker(c, 0.35))
        b.poly([(0.12, 0.02), (0.88, 0.02), (0.99, 0.28), (0.01, 0.28)], c)
        b.rect(0.01, 0.28, 0.99, 0.42, darker(c, 0.12))


def _sofa(b: Brush, c: RGB, variant: int) -> None:
    dark = darker(c, 0.14)
    for x in (0.1, 0.84):
        b.rect(x, 0.86, x + 0.06, 0.99, WOOD)
    b.rect(0.08, 0.02, 0.92, 0.8, c, 0.16)
    seats = 2 if variant % 2 else 3
    for i in range(seats):
        x = 0.14 + i * 0.72 / seats
        b.rect(x, 0.5, x + 0.72 / seats, 0.78, _accent(c), 0.08)
        if i:
            b.stroke([(x, 0.08), (x, 0.5)], mix(c, LINE, 0.6))
    b.rect(0.06, 0.72, 0.94, 0.9, dark, 0.06)
    for x in (0.01, 0.86):
        b.rect(x, 0.34, x + 0.13, 0.92, c, 0.2)


_SPINES: tuple[RGB, ...] = ((216, 204, 180), (176, 184, 190), (200, 176, 160), (226, 222, 212))


def _bookshelf(b: Brush, c: RGB, variant: int) -> None:
    b.rect(0.01, 0.01, 0.99, 0.99, c)
    for row in range(3):
        y0, y1 = 0.09 + row * 0.295, 0.29 + row * 0.295
        b.rect(0.15, y0, 0.85, y1, mix(darker(c, 0.5), (40, 34, 40), 0.4))
        x, i = 0.17, variant + row
        while x < 0.79:
            wide = 0.09 + 0.02 * (i % 3)
            top = y0 + 0.03 + 0.025 * ((i * 7) % 3)
            if (i * 5) % 7:
                b.rect(x, top, min(0.83, x + wide), y1, _SPINES[(i * 3) % 4])
            x += wide
            i += 1


_DRAWERS: dict[str, Callable[[Brush, RGB, int], None]] = {
    "cake": _cake,
    "cup": _cup,
    "book": _book,
    "lamp": _lamp,
    "ball": _ball,
    "balloon": _balloon,
    "box": _box,
    "butterfly": _butterfly,
    "chair": _chair,
    "table": _table,
    "sofa": _sofa,
    "bookshelf": _bookshelf,
}
