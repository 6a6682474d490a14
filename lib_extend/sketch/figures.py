"""The characters: two heads high, drawn back to front in the box their scene gives them."""

from __future__ import annotations

from lib_extend.sketch.brush import GOLD, LINE, RGB, Brush, darker, lighter, mix
from lib_extend.sketch.scene_layout import figure_extent
from lib_extend.sketch.scenes import Character

SKIN: tuple[RGB, ...] = ((255, 226, 204), (250, 214, 188), (240, 196, 164), (206, 152, 116))


class Figure(Brush):
    """A brush in the figure's own units: x from the middle, both in body heights, y from the hair."""

    def fit(self, person: Character) -> Figure:
        half, above = figure_extent(person)
        unit = self.h / (1 + above)
        self.x, self.y = self.x + self.w / 2, self.y + above * unit
        # A box that was rounded to pixels keeps its exact width.
        self.w, self.h = self.w / (2 * half), unit
        return self


def draw_person(brush: Figure, person: Character) -> None:
    """The whole character."""
    b = brush.fit(person)
    hair = b.palette.hair(person.hair_color)
    skin = SKIN[person.skin]
    _back_hair(b, person, hair)
    _legs(b, person, skin)
    _arms(b, person, skin)
    _torso(b, person)
    _emblem(b, person)
    _head(b, person, hair, skin)
    _headgear(b, person, hair)


def _cloth(b: Brush, person: Character, *kinds: str) -> RGB | None:
    for kind, color in person.clothes:
        if kind in kinds:
            return b.palette[color]
    return None


def _back_hair(b: Brush, person: Character, hair: RGB) -> None:
    shade = darker(hair, 0.14)
    if person.hair_style == "twintails":
        for s in (-1, 1):
            tail = [
                (0.17, 0.10),
                (0.30, 0.12),
                (0.385, 0.28),
                (0.39, 0.50),
                (0.33, 0.72),
                (0.30, 0.56),
                (0.28, 0.40),
                (0.20, 0.26),
            ]
            b.poly([(s * x, y) for x, y in tail], shade)
            b.oval(s * 0.215, 0.135, 0.035, 0.035, b.palette[person.accent])
        b.oval(0, 0.26, 0.25, 0.25, shade)
    elif person.hair_style == "ponytail":
        tail = [
            (0.02, 0.02),
            (0.20, 0.04),
            (0.27, 0.18),
            (0.28, 0.42),
            (0.24, 0.74),
            (0.17, 0.62),
            (0.10, 0.40),
        ]
        b.poly(tail, shade)
        b.oval(0, 0.25, 0.25, 0.245, shade)
    elif person.hair_length == "long":
        b.poly(
            [
                (-0.2, 0.08),
                (-0.26, 0.24),
                (-0.28, 0.5),
                (-0.27, 0.76),
                (-0.18, 0.72),
                (0, 0.77),
                (0.18, 0.72),
                (0.27, 0.76),
                (0.28, 0.5),
                (0.26, 0.24),
                (0.2, 0.08),
            ],
            shade,
        )
    else:
        b.rect(-0.25, 0.08, 0.25, 0.46, shade, 0.3)


def _legs(b: Brush, person: Character, skin: RGB) -> None:
    pants = _cloth(b, person, "pants")
    for s in (-1, 1):
        b.rect(s * 0.075 - 0.05, 0.7, s * 0.075 + 0.05, 0.965, pants or skin, 0.03)
        if pants is None:  # socks
            b.rect(s * 0.075 - 0.05, 0.88, s * 0.075 + 0.05, 0.965, (244, 244, 248), 0.02)
        b.rect(s * 0.08 - 0.062, 0.935, s * 0.08 + 0.062, 0.998, (92, 62, 58), 0.07)


def _arms(b: Brush, person: Character, skin: RGB) -> None:
    sleeve = _cloth(b, person, "shirt", "dress") or skin
    up = person.arms == "up"
    for s in (-1, 1):
        hand = (s * 0.262, 0.44) if up else (s * 0.205, 0.665)
        elbow = (s * 0.2, 0.57) if up else (s * 0.17, 0.585)
        b.limb([(s * 0.1, 0.525), elbow, hand], skin, 0.06)
        b.limb([(s * 0.1, 0.525), elbow], sleeve, 0.075)


