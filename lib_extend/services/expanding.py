"""A few words become a full prompt: the expander runs in the worker, where it stays for the next one."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.errors import ModelError, Stopped
from lib_extend.expanding.expansion_request import Request, check
from lib_extend.expanding.prompt_fields import given_of
from lib_extend.prompt_expansion import SEEDS
from lib_extend.records import Category
from lib_extend.services.bug_reports import sentence_of
from lib_extend.services.container import Services
from lib_extend.services.event_log import EventLog
from lib_extend.services.requested_settings import check_model
from lib_extend.worker.client import OnPartial
from lib_extend.worker.kinds.expand_prompt import DraftSoFar, Result, tasks
from lib_extend.worker.protocol import Failed, Partial, Setup

RANDOM_SEED = -1


def expand(services: Services, request: Request, config: Mapping[str, Any]) -> dict[str, Any]:
    """The drafts of one prompt as JSON values, with the seed of each.

    Args:
        request: a seed of `RANDOM_SEED` stands for any; its categories are looked up here. config: device, offline.

    Raises UserError (a value out of its range, a damaged ban), ForbiddenError (a place that may not be named here),
    ModelError (no such expander, it cannot be loaded, the prompt is too long), OverloadedError (too many wait),
    WorkerError.
    """
    return _run(services, checked(services, request), _settings(services, config))


def expand_events(services: Services, request: Request, config: Mapping[str, Any]) -> EventLog:
    """The same in a thread that ends when nobody follows it: `draft` events, each with the draft as it is, then `finished`.

    Raises what `checked` does; what comes later is the `error` of `finished`.
    """
    request, settings = checked(services, request), _settings(services, config)
    log = FollowedLog()
    seed = request.sampling.seed

    def told(partial: Partial) -> None:
        log.check_followed()
        so_far = partial.payload
        assert isinstance(so_far, DraftSoFar)
        row = {**so_far.draft.to_json(), "seed": seed + so_far.number}
        log.append({"event": "draft", "number": so_far.number, "done": so_far.done, **row})

    def work() -> None:
        end: dict[str, Any] = {"error": ""}
        try:
            made = _run(services, request, settings, told)
            end |= {name: made[name] for name in ("device", "seconds")}
        except Stopped as error:
            end["error"] = str(error)
        except Exception as error:  # noqa: BLE001 - it must reach whoever follows
            end["error"] = sentence_of(error)
        log.append({"event": "finished", **end})
        log.close()

    threading.Thread(target=work, name="prompt-extend-expand", daemon=True).start()
    return log


class FollowedLog(EventLog):
    """An event log that is not needed any more when its readers have left."""

    def __init__(self) -> None:
        super().__init__()
        self._left = False

    @contextmanager
    def listening(self, wake: Callable[[], None]) -> Iterator[None]:
        try:
            with super().listening(wake):
                yield
        finally:
            self._left = True

    def check_followed(self) -> None:
        """Raises Stopped when the reader has left."""
        if self._left:
            raise Stopped("Nobody follows the drafts any more.")


def _settings(services: Services, config: Mapping[str, Any]) -> TagConfig:
    return TagConfig.from_dict({**config, "models_dir": services.options().models_dir})


def _run(
    services: Services, request: Request, settings: TagConfig, told: OnPartial | None = None
) -> dict[str, Any]:
    began = time.monotonic()
    with services.worker.turn(settings) as worker:
        worker.start(Setup(device=settings.device, offline=settings.offline, models_dir=settings.models_dir))
        (result,) = worker.run(tasks([request]), told)
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
