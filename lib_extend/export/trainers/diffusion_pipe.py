"""tdrussell/diffusion-pipe (2026-08). Source: utils/dataset.py, models/base.py, docs/supported_models.md, examples/."""

from __future__ import annotations

from typing import Any

from lib_extend.export.export_plan import ExportPlan
from lib_extend.export.key_schema import Schema, check
from lib_extend.export.sd_scripts_settings import shuffles
from lib_extend.export.settings_text import json_text, toml
from lib_extend.export.trainer import Effect, Lines, Trainer

_NUMBER = (int, float)
_BUCKETS: dict[str, Schema] = {
    "resolutions": list, "enable_ar_bucket": bool, "min_ar": float, "max_ar": float, "num_ar_buckets": int,
    "ar_buckets": list, "size_buckets": list, "frame_buckets": [int], "cache_shuffle_num": int,
    "cache_shuffle_delimiter": str, "skip_empty_caption": bool, "caption_prefix": str, "num_repeats": _NUMBER,
    "shuffle_tags": bool, "shuffle_metadata": bool,
}  # fmt: skip
DATASET_SCHEMA: dict[str, Schema] = {
    **_BUCKETS,
    "directory!": [
        {**_BUCKETS, "path!": str, "mask_path": str, "control_path": str, "default_mask_file": str}
    ],
}
TRAINING_SCHEMA: dict[str, Schema] = {
    "output_dir!": str, "dataset!": str, "epochs!": int, "micro_batch_size_per_gpu": int, "pipeline_stages": int,
    "gradient_accumulation_steps": int, "gradient_clipping": float, "warmup_steps": int, "save_every_n_epochs": int,
    "checkpoint_every_n_minutes": int, "activation_checkpointing": bool, "partition_method": str, "save_dtype": str,
    "caching_batch_size": int, "steps_per_print": int,
    "model!": {
        "type!": str, "checkpoint_path": str, "dtype!": str, "v_pred": bool, "min_snr_gamma": _NUMBER, "unet_lr": float,
        "text_encoder_1_lr": float, "text_encoder_2_lr": float, "transformer_path": str, "vae_path": str, "llm_path": str,
        "llm_adapter_lr": _NUMBER,
    },
    "adapter!": {"type!": str, "rank!": int, "dtype!": str},
    "optimizer!": {"type!": str, "lr!": float, "betas": [float], "weight_decay": float, "eps": float},
}  # fmt: skip
_SHUFFLES = 4


def _settings(plan: ExportPlan) -> dict[str, str]:
    width, height = plan.buckets.resolution
    dataset: dict[str, Any] = {
        "resolutions": [width if width == height else [width, height]],
        "enable_ar_bucket": True,
        "min_ar": 0.5,
        "max_ar": 2.0,
        "num_ar_buckets": 7,
        "frame_buckets": [1],
        "skip_empty_caption": False,
    }
    if shuffles(plan) and not plan.options.trigger:
        # it keeps no tag in its place: with a trigger word captions stay as they are
        dataset |= {"cache_shuffle_num": _SHUFFLES, "cache_shuffle_delimiter": ", "}
    dataset["directory"] = [{"path": plan.folder_of(s), "num_repeats": s.repeats} for s in plan.subsets]
    check(dataset, DATASET_SCHEMA)
    family = plan.family
    if family.name == "anima":
        model: dict[str, Any] = {
            "type": "anima",
            "transformer_path": "ANIMA_MODEL.safetensors",
            "vae_path": "QWEN_IMAGE_VAE.safetensors",
            "llm_path": "QWEN3_06B.safetensors",
            "dtype": "bfloat16",
            "llm_adapter_lr": 0,
        }
    else:
        model = {"type": "sdxl", "checkpoint_path": "MODEL.safetensors", "dtype": "bfloat16"}
        model |= {"v_pred": True} if plan.base.loss == "v" else {"min_snr_gamma": 5}
        model |= {"unet_lr": 4e-5, "text_encoder_1_lr": 2e-5, "text_encoder_2_lr": 2e-5}
    training = {
        "output_dir": (plan.out / "output").as_posix(),
        "dataset": (plan.out / "dataset.toml").as_posix(),
        "epochs": plan.options.epochs,
        "micro_batch_size_per_gpu": plan.batch,
        "pipeline_stages": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": 1.0,
        "warmup_steps": 100,
        "save_every_n_epochs": 1,
        "activation_checkpointing": True,
        "partition_method": "parameters",
        "save_dtype": "bfloat16",
        "caching_batch_size": 1,
        "steps_per_print": 1,
        "model": model,
        "adapter": {"type": "lora", "rank": family.rank, "dtype": "bfloat16"},
        "optimizer": {
            "type": "adamw_optimi",
            "lr": 2e-5,
            "betas": [0.9, 0.99],
            "weight_decay": 0.01,
            "eps": 1e-8,
        },
    }
    check(training, TRAINING_SCHEMA)
    files = {"dataset.toml": toml(dataset), "training.toml": toml(training)}
    if plan.several:
        for subset in plan.subsets:
            texts = {name: list(captions) for name, captions in plan.captions[subset.name].items()}
            files[f"{plan.trainer.pictures_in}/{subset.name}/captions.json"] = json_text(texts)
    return files


TRAINER = Trainer(
    name="diffusion-pipe",
    title="diffusion-pipe",
    pictures=frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif", ".tif", ".tiff", ".gif"}),
    lines=Lines.WHOLE,
    missing=Effect.SKIPPED,
    other_files=Effect.PICTURE,
    beside=frozenset({".txt", ".npz", ".json", ".parquet", ".bak", ".db"}),
    alpha="white",
    bases=("sdxl", "anima"),
    settings=_settings,
)
