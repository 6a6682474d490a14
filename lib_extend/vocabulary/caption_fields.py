"""The fields of structured captions that a tag belongs to: appearance, clothing, expression, action, environment."""

from __future__ import annotations

from functools import lru_cache

from lib_extend.vocabulary.person_aspects import aspect_of

PERSON_FIELDS = ("appearance", "clothing", "expression", "action")
"""The fields that describe one person, in the order in which captions have them."""

_OF_ASPECT = {
    "hair": "appearance",
    "eyes": "appearance",
    "body": "appearance",
    "clothes": "clothing",
    "face": "expression",
    "pose": "action",
}
_ENVIRONMENT = frozenset(
    "indoors outdoors background sky cloud clouds room bedroom bathroom kitchen classroom library hallway office "
    "street alley city cityscape town village building house castle ruins church shrine temple school shop cafe bar "
    "restaurant stage park garden forest tree trees grass field meadow mountain mountains hill desert beach ocean sea "
    "shore river lake water waterfall pool onsen bridge road train_interior vehicle_interior space night day sunset "
    "sunrise dusk dawn evening twilight moon full_moon crescent_moon sun sunlight moonlight rain snow snowing fog "
    "scenery horizon window door floor wall ceiling curtains carpet rug tatami shouji fence stairs balcony rooftop "
    "landscape lens_flare light_rays backlighting starry_sky star_(sky) cherry_blossoms autumn winter summer spring "
    "underwater cave".split()
)
_LONGEST = 2


@lru_cache(maxsize=65536)
def field_of(name: str) -> str:
    """The field of a canonical tag name: one of `PERSON_FIELDS`, "environment", or "" for none of them."""
    field = _OF_ASPECT.get(aspect_of(name), "")
    if field:
        return field
    words = name.split("_")
    ends = {"_".join(words[-n:]) for n in range(1, min(_LONGEST, len(words)) + 1)}
    return "environment" if name in _ENVIRONMENT or ends & _ENVIRONMENT else ""
