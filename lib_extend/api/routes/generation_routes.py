"""Generating: what the panel in txt2img and img2img offers, and what a cast compiles to."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.declaring import BODY, Routes, Takes
from lib_extend.api.generation_members import CAST_MEMBERS, PANEL_MEMBERS, PICTURE_MEMBERS
from lib_extend.config import COUNT_STYLES
from lib_extend.generation import background
from lib_extend.generation.cast import LETTERS, MAX_CHARACTERS, MODES
from lib_extend.generation.panel import MAX_TRIES
from lib_extend.services.cast_compiling import compiled_json
from lib_extend.services.container import Services

routes = Routes("Generate", place=80)
ARRANGEMENTS = ("columns", "rows", "grid")


@routes.get(
    "/panel",
    gives={
        "regions": True,
        "reason": "",
        "family": "sdxl",
        "colors": ["red"],
        "objects": ["cake"],
        "floors": ["wooden"],
        "letters": ["α"],
        "max_characters": 5,
        "max_tries": 20,
        "arrangements": ["columns"],
        "count_styles": ["english"],
        "modes": ["regions"],
    },
)
def panel(services: Services) -> dict[str, Any]:
    """What the panel in txt2img and img2img offers, and whether the loaded checkpoint takes regions.

    `family` is sd1, sd2, sdxl, sd3, flux, or empty where no checkpoint is loaded or known; none is loaded to find out.
    `reason`: why regions cannot be used, as a clause.
    """
    reason = services.regions.unfit()
    return {
        "regions": not reason,
        "reason": reason,
        "family": services.regions.family(),
        "colors": list(background.COLORS),
        "objects": list(background.OBJECTS),
        "floors": list(background.FLOORS),
        "letters": list(LETTERS),
        "max_characters": MAX_CHARACTERS,
        "max_tries": MAX_TRIES,
        "arrangements": list(ARRANGEMENTS),
        "count_styles": list(COUNT_STYLES),
        "modes": list(MODES),
    }


@routes.post(
    "/compile",
    gives={
        "prompt": "1girl, 1boy, masterpiece, α black hair, β white hair, indoors, 3 cakes <lora:background:0.8>",
        "negative_prompt": "lowres",
        "tokens": 22,
        "negative_tokens": 2,
        "regions": [
            {
                "letter": "α",
                "name": "Ann",
                "prompt": "1girl, masterpiece, black hair",
                "negative": None,
                "box": [0.0, 0.0, 0.5, 1.0],
                "weight": 1.0,
                "tokens": 9,
            }
        ],
        "notes": ["Ben has no tags of its own: give it a prompt, or remove it."],
        "summary": "2 characters (α Ann, β Ben), base 0.3",
    },
)
def compile_cast(
    services: Services,
    values: Annotated[
        dict[str, Any], Takes(kind=BODY, members=(*PICTURE_MEMBERS, *CAST_MEMBERS, *PANEL_MEMBERS))
    ],
) -> dict[str, Any]:
    """From a cast to the prompts that the host is given, with their tokens, and the regions' masks.

    `tokens` as the hosts count them; a textual inversion counts as its name. `negative` of a region is null where the
    base's own acts.
    """
    return compiled_json(services, values)
