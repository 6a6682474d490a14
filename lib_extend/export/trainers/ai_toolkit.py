"""ostris/ai-toolkit (2026-08). Source: toolkit/dataloader_mixins.py, data_loader.py, config_modules.py, config.py."""

from __future__ import annotations

from typing import Any

from lib_extend.export.export_plan import ExportPlan
from lib_extend.export.key_schema import Schema, check
from lib_extend.export.sd_scripts_settings import shuffles
from lib_extend.export.settings_text import json_text
from lib_extend.export.trainer import Lines, Trainer

_DATASET: dict[str, Schema] = {
    "folder_path!": str, "caption_ext": str, "caption_dropout_rate": float, "token_dropout_rate": float,
    "shuffle_tokens": bool, "keep_tokens": int, "num_repeats": int, "resolution": (int, list), "buckets": bool,
    "bucket_tolerance": int, "flip_x": bool, "is_reg": bool, "mask_path": str, "alpha_mask": bool, "invert_mask": bool,
    "mask_min_value": float, "trigger_word": str, "default_caption": str, "cache_latents_to_disk": bool,
    "cache_latents": bool, "network_weight": float,
}  # fmt: skip
_PROCESS: dict[str, Schema] = {
    "type!": str, "training_folder!": str, "device": str, "trigger_word": str,
    "network!": {"type!": str, "linear!": int, "linear_alpha!": int, "conv": int, "conv_alpha": int},
    "save": {"dtype": str, "save_every": int, "max_step_saves_to_keep": int},
    "datasets!": [_DATASET],
    "train!": {
        "batch_size": int, "steps!": int, "gradient_accumulation_steps": int, "train_unet": bool,
        "train_text_encoder": bool, "gradient_checkpointing": bool, "noise_scheduler": str, "optimizer": str,
        "lr": float, "dtype": str, "disable_sampling": bool,
    },
    "model!": {"name_or_path!": str, "arch": str, "is_xl": bool, "is_v_pred": bool},
}  # fmt: skip
SCHEMA: dict[str, Schema] = {
    "job!": str,
    "config!": {"name!": str, "process!": [_PROCESS]},
    "meta": {"name": str, "version": str, "comment": str},
}


def _settings(plan: ExportPlan) -> dict[str, str]:
    family = plan.family
    model: dict[str, Any] = {"name_or_path": "MODEL.safetensors"}
    if family.name == "sdxl":
        model["is_xl"] = True
    if plan.base.loss == "v":
        model["is_v_pred"] = True
    # what is shuffled comes from its own trigger word, which is put in again where a caption lacks it
    shuffled = shuffles(plan) and not plan.options.trigger
    process: dict[str, Any] = {
        "type": "sd_trainer",
        "training_folder": (plan.out / "output").as_posix(),
        "device": "cuda:0",
        "network": {"type": "lora", "linear": family.rank, "linear_alpha": family.alpha},
        "save": {"dtype": "bf16", "save_every": max(1, plan.steps_an_epoch), "max_step_saves_to_keep": 10},
        "datasets": [
            {
                "folder_path": plan.folder_of(s),
                "caption_ext": "txt",
                "shuffle_tokens": shuffled,
                "num_repeats": s.repeats,
                "resolution": [round(plan.buckets.area**0.5)],
                "buckets": True,
                "cache_latents_to_disk": False,
            }
            for s in plan.subsets
        ],
        "train": {
            "batch_size": plan.batch,
            "steps": plan.steps,
            "gradient_accumulation_steps": 1,
            "train_unet": True,
            "train_text_encoder": False,
            "gradient_checkpointing": True,
            "noise_scheduler": "ddpm",
            "optimizer": "adamw8bit",
            "lr": 1e-4,
            "dtype": "bf16",
            "disable_sampling": True,
        },
        "model": model,
    }
    value = {
        "job": "extension",
        "config": {"name": plan.name, "process": [process]},
        "meta": {"name": "[name]", "version": "1.0"},
    }
    check(value, SCHEMA)
    return {"ai_toolkit.json": json_text(value)}


TRAINER = Trainer(
    name="ai-toolkit",
    title="ai-toolkit",
    pictures=frozenset({".jpg", ".jpeg", ".png", ".webp"}),
    lines=Lines.WHOLE,
    subfolders=True,
    turns=True,
    bases=("sd15", "sdxl"),
    settings=_settings,
)
