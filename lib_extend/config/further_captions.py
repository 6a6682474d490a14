"""The setting `also`: further captions of each picture, each a style and perhaps a variant of it (`prose`, `anima:pruned`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib_extend.config.caption_settings import format_names
from lib_extend.errors import UserError

FULL, PRUNED, SHORT, LONG = "full", "pruned", "short", "long"
VARIANTS = (FULL, PRUNED, SHORT, LONG)
"""With all that a name implies, without it; the best tags only, all of them."""
MOST_SHORT = 12
"""Tags of a short caption, at the most."""


@dataclass(frozen=True)
class FurtherCaption:
    """One further caption.

    Attributes:
        style: its style. variant: one of `VARIANTS`; "" means as the settings say.
    """

    style: str
    variant: str = ""

    @property
    def name(self) -> str:
        return f"{self.style}:{self.variant}" if self.variant else self.style

    @property
    def suffix(self) -> str:
        """The ending of such a caption's file name: `.prose.txt`, `.anima-pruned.txt`."""
        return f".{self.name.replace(':', '-')}.txt"


@lru_cache(maxsize=64)
def further_captions(texts: Sequence[str]) -> tuple[FurtherCaption, ...]:
    """The captions that `also` names. Raises UserError: no such style or variant, or one is named twice."""
    found: list[FurtherCaption] = []
    for text in texts:
        style, _, variant = (part.strip() for part in text.partition(":"))
        if style not in format_names() or variant not in ("", *VARIANTS):
            raise UserError(
                f"also has {text!r}, but takes {', '.join(format_names())}, each with a variant if you like "
                f"(anima:pruned): {', '.join(VARIANTS)}.",
                field="also",
            )
        if FurtherCaption(style, variant) in found:
            raise UserError(f"also names {text.strip()} twice.", field="also")
        found.append(FurtherCaption(style, variant))
    return tuple(found)
