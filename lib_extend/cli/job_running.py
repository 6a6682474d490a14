"""What all commands that run a job share: options, stopping, exit codes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from typing import Any

from lib_extend.cli.output import Report
from lib_extend.jobs.job_events import Event, Finished

OK, SOME_FAILED, WRONG_USE, STOPPED = 0, 1, 2, 130


def on_stop(stop: Callable[[], None]) -> None:
    """The first Ctrl-C (or SIGTERM) calls `stop`, so that the job ends cleanly; a second one ends the process."""

    def handle(number: int, frame: Any) -> None:
        stop()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)


def told(events: Iterable[Event], report: Report) -> int:
    """Pass all events of a job to `report`; return the exit code of the last event."""
    last = None
    try:
        for event in events:
            report.event(event)
            last = event
    finally:
        report.close()
    assert isinstance(last, Finished)
    return STOPPED if last.stopped else SOME_FAILED if last.failed else OK
