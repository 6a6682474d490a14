"""kohya-ss/sd-scripts 0.10.1, which bmaltais' GUI and others run too. Source: library/train_util.py and config_util.py."""

from __future__ import annotations

from lib_extend.export.export_plan import ExportPlan
from lib_extend.export.sd_scripts_settings import SCRIPTS, dataset, training
from lib_extend.export.settings_text import toml
from lib_extend.export.trainer import Effect, Trainer


def _settings(plan: ExportPlan) -> dict[str, str]:
    config = (plan.out / "training.toml").as_posix()
    script = SCRIPTS[plan.family.name]
    return {
        "dataset.toml": toml(dataset(plan)),
        "training.toml": toml(training(plan)),
        "command.txt": "In the folder of sd-scripts, after the paths of models are filled in in training.toml:\n\n"
        f'accelerate launch --num_cpu_threads_per_process 1 {script} --config_file "{config}"\n',
    }


TRAINER = Trainer(
    name="sd-scripts",
    title="sd-scripts",
    pictures=frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif"}),
    whole_case=True,
    choice=True,
    empty=Effect.STOPS,
    crop_numbers=True,
    wildcards=True,
    keeps_separator=True,
    bases=("sd15", "sdxl", "anima"),
    has_buckets=True,
    settings=_settings,
)
