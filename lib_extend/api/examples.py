"""Values that several routes give as examples. They are shaped like real answers; a test compares the two."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.declaring import CONFIG, Takes

Settings = Annotated[
    dict[str, Any], Takes("settings that differ from their defaults, see GET /settings", kind=CONFIG)
]
"""The member `config` of a route."""
ImageName = Annotated[str, Takes("an image's name, relative to the folder, with forward slashes")]
After = Annotated[int, Takes("number of the last event one has; a browser's `Last-Event-ID` counts too")]
Poll = Annotated[bool, Takes("1: no stream, but a JSON list of the events so far")]
FilterText = Annotated[
    str, Takes("which pictures, for instance `red_hair -hat tokens>75`; see `docs/captions.md`")
]
Offset = Annotated[int, Takes("from which on")]

CAPTION = "2girls, α black hair, β white hair, 3 cakes"
TAG: dict[str, Any] = {
    "name": "black_hair", "category": "general", "score": 0.98, "source": "tagger", "locked": False,
}  # fmt: skip
ANSWER: dict[str, Any] = {
    "question": "color", "object": "cake", "answer": "red", "raw": "red", "probability": 0.93, "tag": "red_cake",
    "locked": False, "person": 0,
}  # fmt: skip
PERSON: dict[str, Any] = {
    "letter": "α", "box": [12.0, 30.5, 210.0, 480.0], "score": 0.91, "tags": [TAG], "locked": False,
}  # fmt: skip
DROP: dict[str, Any] = {
    "name": "shirt", "reason": "white shirt says more", "code": "overlap", "fields": {"by": "white_shirt", "why": "words"},
}  # fmt: skip