def _torso(b: Brush, person: Character) -> None:
    dress = _cloth(b, person, "dress")
    top = dress or _cloth(b, person, "shirt") or (240, 240, 240)
    skirt = _cloth(b, person, "skirt")
    pants = _cloth(b, person, "pants")
    if pants is not None:
        b.rect(-0.127, 0.66, 0.127, 0.79, pants, 0.03)
    if dress is None:
        b.poly([(-0.1, 0.47), (0.1, 0.47), (0.135, 0.7), (-0.135, 0.7)], top)
        b.stroke([(0, 0.53), (0, 0.69)], mix(top, LINE, 0.45))
    if skirt is not None:
        b.poly([(-0.125, 0.665), (0.125, 0.665), (0.215, 0.82), (-0.215, 0.82)], skirt)
        for x in (-0.5, 0.0, 0.5):
            b.stroke([(0.13 * x, 0.69), (0.215 * x, 0.81)], mix(skirt, LINE, 0.4))
    if dress is not None:
        b.poly(
            [(-0.095, 0.47), (0.095, 0.47), (0.115, 0.63), (0.235, 0.84), (-0.235, 0.84), (-0.115, 0.63)],
            dress,
        )
        b.stroke([(-0.115, 0.63), (0.115, 0.63)], mix(dress, LINE, 0.5), 0.016)
        b.stroke([(-0.212, 0.805), (0.212, 0.805)], mix(dress, (255, 255, 255), 0.45), 0.014)
    collar = mix(top, LINE, 0.25) if top == b.palette["white"] else lighter(top, 0.6)
    b.poly([(-0.06, 0.475), (0.06, 0.475), (0, 0.545)], collar)


def _emblem(b: Brush, person: Character) -> None:
    if person.name.startswith("hoshi"):
        star = [
            (0, 0.53),
            (0.018, 0.565),
            (0.055, 0.57),
            (0.028, 0.597),
            (0.036, 0.635),
            (0, 0.615),
            (-0.036, 0.635),
            (-0.028, 0.597),
            (-0.055, 0.57),
            (-0.018, 0.565),
        ]
        b.poly(star, GOLD)
    elif person.name.startswith("tsuki"):
        dress = _cloth(b, person, "dress") or LINE
        b.oval(0, 0.585, 0.05, 0.05, GOLD, line=False)
        b.oval(0.024, 0.575, 0.042, 0.042, dress, line=False)


def _head(b: Brush, person: Character, hair: RGB, skin: RGB) -> None:
    boy = person.gender == "boy"
    for s in (-1, 1):
        b.oval(s * 0.212, 0.31, 0.03, 0.042, skin)
    b.oval(0, 0.285, 0.215, 0.195, skin)
    for s in (-1, 1):
        b.oval(s * 0.145, 0.385, 0.032, 0.018, mix(skin, (240, 90, 100), 0.4), line=False)
        _eye(b, s, b.palette[person.eye_color], boy)
    if person.mouth == "open_mouth":
        b.oval(0, 0.42, 0.034, 0.032, (168, 44, 56))
    else:
        b.arc(0, 0.392, 0.042, 0.034, 20, 160, width=0.011)
    _fringe(b, person, hair)
    if person.glasses:
        for s in (-1, 1):
            b.arc(s * 0.1, 0.325, 0.083, 0.083, 0, 360, (40, 40, 58), 0.015)
        b.stroke([(-0.022, 0.315), (0.022, 0.315)], (40, 40, 58), 0.015)
        for s in (-1, 1):
            b.stroke([(s * 0.18, 0.31), (s * 0.215, 0.295)], (40, 40, 58), 0.015)


