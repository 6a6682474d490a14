"""The background: walls, floors, doors and windows, or sky and grass."""

from __future__ import annotations

import math
import random
from itertools import pairwise

from PIL import Image, ImageDraw

from lib_extend.sketch.brush import LINE, RGB, Brush, Palette, darker, lighter, mix
from lib_extend.sketch.scenes import Rect, Scene

# Pale, so that nothing in front of a wall is lost on it. The first is for white backgrounds.
WALLS: tuple[RGB, ...] = (
    (255, 255, 255),
    (250, 236, 214),
    (226, 238, 226),
    (222, 232, 244),
    (246, 224, 226),
    (232, 226, 242),
    (244, 240, 226),
    (214, 230, 232),
    (240, 228, 208),
    (228, 228, 232),
)
CARPETS: tuple[RGB, ...] = ((198, 120, 128), (112, 150, 156), (160, 136, 176), (204, 178, 130))


def gradient(size: tuple[int, int], top: RGB, bottom: RGB) -> Image.Image:
    """A vertical gradient, `size` = (width, height)."""
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def paint_background(scene: Scene, size: tuple[int, int], palette: Palette) -> Image.Image:
    """The scene without its persons and objects, `size` in pixels."""
    rng = random.Random(scene.style.seed ^ 0x5EED)
    if scene.setting == "outdoors":
        return _outdoors(scene, size, rng)
    return _room(scene, size, palette, rng)


def _room(scene: Scene, size: tuple[int, int], palette: Palette, rng: random.Random) -> Image.Image:
    width, height = size
    u = min(size)
    wall = WALLS[scene.style.tint]
    tone = darker(wall, 0.07)
    backdrop = scene.style.backdrop
    if backdrop == "gradient":
        image = gradient(size, lighter(wall, 0.5), darker(wall, 0.1))
    else:
        image = Image.new("RGB", size, wall)
    d = ImageDraw.Draw(image)
    if backdrop == "stripes":
        step = u * rng.uniform(0.06, 0.12)
        for i in range(0, int(width / step) + 1, 2):
            d.rectangle((i * step, 0, (i + 1) * step, height), tone)
    elif backdrop == "dots":
        step = u * rng.uniform(0.08, 0.14)
        r = step * 0.13
        for j in range(int(height / step) + 2):
            for i in range(int(width / step) + 2):
                x, y = (i + 0.5 * (j % 2)) * step, j * step
                d.ellipse((x - r, y - r, x + r, y + r), tone)
    line = scene.style.outline * u
    if scene.window_box:
        _window(Brush(d, _scaled(scene.window_box, size), line, palette))
    horizon = scene.horizon * height
    if scene.floor:
        _floor(image, d, scene.floor, horizon, rng)
        board = (0, horizon - u * 0.018, width, horizon)
        d.rectangle(board, lighter(wall, 0.6), LINE, max(1, round(line * 0.7)))
    if scene.door_box and scene.door:
        _door(Brush(d, _scaled(scene.door_box, size), line, palette), palette[scene.door])
    return image


def _scaled(box: Rect, size: tuple[int, int]) -> Rect:
    return box[0] * size[0], box[1] * size[1], box[2] * size[0], box[3] * size[1]


def _window(b: Brush) -> None:
    b.rect(0, 0, 1, 0.96, (250, 250, 250))
    b.rect(0.07, 0.08, 0.93, 0.88, (172, 214, 244))
    b.poly([(0.2, 0.6), (0.5, 0.16), (0.62, 0.16), (0.32, 0.6)], (206, 232, 250), line=False)
    b.rect(0.47, 0.08, 0.53, 0.88, (250, 250, 250))
    b.rect(0.07, 0.44, 0.93, 0.5, (250, 250, 250))
    b.rect(-0.04, 0.92, 1.04, 1.0, (240, 240, 240))


def _door(b: Brush, color: RGB) -> None:
    b.rect(0, 0, 1, 1, mix(color, (120, 110, 110), 0.5))
    b.rect(0.07, 0.035, 0.93, 1, color)
    inner = darker(color, 0.13)
    for y0, y1 in ((0.1, 0.47), (0.58, 0.92)):
        b.rect(0.2, y0, 0.8, y1, inner)
        b.rect(0.26, y0 + 0.035, 0.74, y1 - 0.035, color)
    b.oval(0.84, 0.535, 0.06, 0.03, (242, 206, 96))


