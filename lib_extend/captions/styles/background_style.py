"""The published background LoRA's captions: people and characters, then the rest thinned out and mixed."""

from lib_extend.captions.style import Style

STYLE = Style(
    "background",
    "Background",
    "2girls, wooden floor, 3 cakes, indoors",
    template="{people}, {characters}, {general}, {artist}, {year}",
    thins=True,
)
