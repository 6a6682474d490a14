"""What the routes of browsing take and give; see `documented.py`."""

from __future__ import annotations

from lib_extend.api.documented import Doc, Field

_FILTER = Field(
    "filter",
    "text",
    "which pictures, for instance `red_hair -hat tokens>75`; see the README",
)
_OFFSET = Field("offset", "integer", "from which on")
_RUN = {
    "id": 3, "kind": "tag", "status": "done", "started": 1767225600.0, "finished": 1767225723.5,
    "config": {"tagger": "wd-swinv2-v3"}, "images": 1200, "undoes": None, "changed": 1198, "failed": 2,
    "taken_back": 0,
}  # fmt: skip
_CHANGE = {
    "name": "a/b.txt",
    "image": "a/b.png",
    "id": "a/b.png",
    "before": "1girl",
    "after": "1girl, 3 cakes",
}
_TAG = {
    "name": "3_cakes", "category": "general", "score": 0.93, "source": "question", "locked": False,
    "text": "3 cakes",
}  # fmt: skip

BROWSE: tuple[Doc, ...] = (
    Doc(
        "GET",
        "/datasets/{folder}/scan",
        "How far the first look through the folder is.",
        "Events `{done, total}` (pictures), at the end `{ready, images, generation}` or `{error}`.",
        query=(Field("poll", "integer", "1: no stream, but a JSON list of where it is now"),),
    ),
    Doc(
        "GET",
        "/datasets/{folder}/images",
        "A page of the pictures that a filter means.",
        {
            "total": 1,
            "rows": [
                {
                    "id": "a/b.png", "name": "a/b.png", "w": 832, "h": 1216, "bytes": 1500000,
                    "caption": "1girl, 3 cakes", "captioned": True, "tokens": 6, "tags": 2, "changed": 1767225600.0,
                    "sure": 0.93, "problems": [],
                    "sources": {"tagger": 1, "question": 1, "person": 0, "human": 0},
                }
            ],
            "generation": 7,
        },
        query=(
            _FILTER,
            Field("sort", "text", "name, changed, tokens, tags or sure"),
            _OFFSET,
            Field("limit", "integer", "how many at the most, 1 to 1000 (default 100)"),
        ),
        notes="`sure` is the least probability of the answers nobody has looked at; `generation` grows when something "
        "changed.",
    ),
    Doc(
        "GET",
        "/datasets/{folder}/tags",
        "The tags of the pictures that a filter means, most frequent first.",
        {"total": 1, "rows": [{"tag": "1girl", "count": 1100}]},
        query=(
            _FILTER,
            Field("like", "text", "only tags that look like this"),
            Field("limit", "integer", "how many at the most (default 200)"),
        ),
    ),
    Doc(
        "GET",
        "/datasets/{folder}/images/{image}",
        "Everything that is known of one picture.",
        {
            "id": "a/b.png", "name": "a/b.png", "w": 832, "h": 1216, "bytes": 1500000, "caption": "1girl, 3 cakes",
            "tokens": 6, "tags": [_TAG],
            "answers": [
                {
                    "question": "count", "object": "cake", "answer": "3", "raw": "3", "probability": 0.93,
                    "tag": "3_cakes", "locked": False, "person": 0, "decided": False,
                }
            ],
            "persons": [
                {
                    "letter": "α", "box": [12.0, 30.5, 210.0, 480.0], "score": 0.91, "locked": False,
                    "tags": [{k: v for k, v in _TAG.items() if k != "text"}],
                }
            ],
            "reason": "", "dropped": [{"name": "hat", "reason": "score 0.20 is below 0.35"}],
        },
        notes="`text` is how a tag stands in the caption; `decided`: a person has said something about the answer.",
    ),
    Doc(
        "PUT",
        "/datasets/{folder}/images/{image}/caption",
        "Save a caption as a person typed it.",
        {"caption": "1girl, 3 cakes", "tokens": 6},
        body=(
            Field("caption", "text", "the new text", True),
            Field("before", "text", "the text one started from"),
        ),
        notes="Where something else stands there now it is refused (409), and `caption` tells the present text.",
    ),
    Doc(
        "GET",
        "/datasets/{folder}/thumb/{image}",
        "A small picture (JPEG).",
        "The picture, with an ETag; a placeholder and the header `X-Problem` where it cannot be read.",
        query=(
            Field("size", "integer", "192, 384 or 1280: its longer side"),
            Field("v", "text", "anything that changes with the picture: the browser then keeps it for good"),
        ),
    ),
    Doc("GET", "/datasets/{folder}/file/{image}", "The picture's file as it is.", "The picture."),
    Doc(
        "POST",
        "/datasets/{folder}/edit",
        "Change the captions of the pictures that are meant.",
        {
            "changed": 12, "total": 40, "run": 4, "failures": [], "stopped": False,
            "samples": [{"id": "a/b.png", "name": "a/b.png", "before": "1girl", "after": "solo"}],
        },
        body=(
            _FILTER,
            Field("ids", "list", "or which ones, by id"),
            Field("action", "text", "add, remove, rename, replace, front or sort", True),
            Field("tags", "list", "the tags; for replace the text to look for"),
            Field("to", "text", "the new name or text; `front` to add at the front"),
            Field("regex", "flag", "tags are regular expressions"),
            Field("preview", "flag", "show what would change, change nothing"),
        ),
        notes="An edit is a run, which can be undone; `stopped`: not all captions were looked at.",
    ),
    Doc(
        "GET",
        "/datasets/{folder}/edit",
        "How far the edit is that is being written.",
        {"running": True, "done": 512, "total": 20000, "stopping": False},
    ),
    Doc(
        "POST",
        "/datasets/{folder}/edit/stop",
        "Stop the edit that is being written; what is done stays, and can be undone.",
        {"running": True, "done": 512, "total": 20000, "stopping": True},
    ),
    Doc(
        "GET",
        "/datasets/{folder}/runs",
        "What was done to the folder, newest first.",
        [_RUN],
        notes="`kind` is tag, preview, edit, review (verdicts given one after the other; `config.answers` counts them) or "
        "undo. `taken_back` of the `changed` captions were taken back; when all were, `status` is undone.",
    ),
    Doc(
        "GET",
        "/datasets/{folder}/runs/{run}",
        "One run with a page of what it changed.",
        {**_RUN, "changes": [_CHANGE], "failures": [{"name": "c.png", "reason": "c.png cannot be read."}]},
        query=(_OFFSET, Field("limit", "integer", "changes at the most (default 1000)")),
    ),
)  # fmt: skip
