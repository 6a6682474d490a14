"""Review: what a person should look at, what they say of it, and a caption under other settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from lib_extend.api.declaring import Routes, Takes
from lib_extend.api.examples import ANSWER, CAPTION, DROP, PERSON, TAG, ImageName, Settings
from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs.recompose import recompose
from lib_extend.jobs.verdict_runs import decide, set_persons
from lib_extend.questions.verdicts import CORRECT, VERDICTS, WITHDRAW
from lib_extend.services import messages, review_rows
from lib_extend.services.container import Services
from lib_extend.services.picture_analysis import person_rows
from lib_extend.services.requested_settings import config_of

routes = Routes("Review", place=70)
MOST_ROWS = 500
MOST_PERSONS = 20


@routes.get(
    "/datasets/{folder}/review",
    gives={
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
                "code": "uncertain",
                "allowed": ["red", "blue"],
            }
        ],
        "complete": True,
        "done": 1200,
        "images": 1200,
    },
)
def review(
    services: Services,
    folder: str,
    below: Annotated[float, Takes("only answers less certain (default 0.8)", low=0, high=1)] = 0.8,
    offset: Annotated[int, Takes("from which on")] = 0,
    limit: Annotated[int, Takes("how many at the most (default 50)", high=MOST_ROWS)] = 50,
) -> dict[str, Any]:
    """The answers and separations a person should look at, the most urgent first.

    Looking at all persons takes a while: until `complete`, there are only the rows whose place is certain, and `total`
    grows; `done` of the `images` were looked at.
    """
    root = services.folders.path(folder)
    return review_rows.review_rows(services.reviews, root, below, offset, limit)


@routes.post("/datasets/{folder}/review", gives={"caption": CAPTION})
def verdict(
    services: Services,
    folder: str,
    image: ImageName,
    question: Annotated[str, Takes("as listed")],
    verdict: Annotated[
        str,
        Takes("accept, correct, reject or lock; withdraw takes it back", choices=(*VERDICTS, WITHDRAW)),
    ],
    object: Annotated[str, Takes("as listed; empty for none")] = "",
    answer: Annotated[str, Takes("the right one, for correct")] = "",
) -> dict[str, Any]:
    """Say of an answer that it is right or wrong; the caption is written anew.

    Verdicts given one after the other are one run. To take one back, withdraw: the answer is then listed again, too.
    """
    if verdict == CORRECT and not answer:
        raise messages.NEEDED.error(name="answer", field="answer")
    root = _root_of(services, folder, image)
    caption = decide(Dataset(root), image, question, object, verdict, answer, client=services.client)
    noted = services.reviews.withdrawn if verdict == WITHDRAW else services.reviews.decided
    noted(root, image, question, object)
    services.changed(root, [image])
    return {"caption": caption}


@routes.post("/datasets/{folder}/persons", gives={"caption": CAPTION})
def set_the_persons(
    services: Services,
    folder: str,
    image: ImageName,
    persons: Annotated[
        list[Any],
        Takes(
            "objects of letter, box [left, top, right, bottom] in pixels, tags; an empty list gives the models' back"
        ),
    ],
) -> dict[str, Any]:
    """Say who is where in an image and whose tag is whose; the caption is written anew."""
    if len(persons) > MOST_PERSONS:
        raise messages.BOUNDS.error(name="persons", low=0, high=MOST_PERSONS, field="persons")
    for i, person in enumerate(persons):
        if not isinstance(person, dict):
            raise messages.MUST_BE.error(name=f"persons[{i}]", what="an object", field="persons")
    root = _root_of(services, folder, image)
    caption = set_persons(Dataset(root), image, persons, client=services.client)
    (services.reviews.decided if persons else services.reviews.withdrawn)(root, image, "persons", "")
    services.changed(root, [image])
    return {"caption": caption}


_COMPOSED = {
    "caption": CAPTION,
    "before": "2girls",
    "tags": [TAG],
    "answers": [ANSWER],
    "persons": [PERSON],
    "reason": "",
    "dropped": [DROP],
    "missing": [],
}


@routes.get("/datasets/{folder}/compose", gives=_COMPOSED)
@routes.post("/datasets/{folder}/compose", gives=_COMPOSED)
def composed(
    services: Services, folder: str, image: ImageName, config: Settings | None = None
) -> dict[str, Any]:
    """An image's caption under other settings, from what is stored: no model runs, nothing is written.

    `missing`: what these models have not said yet (tags, answers, persons). In a query, settings are JSON.
    """
    root = _root_of(services, folder, image)
    settings = config_of(config or {}, services.folders, services.options().models_dir)
    result = recompose(Dataset(root), image, settings)
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


def _root_of(services: Services, folder: str, image: str) -> Path:
    """The open folder; raises UserError also when its image is not there or leads outside."""
    services.folders.image(folder, image)
    return services.folders.path(folder)
