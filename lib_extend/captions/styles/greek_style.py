"""Whose tag it is by a letter in front of it."""

from lib_extend.captions.style import Style

STYLE = Style(
    "greek",
    "Greek",
    "2girls, α black hair, β white hair, indoors",
    template="{people}, {characters}, {copyright}, {persons}, {general}, {artist}, {year}, {meta}, {rating}",
    lettered=True,
    needs=("persons",),
    fallback="A picture whose persons could not be told apart has no letters.",
)
