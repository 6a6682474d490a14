"""More tags to a cast, each character by itself."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.declaring import BODY, FLAG, INTEGER, LIST, TEXT, Member, Routes, Takes
from lib_extend.api.generation_members import ADDED, CAST_MEMBERS, PANEL_MEMBERS
from lib_extend.services.cast_expanding import expanded_json
from lib_extend.services.container import Services

routes = Routes("Expanding casts", place=86)
_MEMBERS = (
    Member("prompt", TEXT, "the host's own prompt"),
    Member(
        "places",
        LIST,
        "what to expand: prompt, scene, or characters' numbers from 0 (default: all that have words)",
    ),
    Member("seed", INTEGER, "the same seed gives the same; -1 for any (default)"),
    Member("dropped", LIST, "tags that must not come this time, besides those of the ban"),
    Member("width", INTEGER, "of the picture in pixels: the expander is told its shape"),
    Member("height", INTEGER, "the same"),
    Member("offline", FLAG, "use only models that are here"),
)


@routes.post("/cast/expand", gives={"seed": 7, "added": {"prompt": ADDED, "0": ADDED}})
def expand_cast(
    services: Services,
    values: Annotated[dict[str, Any], Takes(kind=BODY, members=(*_MEMBERS, *CAST_MEMBERS, *PANEL_MEMBERS))],
) -> dict[str, Any]:
    """What an expander adds to the texts of a cast, by place; nothing of one character flows into another.

    Locked tags of `added` stay, all else is drawn anew. Put the answer's values into `main_added`, `scene_added` and the
    characters' `added`.
    """
    return expanded_json(services, values)
