"""hollowstrawberry/kohya-colab (2026-08): sd-scripts behind a notebook that checks the folder first. Source: Lora_Trainer_XL."""

from __future__ import annotations

from lib_extend.export.export_plan import ExportPlan
from lib_extend.export.sd_scripts_settings import dataset
from lib_extend.export.settings_text import toml
from lib_extend.export.trainer import Effect, Trainer

_DRIVE = "/content/drive/MyDrive/Loras"


def _settings(plan: ExportPlan) -> dict[str, str]:
    # the notebook's own fields say all but the subsets
    if len(plan.subsets) == 1:
        where, custom = f"{_DRIVE}/{plan.name}/dataset", ""
        (only,) = plan.subsets
        fields = f"project_name: {plan.name}\nnum_repeats: {only.repeats}\n"
    else:
        where = f"{_DRIVE}/{plan.name}/datasets/{{name}}"
        fields = f"project_name: {plan.name}\n"
        custom = toml({"datasets": dataset(plan, where)["datasets"]})
    fields += f"activation_tags: {1 if plan.options.trigger else 0}\n"
    text = f"Copy each folder of pictures into {where.format(name='NAME')} on Google Drive, and choose in the notebook:\n\n{fields}"
    if not custom:
        return {"notebook.txt": text}
    return {
        "notebook.txt": text + "\nIts cell for several folders takes custom_dataset.toml.\n",
        "custom_dataset.toml": custom,
    }


TRAINER = Trainer(
    name="kohya-colab",
    title="kohya-colab",
    whole_case=True,
    choice=True,
    empty=Effect.STOPS,
    other_files=Effect.STOPS,
    beside=frozenset({".npz"}),
    hidden_folders=Effect.STOPS,
    one_stem=Effect.STOPS,
    crop_numbers=True,
    wildcards=True,
    bases=("sd15", "sdxl"),
    has_buckets=True,
    zipped=True,
    settings=_settings,
)
