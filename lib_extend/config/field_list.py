"""The setting `caption_fields`: which fields a caption of the style `stage5` has, in which order, how often each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib_extend.errors import UserError

CAPTION_FIELDS = (
    "people",
    "characters",
    "copyright",
    "image_type",
    "artist",
    "rating",
    "year",
    "quality",
    "prose",
    "tags",
)
_ALSO = {
    "npeople": "people",
    "n_people": "people",
    "character": "characters",
    "copyrights": "copyright",
    "type": "image_type",
    "artists": "artist",
    "tag": "tags",
}
"""Other names that are in use for the fields."""


@dataclass(frozen=True)
class CaptionField:
    """One field: its name in `CAPTION_FIELDS`, and the share 0…1 of pictures whose captions have it."""

    name: str
    probability: float = 1.0


def field_name(text: str) -> str:
    """The field that a name means. Raises UserError."""
    name = text.strip().lower()
    name = _ALSO.get(name, name)
    if name not in CAPTION_FIELDS:
        raise UserError(
            f"There is no caption field {text.strip()!r}: the fields are {', '.join(CAPTION_FIELDS)}.",
            field="caption_fields",
        )
    return name


@lru_cache(maxsize=64)
def caption_fields(texts: Sequence[str]) -> tuple[CaptionField, ...]:
    """The fields of `characters`, `artist=0.5`, in their order. Raises UserError: unknown, twice, or no probability."""
    fields: dict[str, CaptionField] = {}
    for text in texts:
        named, _, share = text.partition("=")
        name = field_name(named)
        try:
            probability = float(share or 1)
        except ValueError:
            probability = -1.0
        if not 0 <= probability <= 1:
            raise UserError(
                f"caption_fields has {text!r}: what stands behind = is a probability from 0 to 1.",
                field="caption_fields",
            )
        if name in fields:
            raise UserError(f"caption_fields names {name} twice.", field="caption_fields")
        fields[name] = CaptionField(name, probability)
    return tuple(fields.values())
