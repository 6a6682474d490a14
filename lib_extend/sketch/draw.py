"""From a scene to a picture: background, then everything else from back to front."""

from __future__ import annotations

import random

from PIL import Image, ImageChops, ImageDraw

from lib_extend.sketch.backgrounds import paint_background
from lib_extend.sketch.brush import RGB, Brush, Palette
from lib_extend.sketch.drawn_objects import WOOD, draw_thing
from lib_extend.sketch.figures import Figure, draw_person
from lib_extend.sketch.scenes import Character, Rect, Scene, Thing

OVERSAMPLING = 2
"""Shapes are drawn this many times larger and averaged down: Pillow's own edges are jagged."""

SHADOW: RGB = (116, 98, 110)


def draw(scene: Scene, width: int, height: int) -> Image.Image:
    """The picture of `scene`, RGB, `width` × `height` pixels (64 or more).

    The same scene and size give the same pixels everywhere: chance comes from the scene's own seed.
    Sizes should have the scene's aspect; others stretch it.
    """
    if min(width, height) < 64:
        raise ValueError(f"a scene cannot be drawn at {width}×{height}: 64 pixels is the least")
    size = width * OVERSAMPLING, height * OVERSAMPLING
    rng = random.Random(scene.style.seed)
    palette = Palette(rng, scene.style.jitter)
    image = paint_background(scene, size, palette)
    canvas = ImageDraw.Draw(image)
    line = scene.style.outline * min(size)
    for thing in scene.things:
        if thing.shelf:
            _shelf(canvas, thing, size, line, palette)
    # What stands lower in the picture stands nearer.
    nearer: list[Character | Thing] = [*scene.persons, *scene.things]
    for item in sorted(nearer, key=lambda i: i.box[3]):
        box = _scaled(item.box, size)
        if isinstance(item, Character):
            _shadow(canvas, box, scene)
            draw_person(Figure(canvas, box, line, palette), item)
        else:
            brush = Brush(canvas, box, line, palette)
            draw_thing(brush, item.kind, item.color, item.variant)
    image = image.reduce(OVERSAMPLING)
    return _grain(image, scene.style.noise, rng) if scene.style.noise else image


def _scaled(box: Rect, size: tuple[int, int]) -> Rect:
    return box[0] * size[0], box[1] * size[1], box[2] * size[0], box[3] * size[1]


def _shelf(
    canvas: ImageDraw.ImageDraw, thing: Thing, size: tuple[int, int], line: float, palette: Palette
) -> None:
    x0, _, x1, y1 = _scaled(thing.box, size)
    u = min(size)
    Brush(canvas, (x0 - 0.012 * u, y1, x1 + 0.012 * u, y1 + 0.016 * u), line, palette).rect(0, 0, 1, 1, WOOD)


def _shadow(canvas: ImageDraw.ImageDraw, box: Rect, scene: Scene) -> None:
    if not scene.style.shadows or (scene.setting == "simple" and scene.style.tint == 0):
        return
    x, y, w = (box[0] + box[2]) / 2, box[3], (box[3] - box[1]) * 0.17
    canvas.ellipse((x - w, y - w * 0.16, x + w, y + w * 0.1), SHADOW)


def _grain(image: Image.Image, amplitude: int, rng: random.Random) -> Image.Image:
    """Film grain of ±`amplitude`; made of the scene's own random bytes, as Pillow's is unseeded."""
    side = 128
    tile = Image.frombytes("L", (side, side), rng.randbytes(side * side))
    tile = tile.point([round(i / 255 * 2 * amplitude) for i in range(256)])
    sheet = Image.new("L", image.size)
    for y in range(0, image.height, side):
        for x in range(0, image.width, side):
            sheet.paste(tile, (x, y))
    grain = Image.merge("RGB", (sheet, sheet, sheet))
    return ImageChops.add(image, grain, offset=-amplitude)
