"""sd-scripts' dataset and training settings, which kohya-colab and others take too. Source: library/config_util.py, train_util.py."""

from __future__ import annotations

from typing import Any

from lib_extend.export.export_plan import ExportPlan
from lib_extend.export.exported_captions import is_group
from lib_extend.export.key_schema import Schema, check
from lib_extend.export.shuffling import KEPT, SECONDARY, shuffled
from lib_extend.generation.lora_files import mark

_NUMBER = (float, int)
_SUBSET: dict[str, Schema] = {
    "color_aug": bool, "face_crop_aug_range": [float], "flip_aug": bool, "num_repeats": int, "random_crop": bool,
    "shuffle_caption": bool, "keep_tokens": int, "keep_tokens_separator": str, "secondary_separator": str,
    "caption_separator": str, "enable_wildcard": bool, "token_warmup_min": int, "token_warmup_step": _NUMBER,
    "caption_prefix": str, "caption_suffix": str, "custom_attributes": dict, "resize_interpolation": str,
    "caption_dropout_every_n_epochs": int, "caption_dropout_rate": _NUMBER, "caption_tag_dropout_rate": _NUMBER,
    "caption_extension": str, "class_tokens": str, "cache_info": bool,
}  # fmt: skip
_DATASET: dict[str, Schema] = {
    "batch_size": int, "bucket_no_upscale": bool, "bucket_reso_steps": int, "enable_bucket": bool,
    "max_bucket_reso": int, "min_bucket_reso": int, "validation_seed": int, "validation_split": float,
    "resolution": (int, list), "network_multiplier": float, "resize_interpolation": str,
}  # fmt: skip
DATASET_SCHEMA: dict[str, Schema] = {
    "general": {**_DATASET, **_SUBSET},
    "datasets!": [
        {
            **_DATASET,
            **_SUBSET,
            "subsets!": [{**_SUBSET, "image_dir!": str, "is_reg": bool, "alpha_mask": bool}],
        }
    ],
}
"""What the file of `--dataset_config` may hold, for subsets of pictures with caption files."""

TRAINING_SCHEMA: dict[str, Schema] = {
    "pretrained_model_name_or_path!": str, "vae": str, "qwen3": str, "dataset_config!": str, "output_dir!": str,
    "output_name!": str, "logging_dir": str, "save_model_as": str, "save_precision": str, "save_every_n_epochs": int,
    "network_module!": str, "network_dim!": int, "network_alpha": _NUMBER, "network_train_unet_only": bool,
    "learning_rate": float, "unet_lr": float, "text_encoder_lr": (float, list), "optimizer_type": str,
    "lr_scheduler": str, "lr_scheduler_num_cycles": int, "lr_warmup_steps": (int, float), "max_train_epochs": int,
    "mixed_precision": str, "gradient_checkpointing": bool, "cache_latents": bool, "cache_text_encoder_outputs": bool,
    "no_half_vae": bool, "sdpa": bool, "seed": int, "max_token_length": int, "clip_skip": int, "min_snr_gamma": _NUMBER,
    "v_parameterization": bool, "zero_terminal_snr": bool, "scale_v_pred_loss_like_noise_pred": bool,
    "training_comment": str, "timestep_sampling": str, "discrete_flow_shift": float, "vae_chunk_size": int,
    "vae_disable_cache": bool, "persistent_data_loader_workers": bool, "max_data_loader_n_workers": int,
}  # fmt: skip
"""The arguments that we write into the file of `--config_file`, of `train_network.py` and its SDXL and Anima kin."""

SCRIPTS = {
    "sd15": "train_network.py",
    "sdxl": "sdxl_train_network.py",
    "anima": "anima_train_network.py",
}
_MODELS = {
    "sd15": "MODEL.safetensors",
    "sdxl": "MODEL.safetensors",
    "anima": "ANIMA_MODEL.safetensors",
}
_SEED = 42


