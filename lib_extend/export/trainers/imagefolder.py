"""Hugging Face datasets' `imagefolder`: pictures with a `metadata.jsonl`, as diffusers' own training scripts read them."""

from __future__ import annotations

import json

from lib_extend.export.export_plan import ExportPlan
from lib_extend.export.key_schema import check
from lib_extend.export.trainer import COMMON_PICTURES, Lines, Trainer

ROW = {"file_name!": str, "text!": str}


def _settings(plan: ExportPlan) -> dict[str, str]:
    rows = []
    for subset in plan.subsets:
        for name, captions in plan.captions[subset.name].items():
            for text in captions or ("",):
                row = {"file_name": f"{subset.name}/{name}", "text": text}
                check(row, ROW)
                # it has no repeats: a picture that is used twice has two rows
                rows += [json.dumps(row, ensure_ascii=False)] * subset.repeats
    return {f"{plan.trainer.pictures_in}/metadata.jsonl": "".join(f"{row}\n" for row in rows)}


TRAINER = Trainer(
    name="imagefolder",
    title="Hugging Face imagefolder",
    pictures=COMMON_PICTURES | {".avif", ".gif", ".tif", ".tiff", ".ppm", ".tga", ".jfif"},
    lines=Lines.WHOLE,
    shuffles=False,
    pictures_in="train",
    settings=_settings,
)