def _eye(b: Brush, side: int, color: RGB, boy: bool) -> None:
    x, y = side * 0.1, 0.325
    rx, ry = (0.04, 0.052) if boy else (0.046, 0.062)
    b.oval(x, y, rx + 0.008, ry + 0.006, (255, 255, 255), line=False)
    b.oval(x, y + 0.004, rx, ry, darker(color, 0.3), line=False)
    b.oval(x, y + 0.014, rx * 0.86, ry * 0.8, color, line=False)
    b.oval(x, y + 0.004, rx * 0.36, ry * 0.42, (34, 24, 40), line=False)
    b.oval(x - 0.014, y - 0.022, 0.015, 0.018, (255, 255, 255), line=False)
    b.arc(x, y + 0.006, rx + 0.012, ry + 0.012, 198, 342, LINE, 0.016)
    if boy:
        b.stroke([(x - side * 0.042, 0.246), (x + side * 0.05, 0.232)], LINE, 0.02)
    else:
        b.stroke([(x + side * (rx + 0.004), y - 0.02), (x + side * (rx + 0.026), y - 0.042)], LINE, 0.012)


def _fringe(b: Brush, person: Character, hair: RGB) -> None:
    shine = lighter(hair, 0.4) if person.hair_color != "white" else (255, 255, 255)
    if person.gender == "boy":
        spikes = [
            (-0.245, 0.34),
            (-0.262, 0.17),
            (-0.215, 0.14),
            (-0.232, 0.05),
            (-0.14, 0.065),
            (-0.105, 0.0),
            (-0.02, 0.042),
            (0.06, 0.0),
            (0.11, 0.055),
            (0.215, 0.035),
            (0.212, 0.12),
            (0.265, 0.15),
            (0.245, 0.34),
            (0.205, 0.24),
            (0.13, 0.19),
            (0.10, 0.25),
            (0.03, 0.18),
            (-0.03, 0.245),
            (-0.09, 0.18),
            (-0.15, 0.245),
            (-0.205, 0.22),
        ]
        b.poly(spikes, hair)
        b.stroke([(-0.13, 0.115), (-0.06, 0.09)], shine, 0.02)
        return
    cap = [
        (-0.235, 0.36),
        (-0.25, 0.22),
        (-0.215, 0.1),
        (-0.125, 0.025),
        (0, 0.003),
        (0.125, 0.025),
        (0.215, 0.1),
        (0.25, 0.22),
        (0.235, 0.36),
        (0.2, 0.25),
        (0.15, 0.2),
        (0.12, 0.26),
        (0.06, 0.19),
        (0.0, 0.265),
        (-0.06, 0.19),
        (-0.12, 0.26),
        (-0.15, 0.2),
        (-0.2, 0.25),
    ]
    b.poly(cap, hair)
    for s in (-1, 1):  # side locks
        end = 0.56 if person.hair_length == "long" else 0.47
        b.poly([(s * 0.19, 0.2), (s * 0.25, 0.22), (s * 0.252, end - 0.08), (s * 0.212, end)], hair)
    b.arc(0, 0.2, 0.16, 0.13, 205, 300, shine, 0.024)


def _headgear(b: Brush, person: Character, hair: RGB) -> None:
    accent = b.palette[person.accent]
    if person.headgear == "hat":
        b.poly(
            [(-0.19, 0.11), (-0.165, -0.03), (-0.1, -0.068), (0.1, -0.068), (0.165, -0.03), (0.19, 0.11)],
            accent,
        )
        b.poly([(-0.188, 0.095), (-0.178, 0.04), (0.178, 0.04), (0.188, 0.095)], darker(accent, 0.4))
        b.oval(0, 0.112, 0.262, 0.038, accent)
    elif person.headgear == "hair_ribbon":
        for s in (-1, 1):
            b.poly([(0.12, 0.035), (0.12 + s * 0.105, -0.047), (0.12 + s * 0.105, 0.115)], accent)
        b.oval(0.12, 0.035, 0.03, 0.034, darker(accent, 0.12))
    elif person.headgear == "cat_ears":
        for s in (-1, 1):
            b.poly([(s * 0.07, 0.035), (s * 0.185, -0.077), (s * 0.225, 0.115)], hair)
            b.poly([(s * 0.115, 0.03), (s * 0.178, -0.035), (s * 0.2, 0.075)], (250, 176, 186), line=False)