def dataset(plan: ExportPlan, folder: str = "") -> dict[str, Any]:
    """The dataset's settings.

    Args:
        folder: where the pictures will be, with {name} for the subset's; "" for where the export is.
    """
    buckets = plan.buckets
    width, height = buckets.resolution
    general: dict[str, Any] = {
        "enable_bucket": True,
        "bucket_no_upscale": buckets.no_upscale,
        "caption_extension": ".txt",
        "shuffle_caption": shuffles(plan),
        "keep_tokens": 1 if plan.options.trigger else 0,
    }
    texts = [t for files in plan.captions.values() for captions in files.values() for t in captions]
    if plan.several or (plan.options.lines == "wildcard" and any(map(is_group, texts))):
        general["enable_wildcard"] = True
    if general["shuffle_caption"]:
        # without a shuffle they would stay in the captions
        for name, mark in (("keep_tokens_separator", KEPT), ("secondary_separator", SECONDARY)):
            if any(mark in t for t in texts):
                general[name] = mark
    value = {
        "general": general,
        "datasets": [
            {
                "resolution": width if width == height else [width, height],
                "batch_size": plan.batch,
                "min_bucket_reso": buckets.low,
                "max_bucket_reso": buckets.high,
                "bucket_reso_steps": buckets.steps,
                "subsets": [
                    {
                        "image_dir": folder.format(name=s.name) if folder else plan.folder_of(s),
                        "num_repeats": s.repeats,
                    }
                    for s in plan.subsets
                ],
            }
        ],
    }
    check(value, DATASET_SCHEMA)
    return value


def shuffles(plan: ExportPlan) -> bool:
    """Whether captions are shuffled: not where a comma is no end of a tag, unless a separator keeps that in its place."""
    return shuffled(plan.captions, plan.style, plan.trainer)


def training(plan: ExportPlan) -> dict[str, Any]:
    """The training's settings; paths of models are to be filled in."""
    family, options = plan.family, plan.options
    value: dict[str, Any] = {
        "pretrained_model_name_or_path": _MODELS[family.name],
        "dataset_config": (plan.out / "dataset.toml").as_posix(),
        "output_dir": (plan.out / "output").as_posix(),
        "logging_dir": (plan.out / "logs").as_posix(),
        "output_name": plan.name,
        "save_model_as": "safetensors",
        "save_precision": "bf16",
        "save_every_n_epochs": 1,
        "max_train_epochs": options.epochs,
        "network_module": "networks.lora_anima" if family.name == "anima" else "networks.lora",
        "network_dim": family.rank,
        "network_alpha": family.alpha,
        "learning_rate": family.rate,
        "optimizer_type": "AdamW8bit",
        "lr_scheduler": "cosine",
        "mixed_precision": "bf16",
        "gradient_checkpointing": True,
        "cache_latents": True,
        "sdpa": True,
        "seed": _SEED,
        "training_comment": comment(plan),
    }
    if family.name == "anima":
        value |= {
            "qwen3": "QWEN3_06B.safetensors",
            "vae": "QWEN_IMAGE_VAE.safetensors",
            "network_train_unet_only": True,
            "timestep_sampling": "sigmoid",
            "discrete_flow_shift": 1.0,
            "vae_chunk_size": 64,
            "vae_disable_cache": True,
        }
    else:
        rates = family.text_rate
        value |= {
            "unet_lr": family.rate,
            "text_encoder_lr": [rates, rates] if family.name == "sdxl" else rates,
            "max_token_length": 225,
        }
        if family.name == "sdxl":
            value["no_half_vae"] = True
        else:
            value["clip_skip"] = 2
        if plan.base.loss == "v":
            value |= {
                "v_parameterization": True,
                "zero_terminal_snr": True,
                "scale_v_pred_loss_like_noise_pred": True,
            }
        else:
            value["min_snr_gamma"] = 5
    check(value, TRAINING_SCHEMA)
    return value


def comment(plan: ExportPlan) -> str:
    """The mark in the LoRA's metadata by which it is known later, and its trigger word."""
    own = mark(plan.options.role) if plan.options.role else "prompt-extend"
    return f"{own} trigger={plan.options.trigger}" if plan.options.trigger else own
