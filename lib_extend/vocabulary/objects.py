"""Which Danbooru tags name things that can be counted, and things whose color can be asked."""

from __future__ import annotations

_FURNITURE = (
    "chair table desk bed sofa couch bench stool bookshelf shelf cabinet drawer fireplace bathtub cushion "
    "pillow lamp chandelier candle clock mirror television monitor computer laptop keyboard phone "
    "painting_(object) poster_(object) picture_frame vase potted_plant window door"
).split()
_SMALL = (
    "cake cupcake cookie doughnut pudding ice_cream apple orange_(fruit) strawberry banana watermelon "
    "pumpkin bread egg onigiri cup mug teacup teapot wine_glass drinking_glass bottle wine_bottle can plate "
    "bowl spoon fork knife book notebook pen pencil paintbrush letter envelope box gift_box bag basket bucket "
    "umbrella ball balloon beachball stuffed_toy teddy_bear doll crown bell lantern flag sword gun camera "
    "microphone guitar coin card dice key rope"
).split()
_OUTDOORS = (
    "butterfly bird cat dog rabbit fish flower rose sunflower tulip leaf feather mushroom tree rock "
    "snowman car bicycle boat airplane house building bubble star_(symbol) heart cloud"
).split()

COUNTABLE: tuple[str, ...] = tuple(_FURNITURE + _SMALL + _OUTDOORS)
"""About 120 tags; asked "how many" when the tagger names them."""

# Things that have no color of their own, or many: asking gives noise.
_NOT_COLORED = frozenset(
    "window mirror television monitor computer laptop phone painting_(object) poster_(object) picture_frame "
    "drinking_glass wine_glass bubble cloud card coin can dice chandelier fireplace tree rock house building "
    "orange_(fruit) banana watermelon pumpkin sunflower egg onigiri bread snowman camera gun".split()
)

COLORABLE: tuple[str, ...] = (
    *(name for name in COUNTABLE if name not in _NOT_COLORED),
    *("curtains", "carpet", "rug", "blanket", "towel", "tablecloth", "wallpaper", "roof"),
)
"""Asked for a color when the tagger names them, or the furniture and door questions find them."""

FURNITURE: tuple[str, ...] = tuple(
    "curtains chair desk table bed sofa couch bathtub bookshelf fireplace cabinet".split()
)
"""Asked whether it is there, in this order."""

FLOORS: tuple[str, ...] = tuple("wooden tile carpet stone tatami concrete marble brick".split())
"""What a floor can be of."""

GARMENTS: tuple[str, ...] = tuple(
    "shirt t-shirt skirt dress pants shorts jacket coat hoodie sweater cardigan vest apron kimono cape cloak "
    "swimsuit bikini leotard hat cap beret scarf necktie bowtie bow ribbon hair_ribbon hair_bow hairband gloves "
    "socks kneehighs thighhighs pantyhose shoes boots".split()
)
"""Clothes of one person whose color can be asked."""