def _floor(image: Image.Image, d: ImageDraw.ImageDraw, kind: str, top: float, rng: random.Random) -> None:
    """A floor from `top` (pixels) to the lower edge; rows grow wider towards the viewer."""
    width, height = image.size
    u = min(width, height)
    rows = [top + (height - top) * (i / 5) ** 1.25 for i in range(6)]
    thin = max(1, round(u * 0.004))
    if kind == "wooden":
        base = rng.choice(((196, 146, 92), (176, 122, 74), (214, 170, 118)))
        for y0, y1 in pairwise(rows):
            d.rectangle((0, y0, width, y1), mix(base, darker(base, 0.2), rng.random() * 0.6))
            d.line((0, y0, width, y0), darker(base, 0.45), thin)
            x = rng.uniform(0.05, 0.4) * u
            while x < width:
                d.line((x, y0, x, y1), darker(base, 0.45), thin)
                grain = y0 + (y1 - y0) * rng.uniform(0.3, 0.7)
                d.line((x + 0.06 * u, grain, x + 0.22 * u, grain), darker(base, 0.25), thin)
                x += rng.uniform(0.35, 0.6) * u
    elif kind == "tile":
        light = rng.choice(((238, 240, 244), (232, 240, 240), (244, 238, 230)))
        dark = rng.choice(((176, 190, 206), (170, 200, 196), (206, 186, 176)))
        middle = width / 2
        for r, (y0, y1) in enumerate(pairwise(rows)):
            s0, s1 = (0.16 + 0.035 * r) * u, (0.16 + 0.035 * (r + 1)) * u
            n = math.ceil(middle / s0) + 1
            for i in range(-n, n):
                quad = [
                    (middle + i * s0, y0),
                    (middle + (i + 1) * s0, y0),
                    (middle + (i + 1) * s1, y1),
                    (middle + i * s1, y1),
                ]
                d.polygon(quad, dark if (i + r) % 2 else light, (150, 156, 168))
    elif kind == "carpet":
        base = rng.choice(CARPETS)
        d.rectangle((0, top, width, height), base)
        step = 0.07 * u
        y, row = top + step, 0
        while y < height:
            x = step * (0.5 + 0.5 * (row % 2))
            while x < width:
                half = 0.009 * u
                spot = [(x, y - 2 * half), (x + 2 * half, y), (x, y + 2 * half), (x - 2 * half, y)]
                d.polygon(spot, lighter(base, 0.4))
                x += step
            y, row = y + step * 0.8, row + 1
        d.rectangle((0, top, width, top + 0.025 * u), darker(base, 0.3))
    else:
        base = rng.choice(((150, 152, 158), (164, 158, 150), (138, 146, 150)))
        d.rectangle((0, top, width, height), darker(base, 0.4))
        for y0, y1 in pairwise(rows):
            x = -rng.uniform(0.0, 0.12) * u
            gap = 0.006 * u
            while x < width:
                wide = rng.uniform(0.1, 0.2) * u
                tone = mix(base, rng.choice(((255, 255, 255), (60, 60, 70))), rng.random() * 0.25)
                box = (x + gap, y0 + gap, x + wide - gap, max(y0 + gap + 2, y1 - gap))
                d.rounded_rectangle(box, min(0.03 * u, (box[3] - box[1]) * 0.45), tone)
                x += wide


def _outdoors(scene: Scene, size: tuple[int, int], rng: random.Random) -> Image.Image:
    width, height = size
    u = min(size)
    horizon = round(scene.horizon * height)
    night = scene.sky == "night"
    image = Image.new("RGB", size)
    top, low = ((52, 60, 128), (112, 112, 176)) if night else ((128, 190, 246), (216, 238, 252))
    image.paste(gradient((width, max(1, horizon)), top, low), (0, 0))
    d = ImageDraw.Draw(image)
    if night:
        for _ in range(26):
            x, y, r = rng.uniform(0, width), rng.uniform(0, horizon), rng.uniform(0.003, 0.006) * u
            d.ellipse((x - r, y - r, x + r, y + r), (255, 250, 214))
    if scene.clouds:
        white = (136, 138, 190) if night else (255, 255, 255)
        for _ in range(rng.randint(2, 4)):
            x, y = rng.uniform(0.02, 0.9) * width, rng.uniform(0.05, 0.5) * horizon
            s = rng.uniform(0.05, 0.08) * u
            for dx, dy, r in ((0, 0, 0.8), (1.0, -0.4, 1.0), (2.0, 0, 0.85), (1.0, 0.2, 0.9)):
                cx, cy = x + dx * s, y + dy * s
                d.ellipse((cx - r * s, cy - r * s * 0.7, cx + r * s, cy + r * s * 0.7), white)
    if scene.mountain:
        rock = (84, 92, 140) if night else (140, 168, 196)
        for _ in range(3):
            x, w, h = rng.uniform(0, 1) * width, rng.uniform(0.3, 0.5) * u, rng.uniform(0.2, 0.34) * u
            d.polygon([(x - w, horizon), (x, horizon - h), (x + w, horizon)], rock)
            tip = [(x - w * 0.25, horizon - h * 0.75), (x, horizon - h), (x + w * 0.25, horizon - h * 0.75)]
            d.polygon(tip, lighter(rock, 0.7))
    grass = (92, 140, 110) if night else (150, 206, 120)
    image.paste(gradient((width, height - horizon), lighter(grass, 0.15), darker(grass, 0.12)), (0, horizon))
    blade = darker(grass, 0.22)
    for _ in range(40):
        x, y = rng.uniform(0, width), rng.uniform(horizon + 0.02 * u, height)
        s = 0.016 * u
        for dx in (-0.7, 0.0, 0.7):
            d.line((x, y, x + dx * s, y - s), blade, max(1, round(0.005 * u)))
    line = max(1, round(scene.style.outline * u))
    for box in scene.trees:
        x0, y0, x1, y1 = _scaled(box, size)
        w, h = x1 - x0, y1 - y0
        leaf = (60, 116, 96) if night else (96, 164, 92)
        d.rectangle((x0 + 0.42 * w, y0 + 0.55 * h, x0 + 0.58 * w, y1), (134, 98, 72), LINE, line)
        for fill, grow in ((LINE, line), (leaf, 0)):
            for cx, cy, r in ((0.28, 0.48, 0.26), (0.72, 0.48, 0.26), (0.5, 0.28, 0.3)):
                px, py, pr = x0 + cx * w, y0 + cy * h, r * w + grow
                d.ellipse((px - pr, py - pr, px + pr, py + pr), fill)
    return image
