"""The answers and separations that a person should look at, as JSON values."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.datasets.browse import image_id
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import questions_of
from lib_extend.errors import UserError
from lib_extend.questions.builtin import BUILTIN
from lib_extend.services.question_rows import allowed
from lib_extend.services.review_lists import Lists


def review_rows(lists: Lists, root: Path, below: float, offset: int, limit: int) -> dict[str, Any]:
    """A page of what is less certain than `below`, the most urgent first. Raises UserError."""
    known = lists.get(root, below, offset + limit)
    answers = _allowed(root)
    rows = [
        {
            "id": image_id(i.path),
            "name": i.path,
            **{k: v for k, v in i.to_json().items() if k != "path"},
            "allowed": answers.get(i.question, []),
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
    return {q.name: allowed(q) for q in (*BUILTIN, *table)}
