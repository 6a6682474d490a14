"""What a person should look at, what they say of it, and a caption under other settings."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from lib_extend.api import settings, texts
from lib_extend.api.analyze import person_rows
from lib_extend.api.errors import bad
from lib_extend.api.http import Call, parse_object
from lib_extend.api.services import Services
from lib_extend.config import TagConfig
from lib_extend.datasets.browse import image_id
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import questions_of
from lib_extend.errors import UserError
from lib_extend.jobs.recompose import recompose
from lib_extend.jobs.verdict_runs import decide, set_persons
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.verdicts import CORRECT, VERDICTS, WITHDRAW

MOST_ROWS = 500
MOST_PERSONS = 20


def items(services: Services, call: Call) -> dict[str, Any]:
    root = services.folders.path(call.path["folder"])
    offset, limit = call.number("offset", 0), call.number("limit", 50, 0, MOST_ROWS)
    known = services.reviews.get(root, call.share("below", 0.8), offset + limit)
    allowed = _allowed(root)
    rows = [
        {
            "id": image_id(i.path),
            "name": i.path,
            **{k: v for k, v in i.to_json().items() if k != "path"},
            "allowed": allowed.get(i.question, []),
        }
        for i in known.items[offset : offset + limit]
    ]
    return {
        "total": known.total,
        "rows": rows,
        "complete": known.complete,
        "done": known.done,
        "images": known.images,
    }


def _allowed(root: Path) -> dict[str, list[str]]:
    """The answers each question of the newest run may have."""
    with Dataset(root).reading() as reader:
        values = reader.last_config()
    table = BUILTIN
    with contextlib.suppress(UserError):  # a question file that is gone, a setting of an older version
        table = questions_of(TagConfig.from_dict(values), BUILTIN)
    return {q.name: settings.allowed(q) for q in (*BUILTIN, *table)}


def verdict(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("image", "question", "object", "verdict", "answer")
    says, image, question = (
        body.choice("verdict", (*VERDICTS, WITHDRAW)),
        body.text("image"),
        body.text("question"),
    )
    thing, answer = body.text("object", ""), body.text("answer", "")
    if says == CORRECT and not answer:
        raise bad(texts.NEEDED.format(name="answer"), "answer")
    root = _root_of(services, call, image)
    caption = decide(Dataset(root), image, question, thing, says, answer, client=services.client)
    noted = services.reviews.withdrawn if says == WITHDRAW else services.reviews.decided
    noted(root, image, question, thing)
    services.changed(root, [image])
    return {"caption": caption}


def persons(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("image", "persons")
    image, given = body.text("image"), body.items("persons")
    if len(given) > MOST_PERSONS:
        raise bad(texts.BOUNDS.format(name="persons", low=0, high=MOST_PERSONS), "persons")
    for i, person in enumerate(given):
        if not isinstance(person, dict):
            raise bad(texts.MUST_BE.format(name=f"persons[{i}]", what="an object"), "persons")
    root = _root_of(services, call, image)
    caption = set_persons(Dataset(root), image, given, client=services.client)
    (services.reviews.decided if given else services.reviews.withdrawn)(root, image, "persons", "")
    services.changed(root, [image])
    return {"caption": caption}


def composed(services: Services, call: Call) -> dict[str, Any]:
    if call.query:
        image, values = call.query.get("image", ""), parse_object(call.query.get("config", "").encode())
        if not image:
            raise bad(texts.NEEDED.format(name="image"), "image")
    else:
        body = call.members("image", "config")
        image, values = body.text("image"), body.mapping("config", {})
    root = _root_of(services, call, image)
    config = settings.config_of(values, services.folders, services.options().models_dir)
    result = recompose(Dataset(root), image, config)
    return {
        "caption": result.caption.text,
        "before": result.before,
        "tags": [t.to_json() for t in result.caption.tags],
        "answers": [a.to_json() for a in result.analysis.answers],
        "persons": person_rows(result.caption.persons),
        "reason": result.caption.reason,
        "dropped": [d.to_json() for d in result.caption.dropped],
        "missing": list(result.missing),
    }


def _root_of(services: Services, call: Call, image: str) -> Path:
    """The open folder; raises ApiError also when its image is not there or leads outside."""
    folder = call.path["folder"]
    services.folders.image(folder, image)
    return services.folders.path(folder)
