"""Reading a caption text as what it is made of."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.declaring import Routes, Takes
from lib_extend.datasets.browse import name_of
from lib_extend.services.caption_pieces import pieces
from lib_extend.services.container import Services

routes = Routes("Caption texts", place=65)
_PIECE: dict[str, Any] = {"raw": "(smile:1.2)", "name": "smile", "kind": "tag", "category": "general"}


@routes.post(
    "/captions/pieces",
    gives={"lines": [{"pieces": [_PIECE], "gaps": ["", "\n"], "ending": "", "one_a_line": False}]},
    pool="browsing",
)
def caption_pieces(
    services: Services,
    text: Annotated[str, Takes("the caption text")],
    folder: Annotated[str, Takes("an open folder, where it is the caption of one of its pictures")] = "",
    image: Annotated[str, Takes("and which picture's, by id")] = "",
) -> dict[str, Any]:
    """What a caption text is made of: lines, and in each the pieces with what stands between them.

    A piece is a tag, prose, a group, a literal or a separator, as it stands in the text (`raw`). There is one gap more than
    pieces; gaps, pieces and endings put together are the text again. `category` is "" where no list of ours says it.
    """
    if not folder or not image:
        return pieces(text)
    opened = services.folders.get(folder)
    return pieces(text, services.browsers.open(opened.path, recursive=opened.recursive), name_of(image))
