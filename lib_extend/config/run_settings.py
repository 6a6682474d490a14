"""How a run uses the machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lib_extend.config.setting import setting

_s = partial(setting, group="run")


@dataclass(frozen=True)
class RunSettings:
    """How a run uses the machine."""

    threads: int | None = _s(None, "decoding threads (default: by the number of cores)", low=1, high=256)
    batch_size: int | None = _s(
        None,
        "images a tagger call takes (default: by model and device)",
        low=1,
        high=512,
        label="Pictures a tagger call",
    )
