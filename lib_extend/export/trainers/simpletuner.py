"""bghira/SimpleTuner (2026-08). Source: simpletuner/helpers/prompts.py, training/__init__.py, documentation/DATALOADER.md."""

from __future__ import annotations

from lib_extend.export.export_plan import ExportPlan
from lib_extend.export.key_schema import Schema, check
from lib_extend.export.settings_text import json_text
from lib_extend.export.trainer import COMMON_PICTURES, Effect, Lines, Trainer

SCHEMA: list[Schema] = [
    {
        "id!": str, "type!": str, "dataset_type": str, "default": bool, "disabled": bool, "instance_data_dir": str,
        "caption_strategy": str, "disable_multiline_split": bool, "resolution": (int, float), "resolution_type": str,
        "crop": bool, "crop_aspect": str, "crop_style": str, "minimum_image_size": (int, float),
        "maximum_image_size": (int, float), "target_downsample_size": (int, float), "repeats": int, "cache_dir": str,
        "cache_dir_vae": str, "text_embeds": str, "instance_prompt": str, "prepend_instance_prompt": bool,
        "only_instance_prompt": bool, "is_regularisation_data": bool, "metadata_backend": str,
    }
]  # fmt: skip


def _settings(plan: ExportPlan) -> dict[str, str]:
    side = round(plan.buckets.area**0.5)
    texts = f"{plan.name}-texts"
    value: list[dict[str, object]] = [
        {
            "id": f"{plan.name}-{s.name}",
            "type": "local",
            "instance_data_dir": plan.folder_of(s),
            "caption_strategy": "textfile",
            "metadata_backend": "discovery",
            "resolution": side,
            "resolution_type": "pixel_area",
            "crop": False,
            "minimum_image_size": 0,
            # 0 is once: kohya's repeats less one
            "repeats": s.repeats - 1,
            "cache_dir_vae": (plan.out / "cache" / "vae" / s.name).as_posix(),
            "text_embeds": texts,
        }
        for s in plan.subsets
    ]
    value.append(
        {
            "id": texts,
            "type": "local",
            "dataset_type": "text_embeds",
            "default": True,
            "cache_dir": (plan.out / "cache" / "text").as_posix(),
        }
    )
    check(value, SCHEMA)
    return {"multidatabackend.json": json_text(value)}


TRAINER = Trainer(
    name="simpletuner",
    title="SimpleTuner",
    pictures=COMMON_PICTURES | {".avif", ".gif", ".tif", ".tiff", ".ppm", ".tga", ".jfif"},
    lines=Lines.EVERY,
    missing=Effect.STOPS,
    subfolders=True,
    hidden_folders=Effect.PICTURE,
    turns=True,
    shuffles=False,
    bases=("sd15", "sdxl", "anima"),
    settings=_settings,
)
