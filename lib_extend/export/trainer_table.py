"""The trainers, found by their folder."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from lib_extend.errors import Message
from lib_extend.export import trainers as folder
from lib_extend.export.trainer import Trainer

NO_TRAINER = Message("no_trainer", "There is no trainer {name!r}: the trainers are {trainers}.")
ORDER = "folder sd-scripts kohya-colab onetrainer lora-easy ai-toolkit diffusion-pipe simpletuner imagefolder".split()
"""As they are listed; one that is not here comes after these."""


@functools.cache
def trainers() -> Mapping[str, Trainer]:
    """Every trainer by its name."""
    found: dict[str, Trainer] = {}
    for module in pkgutil.iter_modules(folder.__path__):
        trainer = getattr(importlib.import_module(f"{folder.__name__}.{module.name}"), "TRAINER", None)
        if isinstance(trainer, Trainer):
            found[trainer.name] = trainer
    places = {name: i for i, name in enumerate(ORDER)}
    names = sorted(found, key=lambda name: (places.get(name, len(places)), name))
    return MappingProxyType({name: found[name] for name in names})


def trainer_of(name: str) -> Trainer:
    """A trainer by its name. Raises UserError when there is none."""
    table = trainers()
    if name not in table:
        raise NO_TRAINER.error(name=name, trainers=", ".join(table), field="trainer")
    return table[name]
