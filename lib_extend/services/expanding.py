"""A few words become a full prompt: the expander runs in the worker, where it stays for the next one."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.errors import ModelError
from lib_extend.expanding.expansion_request import Request, check
from lib_extend.expanding.prompt_fields import given_of
from lib_extend.prompt_expansion import SEEDS
from lib_extend.records import Category
from lib_extend.services.container import Services
from lib_extend.services.requested_settings import check_model
from lib_extend.worker.kinds.expand_prompt import Result, tasks
from lib_extend.worker.protocol import Failed, Setup

RANDOM_SEED = -1


def expand(services: Services, request: Request, config: Mapping[str, Any]) -> dict[str, Any]:
    """The drafts of one prompt as JSON values, with the seed of each.

    Args:
        request: a seed of `RANDOM_SEED` stands for any; its categories are looked up here. config: device, offline.

    Raises UserError (a value out of its range, a damaged ban), ForbiddenError (a place that may not be named here),
    ModelError (no such expander, it cannot be loaded, the prompt is too long), OverloadedError (too many wait),
    WorkerError.
    """
    request = checked(services, request)
    settings = TagConfig.from_dict({**config, "models_dir": services.options().models_dir})
    began = time.monotonic()
    with services.worker.turn(settings) as worker:
        worker.start(Setup(device=settings.device, offline=settings.offline, models_dir=settings.models_dir))
        (result,) = worker.run(tasks([request]))
    if isinstance(result, Failed):
        raise ModelError(result.reason)
    made = result.payload
    assert isinstance(made, Result)
    seed = request.sampling.seed
    rows = [{**d.to_json(), "seed": seed + n} for n, d in enumerate(made.drafts)]
    return {"drafts": rows, "device": made.device, "seconds": round(time.monotonic() - began, 3)}


def checked(services: Services, request: Request) -> Request:
    """The request with a seed and with what the tag lists say of its names.

    Raises UserError for a value out of its range, ForbiddenError for a place that may not be named here.
    """
    check_model(services.folders, request.expander, "expander")
    check(request)
    sampling = request.sampling
    if sampling.seed == RANDOM_SEED:
        sampling = replace(sampling, seed=random.randrange(SEEDS))
    return replace(request, sampling=sampling, categories=_categories(services, request.text))


def _categories(services: Services, text: str) -> dict[str, Category]:
    """Which names of a prompt are characters, series, artists or words about the file."""
    words = services.vocabularies.get().vocabulary
    found = {name: words.category(name) for name in given_of(text).names}
    return {name: kind for name, kind in found.items() if kind not in (None, Category.GENERAL)}
