"""What can be chosen: settings, models, questions, presets."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from lib_extend.api.calls import Raw, to_bytes
from lib_extend.api.declaring import INTEGER, LIST, TEXT, Routes, Takes
from lib_extend.api.examples import Settings
from lib_extend.questions.builtin import BUILTIN
from lib_extend.services import question_rows
from lib_extend.services.container import Services
from lib_extend.services.requested_settings import config_of, described

routes = Routes("What can be chosen", place=20)
_PRESET: dict[str, Any] = {"name": "cats", "config": {"tagger": "wd-swinv2-v3", "threshold": 0.4}}
_OWN: dict[str, Any] = {
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
_CHECKED = {
    "name": "own_1", "selected_by": "own_1", "kind": "one_of", "tag": "{answer}", "when": [],
    "ask": "What season is it?", "after": "", "of_person": False, "allowed": ["summer", "winter"],
}  # fmt: skip


@routes.get(
    "/settings",
    gives={
        "settings": [
            {
                "name": "threshold",
                "type": "number",
                "optional": True,
                "default": None,
                "label": "General tags above",
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
        "formats": {
            "names": ["plain"],
            "lettered": ["greek"],
            "fields": ["people"],
            "styles": [
                {
                    "name": "anima",
                    "title": "Anima",
                    "example": "2girls, indoors. On the left, black hair.",
                    "needs": ["persons"],
                    "fallback": "Without --people it is a list.",
                    "protection": {
                        "shuffle": "keep",
                        "keep_separator": "|||",
                        "secondary_separator": "",
                        "reason": "Clauses have commas in them.",
                    },
                }
            ],
        },
    },
)
def all_settings(services: Services) -> dict[str, Any]:
    """Every setting of a job with its type, default, range and help.

    `recompose`: changing it runs no model again. `formats`: the names the setting `format` knows, those of them that need
    `people`, the fields a template may have, and of each style an example, what it is best with, what it does without,
    and what a trainer must not shuffle.
    """
    return described()


@routes.get(
    "/models",
    gives={
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
        for kind in ("taggers", "vlms", "detectors", "expanders")
    },
)
def models(services: Services) -> dict[str, Any]:
    """The models known by name, and whether they are on this machine."""
    return services.models.get(services.options().models_dir)


@routes.get(
    "/questions",
    gives=[
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
)
def questions(services: Services) -> list[dict[str, Any]]:
    """The built-in questions.

    `selected_by` is the word for the setting `ask`; `allowed` is empty for free text.
    """
    return [question_rows.question_row(q) for q in BUILTIN]


@routes.post("/questions/check", gives={"questions": [_CHECKED]})
def check_questions(
    services: Services,
    text: Annotated[str | None, Takes("one line, as for `--question`")] = None,
    toml: Annotated[str | None, Takes("or the text of a question file")] = None,
) -> dict[str, Any]:
    """Whether a question of one's own is sound; an error names the line."""
    return {"questions": question_rows.check_questions(text, toml)}


@routes.get("/questions/own", gives=[_OWN])
def own_questions(services: Services) -> list[dict[str, Any]]:
    """The questions written in the page, each a TOML file in the data folder.

    `file` goes into the setting `question_file` to have it asked; `problem` says why one cannot be read.
    """
    return services.questions.all()


@routes.put("/questions/own/{name}", gives=_OWN)
def put_question(
    services: Services,
    name: str,
    # their types are checked with the question, by name
    kind: Annotated[
        Any,
        Takes(
            "count, color, yes_no, one_of, some_of or free (default: by the answers)",
            kind=TEXT,
            checked=False,
        ),
    ] = None,
    ask: Annotated[Any, Takes("what is asked; needed", kind=TEXT, checked=False)] = None,
    when: Annotated[Any, Takes("tags that must all be there", kind=LIST, checked=False)] = None,
    unless: Annotated[Any, Takes("tags none of which may be there", kind=LIST, checked=False)] = None,
    each: Annotated[
        Any, Takes("the objects it is put to, as {object} in `ask`", kind=LIST, checked=False)
    ] = None,
    answers: Annotated[Any, Takes("the answers allowed", kind=LIST, checked=False)] = None,
    tag: Annotated[
        Any, Takes("the tag it writes, with {answer} and {object}", kind=TEXT, checked=False)
    ] = None,
) -> dict[str, Any]:
    """Save a question of one's own, replacing one of that name; an error names the `field`."""
    values = {
        "kind": kind,
        "ask": ask,
        "when": when,
        "unless": unless,
        "each": each,
        "answers": answers,
        "tag": tag,
    }
    return services.questions.put(name, values)


@routes.delete("/questions/own/{name}", gives={"deleted": "season"})
def delete_question(services: Services, name: str) -> dict[str, Any]:
    """Delete a question of one's own."""
    services.questions.delete(name)
    return {"deleted": name}


@routes.get("/presets", gives=[_PRESET])
def presets(services: Services) -> list[dict[str, Any]]:
    """The saved presets.

    `problem` says why one cannot be read.
    """
    return services.presets.all()


@routes.post("/presets/import", gives=_PRESET)
def import_preset(
    services: Services,
    name: Annotated[str, Takes("the preset's name")],
    config: Settings,
    prompt_extend: Annotated[Any, Takes("the file's version", kind=INTEGER, checked=False)] = None,
) -> dict[str, Any]:
    """Take in such a file; where the name is taken, it gets a number."""
    return services.presets.add(name, config_of(config, services.folders))


@routes.get("/presets/{name}", gives=_PRESET)
def preset(services: Services, name: str) -> dict[str, Any]:
    """One preset."""
    return services.presets.get(name)


@routes.put("/presets/{name}", gives=_PRESET)
def put_preset(services: Services, name: str, config: Settings) -> dict[str, Any]:
    """Save a preset, replacing one of that name."""
    # without this machine's own folder of models
    return services.presets.put(name, config_of(config, services.folders))


@routes.delete("/presets/{name}", gives={"deleted": "cats"})
def delete_preset(services: Services, name: str) -> dict[str, Any]:
    """Delete a preset."""
    services.presets.delete(name)
    return {"deleted": name}


@routes.get("/presets/{name}/file", gives={"prompt_extend": 1, **_PRESET})
def preset_file(services: Services, name: str) -> Raw:
    """The preset as a file to keep or to share."""
    found = services.presets.get(name)
    body = to_bytes({"prompt_extend": 1, "name": found["name"], "config": found["config"]})
    shown = quote(f"{found['name']}.json", safe="")
    return Raw(body, "application/json", {"Content-Disposition": f"attachment; filename*=UTF-8''{shown}"})
