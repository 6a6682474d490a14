"""What each route takes and gives, with an example: the source of the OpenAPI document and of `docs/api.md`.

The examples are shaped like real answers; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """A part of an address, of a query or of a body.

    Attributes:
        type: text, integer, number, flag, list, object, config (settings) or file.
    """

    name: str
    type: str
    text: str
    needed: bool = False


@dataclass(frozen=True)
class Doc:
    """One route.

    Attributes:
        summary: one sentence. query, body: what it takes. example: an answer, as JSON values; a text says what else
            comes (pictures, events). notes: more sentences.
    """

    method: str
    path: str
    summary: str
    example: Any
    query: tuple[Field, ...] = ()
    body: tuple[Field, ...] = ()
    notes: str = ""


_CONFIG = Field("config", "config", "settings that differ from their defaults, see GET /settings")
_AFTER = Field("after", "integer", "number of the last event one has; a browser's `Last-Event-ID` counts too")
_POLL = Field("poll", "integer", "1: no stream, but a JSON list of the events so far")
_IMAGE = Field("image", "text", "an image's name, relative to the folder, with forward slashes", True)
_CAPTION = "2girls, α black hair, β white hair, 3 cakes"
_TAG = {"name": "black_hair", "category": "general", "score": 0.98, "source": "tagger", "locked": False}
_ANSWER = {
    "question": "color", "object": "cake", "answer": "red", "raw": "red", "probability": 0.93, "tag": "red_cake",
    "locked": False, "person": 0,
}  # fmt: skip
_PERSON = {
    "letter": "α",
    "box": [12.0, 30.5, 210.0, 480.0],
    "score": 0.91,
    "tags": [_TAG],
    "locked": False,
}
_OWN = {
    "name": "season",
    "selected_by": "season",
    "kind": "one_of",
    "tag": "{answer}",
    "when": ["outdoors"],
    "ask": "What season is it?",
    "after": "",
    "of_person": False,
    "allowed": ["summer", "winter"],
    "unless": [],
    "each": [],
    "answers": ["summer", "winter"],
    "file": "/webui/prompt-extend/questions/season.toml",
}
_DROP = {"name": "hat", "reason": "score 0.20 is below 0.35"}
_JOB = {
    "id": "b7c2f0a1d3e4", "folder": "9f86d081884c7d65", "path": "/data/cats", "kind": "tag", "state": "running",
    "pausing": False, "run": 3, "images": 1200, "done": 310, "failed": 2, "written": 308, "rate": 9.7, "eta": 91.5,
    "started": 1767225600.0, "error": "", "events": 316,
}  # fmt: skip
_WORKER = {
    "running": True, "pid": 4711, "tagger": "wd-swinv2-v3", "vlm": "qwen2.5-vl-3b", "detector": "none",
    "device": "cuda", "since": 1767225600.0, "job": "b7c2f0a1d3e4", "loading": None,
}  # fmt: skip
_PRESET = {"name": "cats", "config": {"tagger": "wd-swinv2-v3", "threshold": 0.4}}

GROUPS: dict[str, tuple[Doc, ...]] = {
    "The machine": (
        Doc(
            "GET",
            "/state",
            "The server, the models' environment, and what is in memory.",
            {
                "version": "0.1.0",
                "host": "AUTOMATIC1111",
                "host_version": "v1.10.1",
                "gradio": "3.41.2",
                "environment": {
                    "ready": True,
                    "python": "/webui/worker-env/env/bin/python",
                    "path": "/webui/worker-env",
                    "packages": {"onnxruntime": "1.23.0"},
                    "bytes": 226000000,
                    "problem": "",
                    "needs": None,
                    "doing": "",
                },
                "worker": _WORKER,
                "host_model": {"can_unload": True, "unload": False},
                "roots": [],
                "folders": [],
                "free": True,
                "login": False,
            },
            notes="`worker` is null when no models are loaded; `environment.doing` is make, repair, remove or empty, and "
            "`environment.needs` the bytes that making it takes. `free`: any folder may be opened; else only those below "
            "`roots`.",
        ),
        Doc(
            "POST",
            "/environment",
            "Make, repair or remove the models' environment, or stop that.",
            {"task": "1"},
            body=(Field("action", "text", "make, repair, remove or stop", True),),
        ),
        Doc(
            "GET",
            "/environment/events",
            "What is being done with the environment.",
            'Events `{"event": "line", "line", "done", "total"}` (bytes), at the end `{"event": "finished", "error", "stopped"}`.',
            query=(_AFTER, _POLL),
        ),
        Doc(
            "POST",
            "/worker",
            "End the worker that was kept for the next picture.",
            {"unloaded": True},
            body=(Field("action", "text", "unload", True),),
        ),
        Doc(
            "POST",
            "/host",
            "Take the WebUI's checkpoint out of memory, or bring it back.",
            {"done": True},
            body=(Field("action", "text", "unload or reload", True),),
        ),
    ),
    "What can be chosen": (
        Doc(
            "GET",
            "/settings",
            "Every setting of a job with its type, default, range and help.",
            {
                "settings": [
                    {
                        "name": "threshold",
                        "type": "number",
                        "optional": True,
                        "default": None,
                        "help": "score a general tag needs (default: the model's own)",
                        "group": "tags",
                        "low": 0.0,
                        "high": 1.0,
                        "choices": None,
                        "metavar": None,
                        "recompose": True,
                    }
                ],
                "groups": [{"name": "tags", "title": "Tags"}],
                "formats": {"names": ["plain"], "lettered": ["greek"], "fields": ["people"]},
            },
            notes="`recompose`: changing it runs no model again. `formats`: the names the setting `format` knows, those of them "
            "that need `people`, and the fields a template may have.",
        ),
        Doc(
            "GET",
            "/models",
            "The models known by name, and whether they are on this machine.",
            {
                kind: [
                    {
                        "name": "sketch",
                        "repo": "",
                        "bytes": 0,
                        "licence": "MIT",
                        "gated": False,
                        "note": "built in; knows the drawn sample scenes only",
                        "here": True,
                    }
                ]
                for kind in ("taggers", "vlms", "detectors")
            },
        ),
        Doc(
            "GET",
            "/questions",
            "The built-in questions.",
            [
                {
                    "name": "count",
                    "selected_by": "count",
                    "kind": "count",
                    "tag": "{answer}_{objects}",
                    "when": [],
                    "ask": "How many {objects} are in the image? Answer with one number.",
                    "after": "",
                    "of_person": False,
                    "allowed": ["0", "1", "2"],
                }
            ],
            notes="`selected_by` is the word for the setting `ask`; `allowed` is empty for free text.",
        ),
        Doc(
            "POST",
            "/questions/check",
            "Whether a question of one's own is sound; an error names the line.",
            {
                "questions": [
                    {
                        "name": "own_1",
                        "selected_by": "own_1",
                        "kind": "one_of",
                        "tag": "{answer}",
                        "when": [],
                        "ask": "What season is it?",
                        "after": "",
                        "of_person": False,
                        "allowed": ["summer", "winter"],
                    }
                ]
            },
            body=(
                Field("text", "text", "one line, as for `--question`"),
                Field("toml", "text", "or the text of a question file"),
            ),
        ),
        Doc(
            "GET",
            "/questions/own",
            "The questions written in the page, each a TOML file in the data folder.",
            [_OWN],
            notes="`file` goes into the setting `question_file` to have it asked; `problem` says why one cannot be read.",
        ),
        Doc(
            "PUT",
            "/questions/own/{name}",
            "Save a question of one's own, replacing one of that name; an error names the `field`.",
            _OWN,
            body=(
                Field(
                    "kind", "text", "count, color, yes_no, one_of, some_of or free (default: by the answers)"
                ),
                Field("ask", "text", "what is asked", True),
                Field("when", "list", "tags that must all be there"),
                Field("unless", "list", "tags none of which may be there"),
                Field("each", "list", "the objects it is put to, as {object} in `ask`"),
                Field("answers", "list", "the answers allowed"),
                Field("tag", "text", "the tag it writes, with {answer} and {object}"),
            ),
        ),
        Doc("DELETE", "/questions/own/{name}", "Delete a question of one's own.", {"deleted": "season"}),
        Doc(
            "GET", "/presets", "The saved presets.", [_PRESET], notes="`problem` says why one cannot be read."
        ),
        Doc("GET", "/presets/{name}", "One preset.", _PRESET),
        Doc("PUT", "/presets/{name}", "Save a preset, replacing one of that name.", _PRESET, body=(_CONFIG,)),
        Doc("DELETE", "/presets/{name}", "Delete a preset.", {"deleted": "cats"}),
        Doc(
            "GET",
            "/presets/{name}/file",
            "The preset as a file to keep or to share.",
            {"prompt_extend": 1, **_PRESET},
        ),
        Doc(
            "POST",
            "/presets/import",
            "Take in such a file; where the name is taken, it gets a number.",
            _PRESET,
            body=(
                Field("name", "text", "the preset's name", True),
                _CONFIG,
                Field("prompt_extend", "integer", "the file's version"),
            ),
        ),
    ),
    "Folders": (
        Doc(
            "GET",
            "/folders/recent",
            "The folders used last, newest first.",
            [
                {
                    "path": "/data/cats",
                    "name": "cats",
                    "images": 1200,
                    "captions": 310,
                    "opened": 1767225600.0,
                    "recursive": False,
                    "unfinished": True,
                }
            ],
            notes="`unfinished`: a tagging run was begun there and has not come to its end.",
        ),
        Doc(
            "DELETE",
            "/folders/recent",
            "Take a folder off that list; nothing of the folder is touched.",
            {"forgotten": "/data/cats"},
            body=(Field("path", "text", "the folder", True),),
        ),
        Doc(
            "GET",
            "/folders/browse",
            "The folders in a folder.",
            {
                "path": "/data",
                "parent": "/",
                "folders": [{"name": "cats", "path": "/data/cats", "images": 1200}],
            },
            query=(Field("path", "text", "where to look; without it, where one can begin"),),
            notes="`images` is null where counting would take long.",
        ),
        Doc(
            "POST",
            "/folders/open",
            "Take a folder in use: what follows is said about its `id`.",
            {
                "id": "9f86d081884c7d65",
                "path": "/data/cats",
                "recursive": False,
                "images": 1200,
                "captions": 310,
                "bytes": 1800000000,
                "sizes": {
                    "sampled": 200,
                    "smallest": [512, 512],
                    "median": [1024, 1024],
                    "largest": [4096, 3072],
                },
                "run": 3,
                "unfinished": {"run": 3, "images": 1200, "done": 310, "config": {"tagger": "wd-swinv2-v3"}},
                "job": None,
            },
            body=(
                Field("path", "text", "the whole path of a folder on the server", True),
                Field("recursive", "flag", "subfolders too"),
            ),
            notes="The `id` is the same after every restart, but the folder must be opened again then. A run that is "
            "`unfinished` goes on with POST /jobs and its `config`.",
        ),
    ),
    "Jobs": (
        Doc(
            "POST",
            "/jobs",
            "Start a job; it belongs to the server and goes on without anybody watching.",
            _JOB,
            body=(
                Field("folder", "text", "the id of an open folder", True),
                Field(
                    "kind",
                    "text",
                    "tag; preview (the same, but no caption is written); undo (take a run back)",
                    True,
                ),
                _CONFIG,
                Field("names", "list", "only these images, at most 10,000"),
                Field("unload_host", "flag", "take the WebUI's checkpoint out of memory meanwhile"),
                Field("run", "integer", "which run to undo (default: the last that changed captions)"),
                Field("force", "flag", "undo captions edited since, too"),
            ),
            notes="One job a folder: a second one is refused (409) and told which `job` is there.",
        ),
        Doc("GET", "/jobs", "The jobs of this server, newest first.", [_JOB]),
        Doc(
            "GET",
            "/jobs/{job}",
            "One job.",
            _JOB,
            notes="`state` is running, paused, stopped, done or failed; `rate` in images a second and `eta` in seconds "
            "are null while not known; `events` is the number of the last event.",
        ),
        Doc(
            "GET",
            "/jobs/{job}/events",
            "What happens, as it happens.",
            "Events `planned`, `status`, `loaded`, `image`, `failed`, `incomplete` (a caption that lacks a `part`, the "
            "answers, and why; where `path` is empty it is true of all), `paused`, `finished`; each has its number `n`. The "
            "stream ends after `finished`, which has an `error` when the job failed and `stopped` when it was stopped. "
            "The last 500 images and the last 500 failures are remembered. An undo tells by `status` how far it is.",
            query=(_AFTER, _POLL),
        ),
        Doc(
            "POST",
            "/jobs/{job}",
            "Pause a job, let it go on, or stop it.",
            {**_JOB, "pausing": True},
            body=(Field("action", "text", "pause, resume or stop", True),),
            notes="What is done is kept. A paused job has given back the models' memory and goes on under the same run; a "
            "stopped one is continued by a new job with the same settings.",
        ),
    ),
    "One picture": (
        Doc(
            "POST",
            "/analyze",
            "All about one picture; nothing is written.",
            {
                "caption": _CAPTION,
                "tags": [_TAG],
                "answers": [_ANSWER],
                "persons": [_PERSON],
                "reason": "",
                "dropped": [_DROP],
                "width": 832,
                "height": 1216,
                "seconds": 0.41,
            },
            body=(
                Field("image", "file", "the picture, as a part of a form (multipart/form-data)"),
                Field("path", "text", "or, in JSON, the path of an image in an open folder"),
                _CONFIG,
            ),
            notes="`reason`: why there are no persons, where they were wanted. The models stay loaded for the next one.",
        ),
    ),
}

REVIEW: tuple[Doc, ...] = (
    Doc(
        "GET",
        "/datasets/{folder}/review",
        "The answers and separations a person should look at, the most urgent first.",
        {
            "total": 1,
            "rows": [
                {
                    "id": "a/b.png",
                    "name": "a/b.png",
                    "question": "color",
                    "object": "cake",
                    "answer": "red",
                    "raw": "red",
                    "probability": 0.42,
                    "tag": "red_cake",
                    "reason": "probability 0.42",
                    "allowed": ["red", "blue"],
                }
            ],
            "complete": True,
            "done": 1200,
            "images": 1200,
        },
        query=(
            Field("below", "number", "only answers less certain (default 0.8)"),
            Field("offset", "integer", "from which on"),
            Field("limit", "integer", "how many at the most (default 50)"),
        ),
        notes="Looking at all persons takes a while: until `complete`, there are only the rows whose place is certain, and "
        "`total` grows; `done` of the `images` were looked at.",
    ),
    Doc(
        "POST",
        "/datasets/{folder}/review",
        "Say of an answer that it is right or wrong; the caption is written anew.",
        {"caption": _CAPTION},
        body=(
            _IMAGE,
            Field("question", "text", "as listed", True),
            Field("object", "text", "as listed; empty for none"),
            Field("verdict", "text", "accept, correct, reject or lock; withdraw takes it back", True),
            Field("answer", "text", "the right one, for correct"),
        ),
        notes="Verdicts given one after the other are one run. To take one back, withdraw: the answer is then listed again, "
        "too.",
    ),
    Doc(
        "POST",
        "/datasets/{folder}/persons",
        "Say who is where in an image and whose tag is whose; the caption is written anew.",
        {"caption": _CAPTION},
        body=(
            _IMAGE,
            Field(
                "persons",
                "list",
                "objects of letter, box [left, top, right, bottom] in pixels, tags; an empty list gives the models' back",
                True,
            ),
        ),
    ),
    *(
        Doc(
            method,
            "/datasets/{folder}/compose",
            "An image's caption under other settings, from what is stored: no model runs, nothing is written.",
            {
                "caption": _CAPTION,
                "before": "2girls",
                "tags": [_TAG],
                "answers": [_ANSWER],
                "persons": [_PERSON],
                "reason": "",
                "dropped": [_DROP],
                "missing": [],
            },
            query=(_IMAGE, Field("config", "text", "settings as JSON")) if method == "GET" else (),
            body=(_IMAGE, _CONFIG) if method == "POST" else (),
            notes="`missing`: what these models have not said yet (tags, answers, persons)."
            if method == "GET"
            else "",
        )
        for method in ("GET", "POST")
    ),
)
