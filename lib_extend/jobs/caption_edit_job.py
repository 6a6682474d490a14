"""A job that changes each caption of a folder by itself: from its text to its new text, journaled and undone as a run."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.files.scan import Survey
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.edit_runs import Change, edit_captions

Put = Callable[[ev.Event], None]


def pictures_of(dataset: Dataset, config: TagConfig) -> Survey:
    """The pictures of a dataset that a job with these settings is about."""
    return dataset.survey(
        recursive=config.recursive,
        include=config.include,
        exclude=config.exclude_images,
        limit=config.limit,
    )


class FunctionJob:
    """A job made from one function that does all the work and reports events.

    Args:
        function: `function(put, stopped)`: calls `put` with each event, `Planned` first and `Finished` last, and asks
            `stopped()` between its steps. It runs in a thread of its own, to its end.
    """

    def __init__(self, function: Callable[[Put, Callable[[], bool]], None]) -> None:
        self._function = function
        self._stop = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def events(self) -> Iterator[ev.Event]:
        events: queue.SimpleQueue[ev.Event | None] = queue.SimpleQueue()
        failure: list[BaseException] = []

        def work() -> None:
            try:
                self._function(events.put, self._stop.is_set)
            except BaseException as error:  # noqa: BLE001 - raised again by whoever takes the events
                failure.append(error)
            finally:
                events.put(None)

        thread = threading.Thread(target=work, name="prompt-extend-work", daemon=True)
        thread.start()
        try:
            while (event := events.get()) is not None:
                yield event
        finally:
            self._stop.set()  # no one reads the events any more
        thread.join()
        if failure:
            raise failure[0]


class CaptionEditJob(FunctionJob):
    """Changes the captions of a dataset's pictures.

    Args:
        config: which pictures. change: from a caption's text and the way it is written to its new text.
        what: the job in JSON values, for the list of runs. doing: what is told while it runs.
    """

    def __init__(
        self, dataset: Dataset, config: TagConfig, change: Change, what: Mapping[str, Any], doing: str
    ) -> None:
        super().__init__(self._work)
        self._dataset, self._config = dataset, config
        self._change, self._what, self._doing = change, what, doing

    def _work(self, put: Put, stopped: Callable[[], bool]) -> None:
        began = time.monotonic()
        found = pictures_of(self._dataset, self._config).found
        names = [f.caption_name for f in found if not f.clash]
        put(ev.Planned(images=len(names), already_done=0))
        done = edit_captions(
            self._dataset,
            names,
            self._change,
            self._what,
            progress=lambda n, total: put(ev.Counted(self._doing, n, total)),
            stop=stopped,
        )
        for name, reason in done.failed:
            put(ev.Failed(name, reason))
        put(
            ev.finished(
                time.monotonic() - began,
                len(done.changed) if done.stopped else len(names) - len(done.failed),
                len(done.failed),
                written=len(done.changed),
                stopped=done.stopped,
                run=done.run if done.changed or done.failed else 0,
            )
        )
