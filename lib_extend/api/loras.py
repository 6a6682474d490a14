"""The handlers of the LoRA library: which LoRAs are here."""

from __future__ import annotations

from typing import Any

from lib_extend.api.http import Call
from lib_extend.api.services import Services
from lib_extend.generation.loras import LoraInfo, misfit


def loras(services: Services, call: Call) -> dict[str, Any]:
    family = services.regions.family()
    folders = services.loras.folders()
    return {
        "loras": [row(x, family) for x in services.loras.all(fresh=True)],
        # where things lie is nothing to those who come from elsewhere
        "folders": [str(f) if services.folders.free else f.name for f in folders],
    }


def row(lora: LoraInfo, family: str) -> dict[str, Any]:
    """A LoRA as JSON values; `fits` is "" or a sentence why it does not fit a checkpoint of `family`."""
    return {
        "name": lora.name,
        "role": lora.role,
        "published": lora.published,
        "family": lora.family,
        "base": lora.base,
        "title": lora.title,
        "alias": lora.alias,
        "count_style": lora.count_style,
        "problem": lora.problem,
        "fits": misfit(lora, family),
    }
