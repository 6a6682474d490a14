"""A few words become a full prompt: the expander runs in the worker, where it stays for the next one."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.errors import ModelError
from lib_extend.prompt_expansion import SEEDS, Length, Sampling, Wanted
from lib_extend.services.container import Services
from lib_extend.services.requested_settings import check_model
from lib_extend.worker.kinds.expand_prompt import Request, Result, check, split_bans, tasks
from lib_extend.worker.protocol import Failed, Setup

RANDOM_SEED = -1


def expand(
    services: Services,
    prompt: str,
    *,
    expander: str,
    length: str,
    wanted: str,
    rating: str,
    aspect: float | None,
    characters: Sequence[str],
    ban: Sequence[str],
    drafts: int,
    sampling: Sampling,
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """The drafts of one prompt as JSON values, with the seed of each.

    Args:
        ban: lists with commas. sampling: a seed of `RANDOM_SEED` stands for any. config: device, offline.
        The others are those of `Request`.

    Raises UserError (a value out of its range, a damaged ban), ForbiddenError (a place that may not be named here),
    ModelError (no such expander, it cannot be loaded, the prompt is too long), OverloadedError (too many wait),
    WorkerError.
    """
    check_model(services.folders, expander, "expander")
    if sampling.seed == RANDOM_SEED:
        sampling = replace(sampling, seed=random.randrange(SEEDS))
    request = Request(
        expander,
        prompt,
        Length(length),
        Wanted(wanted),
        rating=rating,
        aspect=aspect,
        characters=tuple(characters),
        ban=tuple(b for text in ban for b in split_bans(text)),
        drafts=drafts,
        sampling=sampling,
    )
    check(request)
    settings = TagConfig.from_dict({**config, "models_dir": services.options().models_dir})
    began = time.monotonic()
    with services.worker.turn(settings) as worker:
        worker.start(Setup(device=settings.device, offline=settings.offline, models_dir=settings.models_dir))
        (result,) = worker.run(tasks([request]))
    if isinstance(result, Failed):
        raise ModelError(result.reason)
    made = result.payload
    assert isinstance(made, Result)
    rows = [{**d.to_json(), "seed": sampling.seed + n} for n, d in enumerate(made.drafts)]
    return {"drafts": rows, "device": made.device, "seconds": round(time.monotonic() - began, 3)}
