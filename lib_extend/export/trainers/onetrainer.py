"""Nerogar/OneTrainer (2026-08). Source: modules/util/path_util.py, config/ConceptConfig.py, config/TrainConfig.py, mgds."""

from __future__ import annotations

from typing import Any

from lib_extend.export.export_plan import ExportPlan
from lib_extend.export.key_schema import Schema, check
from lib_extend.export.sd_scripts_settings import shuffles
from lib_extend.export.settings_text import json_text
from lib_extend.export.trainer import Lines, Trainer

_IMAGE: dict[str, Schema] = {
    "enable_crop_jitter": bool, "enable_random_flip": bool, "enable_fixed_flip": bool, "enable_random_rotate": bool,
    "enable_fixed_rotate": bool, "random_rotate_max_angle": float, "enable_random_brightness": bool,
    "enable_fixed_brightness": bool, "random_brightness_max_strength": float, "enable_random_contrast": bool,
    "enable_fixed_contrast": bool, "random_contrast_max_strength": float, "enable_random_saturation": bool,
    "enable_fixed_saturation": bool, "random_saturation_max_strength": float, "enable_random_hue": bool,
    "enable_fixed_hue": bool, "random_hue_max_strength": float, "enable_resolution_override": bool,
    "resolution_override": str, "enable_random_circular_mask_shrink": bool, "enable_random_mask_rotate_crop": bool,
}  # fmt: skip
_TEXT: dict[str, Schema] = {
    "prompt_source": str, "prompt_path": str, "enable_tag_shuffling": bool, "tag_delimiter": str, "keep_tags_count": int,
    "tag_dropout_enable": bool, "tag_dropout_mode": str, "tag_dropout_probability": float,
    "tag_dropout_special_tags_mode": str, "tag_dropout_special_tags": str, "tag_dropout_special_tags_regex": bool,
    "caps_randomize_enable": bool, "caps_randomize_mode": str, "caps_randomize_probability": float,
    "caps_randomize_lowercase": bool,
}  # fmt: skip
CONCEPTS_SCHEMA: list[Schema] = [
    {
        "name!": str, "path!": str, "seed": int, "enabled": bool, "type": str, "include_subdirectories": bool,
        "image_variations": int, "text_variations": int, "balancing": float, "balancing_strategy": str,
        "loss_weight": float, "concept_stats": dict, "image": _IMAGE, "text": _TEXT,
    }
]  # fmt: skip
_PART: Schema = {"train": bool, "weight_dtype": str, "learning_rate": float}
CONFIG_SCHEMA: dict[str, Schema] = {
    "base_model_name!": str, "model_type!": str, "training_method!": str, "output_model_format": str,
    "output_model_destination": str, "workspace_dir": str, "cache_dir": str, "concept_file_name!": str,
    "resolution": str, "batch_size": int, "epochs": int, "learning_rate": float, "layer_filter": str,
    "layer_filter_preset": str, "lora_rank": int, "lora_alpha": float, "train_dtype": str, "weight_dtype": str,
    "output_dtype": str, "timestep_distribution": str, "force_v_prediction": bool,
    "rescale_noise_scheduler_to_zero_terminal_snr": bool, "unet": _PART, "transformer": _PART, "text_encoder": _PART,
    "text_encoder_2": _PART, "vae": _PART,
}  # fmt: skip
_MODELS: dict[str, dict[str, Any]] = {
    # as in OneTrainer's own presets
    "sd15": {
        "base_model_name": "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "model_type": "STABLE_DIFFUSION_15",
        "unet": {"weight_dtype": "FLOAT_16"},
        "text_encoder": {"weight_dtype": "FLOAT_16"},
        "vae": {"weight_dtype": "FLOAT_32"},
    },
    "sdxl": {
        "base_model_name": "stabilityai/stable-diffusion-xl-base-1.0",
        "model_type": "STABLE_DIFFUSION_XL_10_BASE",
        "unet": {"weight_dtype": "FLOAT_16"},
        "text_encoder": {"train": False, "weight_dtype": "FLOAT_16"},
        "text_encoder_2": {"train": False, "weight_dtype": "FLOAT_16"},
        "vae": {"weight_dtype": "FLOAT_32"},
    },
    "anima": {
        "base_model_name": "circlestone-labs/Anima-Base-v1.0-Diffusers",
        "model_type": "ANIMA",
        "transformer": {"train": True, "weight_dtype": "INT_W8A8"},
        "text_encoder": {"train": False, "weight_dtype": "FLOAT_8"},
        "vae": {"weight_dtype": "FLOAT_32"},
        "train_dtype": "BFLOAT_16",
        "weight_dtype": "BFLOAT_16",
        "output_dtype": "BFLOAT_16",
        "timestep_distribution": "LOGIT_NORMAL",
        "layer_filter": "attn1,attn2,ff",
    },
}
_RATES = {"sd15": 3e-4, "sdxl": 3e-4, "anima": 3e-5}


def _settings(plan: ExportPlan) -> dict[str, str]:
    shuffled = shuffles(plan)
    concepts = [
        {
            "name": s.name,
            "path": plan.folder_of(s),
            "enabled": True,
            "type": "STANDARD",
            "include_subdirectories": False,
            "balancing": float(s.repeats),
            "balancing_strategy": "REPEATS",
            "image": {"enable_crop_jitter": True, "enable_random_flip": False},
            "text": {
                "prompt_source": "sample",
                "enable_tag_shuffling": shuffled,
                "tag_delimiter": ",",
                "keep_tags_count": 1,
            },
        }
        for s in plan.subsets
    ]
    check(concepts, CONCEPTS_SCHEMA)
    config = {
        **_MODELS[plan.family.name],
        "training_method": "LORA",
        "output_model_format": "KOHYA_LORA",
        "output_model_destination": (plan.out / "output" / f"{plan.name}.safetensors").as_posix(),
        "workspace_dir": (plan.out / "workspace").as_posix(),
        "cache_dir": (plan.out / "cache").as_posix(),
        "concept_file_name": (plan.out / "concepts.json").as_posix(),
        "resolution": str(round((plan.buckets.area) ** 0.5)),
        "batch_size": plan.batch,
        "epochs": plan.options.epochs,
        "learning_rate": _RATES[plan.family.name],
        "layer_filter_preset": "attn-mlp",
        "lora_rank": plan.family.rank,
        "lora_alpha": float(plan.family.alpha),
    }
    if plan.base.loss == "v":
        config |= {"force_v_prediction": True, "rescale_noise_scheduler_to_zero_terminal_snr": True}
    check(config, CONFIG_SCHEMA)
    return {"concepts.json": json_text(concepts), "config.json": json_text(config)}


TRAINER = Trainer(
    name="onetrainer",
    title="OneTrainer",
    pictures=frozenset({".bmp", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".avif"}),
    lines=Lines.EVERY,
    turns=True,
    bases=("sd15", "sdxl", "anima"),
    settings=_settings,
)
