"""The kind of job that takes a run back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from lib_extend.jobs import job_events as ev
from lib_extend.jobs.job_kinds import JobKind, Order, Work
from lib_extend.jobs.undo import UndoJob, Undone
from lib_extend.records import Record


@dataclass(frozen=True)
class Options(Record):
    """`run`: which (None: the last that changed captions). `force`: captions edited since, too."""

    run: int | None = None
    force: bool = False


class Undo(JobKind):
    options = Options
    title = "take a run back"
    writes = True
    chooses = pauses = False

    def work(self, order: Order) -> Work:
        return _Undoing(UndoJob(order.dataset, order.options.run, force=order.options.force))


class _Undoing:
    def __init__(self, job: UndoJob) -> None:
        self._job = job

    def stop(self) -> None:
        self._job.stop()

    def events(self) -> Iterator[ev.Event]:
        began = time.monotonic()
        for event in self._job.events():
            if isinstance(event, Undone):
                seconds = time.monotonic() - began
                yield ev.finished(
                    seconds,
                    event.restored,
                    len(event.failed),
                    written=event.restored,
                    stopped=event.stopped,
                    run=event.run,
                )
            else:
                yield event


KIND = Undo()
