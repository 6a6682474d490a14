"""What the lint finds and whom it is for, as rows for the page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.rows import image_id
from lib_extend.export.linting import LintOptions, lint
from lib_extend.export.trainer_table import trainers
from lib_extend.files.scan import IMAGE_SUFFIXES
from lib_extend.vocabulary.base_models import BASES


def lint_of(root: Path, recursive: bool, trainer: str, base: str, trigger: str, most: int) -> dict[str, Any]:
    """The report of a folder, with ids of the pictures."""
    report = lint(Dataset(root), LintOptions(trainer, base, trigger, recursive)).to_json(most)
    for finding in report["findings"]:
        for row in finding["pictures"]:
            name = row["name"]
            row["id"] = image_id(name) if os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES else None
    return report


def trainer_rows() -> dict[str, Any]:
    """The trainers and the base models."""
    return {
        "trainers": [{"name": t.name, "title": t.title, "bases": list(t.bases)} for t in trainers().values()],
        "bases": [{"name": b.name, "title": b.title} for b in BASES],
    }
