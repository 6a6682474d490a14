"""The lint of a folder: what would break or spoil a training, and mending it."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.declaring import Routes, Takes
from lib_extend.datasets.dataset import Dataset
from lib_extend.export.linting import LintOptions
from lib_extend.services import lint_mending
from lib_extend.services.container import Services
from lib_extend.services.lint_rows import lint_of, trainer_rows

routes = Routes("Check a folder for training", place=65)
MOST_PICTURES = 5000

Trainer = Annotated[str, Takes("one of GET /trainers (default: what all have in common)")]
Base = Annotated[str, Takes("the base model that is trained, by its name in GET /trainers")]
Trigger = Annotated[str, Takes("the word that calls what is learned")]
_FINDING: dict[str, Any] = {
    "code": "no_caption",
    "level": "warning",
    "text": "2 pictures have no caption: sd-scripts trains with an empty caption.",
    "fields": {"trainer": "sd-scripts", "effect": "trains with an empty caption", "count": 2},
    "count": 2,
    "pictures": [{"id": "a/b.png", "name": "a/b.png", "detail": ""}],
    "mend": "Put mychar first",
}


@routes.get(
    "/trainers",
    gives={
        "trainers": [{"name": "sd-scripts", "title": "sd-scripts", "bases": ["sd15", "sdxl", "anima"]}],
        "bases": [{"name": "sdxl", "title": "SDXL"}],
        "rules": [{"code": "no_caption", "title": "pictures without a caption"}],
    },
)
def trainers(services: Services) -> dict[str, Any]:
    """The trainers that a folder can be checked and exported for, the base models, and what the check looks for.

    `bases` of a trainer: the families of base models for which its settings are written by an export.
    """
    return {**trainer_rows(), "rules": lint_mending.rule_rows()}


@routes.get(
    "/datasets/{folder}/lint",
    gives={
        "trainer": "sd-scripts",
        "base": "sdxl",
        "trigger": "mychar",
        "pictures": 40,
        "captions": 38,
        "breaks": False,
        "findings": [_FINDING],
        "seconds": 0.12,
    },
    pool="browsing",
)
def lint(
    services: Services,
    folder: str,
    trainer: Trainer = "folder",
    base: Base = "",
    trigger: Trigger = "",
    limit: Annotated[
        int, Takes("pictures named with a finding (default 200)", low=0, high=MOST_PICTURES)
    ] = 200,
) -> dict[str, Any]:
    """What would break or spoil a training with the folder, the worst first; nothing is written.

    `level` is error (a training ends, or is about something else), warning or note. `count` says how many pictures a
    finding has, of which `pictures` are the first ones; `id` is null for what is no picture. `mend` says what puts it right,
    null where nothing can. `breaks`: there is an error.
    """
    opened = services.folders.get(folder)
    services.folders.check_links(opened.path, recursive=opened.recursive)
    return lint_of(opened.path, opened.recursive, trainer, base, trigger, limit)


@routes.post(
    "/datasets/{folder}/lint/mend",
    gives={"mended": [{"code": "trigger_missing", "run": 5, "changed": 2, "failures": [], "stopped": False}]},
    pool="browsing",
)
def mend(
    services: Services,
    folder: str,
    codes: Annotated[list[str], Takes("codes of findings that have a mend; `all` for every one")],
    trainer: Trainer = "folder",
    base: Base = "",
    trigger: Trigger = "",
) -> dict[str, Any]:
    """Put right what these findings say. Each code is a run, which can be undone; `run` is null where nothing changed.

    GET …/edit says how far it is, POST …/edit/stop stops it.
    """
    opened = services.folders.get(folder)
    services.folders.check_links(opened.path, recursive=opened.recursive)
    options = LintOptions(trainer, base, trigger, opened.recursive)
    with services.edits.writing(opened.path) as now:
        done = lint_mending.mend(
            Dataset(opened.path), options, codes, progress=now.progress, stop=now.stop.is_set
        )
    if any(m.changed for m in done):
        services.changed(opened.path, None)
    return {"mended": [m.to_json() for m in done]}
