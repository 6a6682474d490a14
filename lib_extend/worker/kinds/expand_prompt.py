"""The kind of task that writes more tags or prose to a prompt; the expander is loaded at the first one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_extend.expanding.expansion_request import ExpandedPrompt, Request, expanded
from lib_extend.records import Record
from lib_extend.worker.protocol import Task
from lib_extend.worker.task_kinds import Growing, Kind, Process, Runner

if TYPE_CHECKING:
    from lib_extend.models.expanders.expander_options import Expander

NAME = "expand_prompt"
EVERY = 0.1
"""Seconds after which is told again how far a draft is."""


@dataclass(frozen=True)
class Result(Record):
    """The drafts, and where the expander runs."""

    drafts: tuple[ExpandedPrompt, ...]
    device: str = ""


@dataclass(frozen=True)
class DraftSoFar(Record):
    """A draft while it is written, from 0; `done`: this one is whole."""

    number: int
    draft: ExpandedPrompt
    done: bool = False


class ExpandPrompt(Kind):
    request, result, partial = Request, Result, DraftSoFar

    def runner(self, process: Process) -> Runner:
        return Growing(_Expanders(process).expand, process)


class _Expanders:
    """The expander that was asked for last."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._name = ""
        self._loaded: Expander | None = None

    def expand(self, request: Request, tell: Callable[[Record], None]) -> Result:
        told: dict[int, float] = {}

        def grow(number: int, draft: ExpandedPrompt, done: bool) -> None:
            self._process.beat()
            now = time.monotonic()
            if done or now - told.get(number, 0.0) >= EVERY:
                told[number] = now
                tell(DraftSoFar(number, draft, done))

        expander = self._expander(request.expander)
        return Result(tuple(expanded(expander, request, grow)), expander.device)

    def _expander(self, name: str) -> Expander:
        from lib_extend.models.model_loading import load_expander

        if self._loaded is None or self._name != name:
            self._loaded = None  # two do not fit a small card
            setup = self._process.setup
            self._loaded = load_expander(
                name,
                device=setup.device,
                offline=setup.offline,
                models_dir=setup.models_dir,
                progress=self._process.progress,
            )
            self._name = name
        return self._loaded


def tasks(requests: Sequence[Request]) -> list[Task]:
    """Tasks numbered from 0."""
    return [Task(str(i), NAME, request) for i, request in enumerate(requests)]


KIND = ExpandPrompt()
