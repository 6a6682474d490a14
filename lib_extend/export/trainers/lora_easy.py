"""derrian-distro's LoRA_Easy_Training_Scripts (2025-04), which runs sd-scripts. Source: main_ui_files/, backend utils/validation.py."""

from __future__ import annotations

from typing import Any

from lib_extend.export.export_plan import ExportPlan
from lib_extend.export.key_schema import Schema, check
from lib_extend.export.sd_scripts_settings import comment, shuffles
from lib_extend.export.settings_text import toml
from lib_extend.export.trainer import Effect, Trainer

_NUMBER = (int, float)
SCHEMA: dict[str, Schema] = {
    "general_args!": {
        "args!": {
            "pretrained_model_name_or_path!": str, "mixed_precision": str, "seed": int, "max_data_loader_n_workers": int,
            "persistent_data_loader_workers": bool, "max_token_length": int, "prior_loss_weight": float, "sdxl": bool,
            "xformers": bool, "sdpa": bool, "cache_latents": bool, "no_half_vae": bool, "gradient_checkpointing": bool,
            "max_train_epochs": int, "clip_skip": int, "training_comment": str, "v_parameterization": bool,
            "scale_v_pred_loss_like_noise_pred": bool,
        },
        "dataset_args!": {"batch_size": int, "resolution": (int, list)},
    },
    "network_args!": {"args!": {"network_dim": int, "network_alpha": _NUMBER}},
    "optimizer_args!": {
        "args!": {
            "optimizer_type": str, "lr_scheduler": str, "learning_rate": float, "unet_lr": float, "text_encoder_lr": float,
            "loss_type": str, "max_grad_norm": _NUMBER, "min_snr_gamma": _NUMBER, "zero_terminal_snr": bool,
        }
    },
    "saving_args!": {
        "args!": {"output_dir!": str, "output_name": str, "save_precision": str, "save_model_as": str, "save_every_n_epochs": int}
    },
    "bucket_args!": {
        "dataset_args!": {
            "enable_bucket": bool, "bucket_no_upscale": bool, "min_bucket_reso": int, "max_bucket_reso": int, "bucket_reso_steps": int,
        }
    },
    "subsets!": [
        {
            "name": str, "image_dir!": str, "num_repeats": int, "caption_extension!": str, "shuffle_caption": bool,
            "keep_tokens": int, "flip_aug": bool, "is_reg": bool,
        }
    ],
    "train_mode!": {"train_mode!": str},
}  # fmt: skip


def _settings(plan: ExportPlan) -> dict[str, str]:
    family, buckets = plan.family, plan.buckets
    general: dict[str, Any] = {
        "pretrained_model_name_or_path": "MODEL.safetensors",
        "mixed_precision": "bf16",
        "seed": 42,
        "max_token_length": 225,
        "sdpa": True,
        "cache_latents": True,
        "gradient_checkpointing": True,
        "max_train_epochs": plan.options.epochs,
        "training_comment": comment(plan),
    }
    optimizer: dict[str, Any] = {
        "optimizer_type": "AdamW8bit",
        "lr_scheduler": "cosine",
        "learning_rate": family.rate,
        "unet_lr": family.rate,
        "text_encoder_lr": family.text_rate,
        "loss_type": "l2",
        "max_grad_norm": 1.0,
    }
    general |= {"sdxl": True, "no_half_vae": True} if family.name == "sdxl" else {"clip_skip": 2}
    if plan.base.loss == "v":
        general |= {"v_parameterization": True, "scale_v_pred_loss_like_noise_pred": True}
        optimizer["zero_terminal_snr"] = True
    else:
        optimizer["min_snr_gamma"] = 5
    subset: dict[str, Any] = {"caption_extension": ".txt"}
    if shuffles(plan):
        subset["shuffle_caption"] = True
    if plan.options.trigger:
        subset["keep_tokens"] = 1
    value = {
        "general_args": {
            "args": general,
            "dataset_args": {"batch_size": plan.batch, "resolution": list(buckets.resolution)},
        },
        "network_args": {"args": {"network_dim": family.rank, "network_alpha": family.alpha}},
        "optimizer_args": {"args": optimizer},
        "saving_args": {
            "args": {
                "output_dir": (plan.out / "output").as_posix(),
                "output_name": plan.name,
                "save_precision": "bf16",
                "save_model_as": "safetensors",
                "save_every_n_epochs": 1,
            }
        },
        "bucket_args": {
            "dataset_args": {
                "enable_bucket": True,
                "min_bucket_reso": buckets.low,
                "max_bucket_reso": buckets.high,
                "bucket_reso_steps": buckets.steps,
                **({"bucket_no_upscale": True} if buckets.no_upscale else {}),
            }
        },
        "subsets": [
            {"name": s.name, "image_dir": plan.folder_of(s), "num_repeats": s.repeats, **subset}
            for s in plan.subsets
        ],
        "train_mode": {"train_mode": "lora"},
    }
    check(value, SCHEMA)
    return {"lora_easy.toml": toml(value)}


TRAINER = Trainer(
    name="lora-easy",
    title="LoRA Easy Training Scripts",
    whole_case=True,
    empty=Effect.STOPS,
    crop_numbers=True,
    bases=("sd15", "sdxl"),
    has_buckets=True,
    settings=_settings,
)
