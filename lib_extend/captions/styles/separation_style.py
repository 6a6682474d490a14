"""The published separation LoRA's captions: a rating, each person's tags by letter, the rest."""

from lib_extend.captions.style import Style

STYLE = Style(
    "separation",
    "Separation",
    "2girls, safe, α black hair, β white hair, indoors",
    template="{people}, {characters}, {rating}, {persons}, {general}, {artist}, {year}",
    lettered=True,
    rating=True,
    needs=("persons",),
    fallback="A picture whose persons could not be told apart has no letters.",
)
