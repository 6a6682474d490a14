"""One job: a thread that runs it, numbers its events and keeps count."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.job_rows import DONE, FAILED, PAUSED, RUNNING, STOPPED, JobRow
from lib_extend.errors import PromptExtendError
from lib_extend.jobs import job_events as ev
from lib_extend.jobs import job_kinds
from lib_extend.jobs.job_kinds import Client, JobKind, Order, Work
from lib_extend.records import Record
from lib_extend.services import messages
from lib_extend.services.bug_reports import sentence_of
from lib_extend.services.device_queue import DeviceQueue, Place
from lib_extend.services.event_log import EventLog
from lib_extend.services.idle_worker import IdleWorker, Worker
from lib_extend.services.job_client import JobClient
from lib_extend.services.open_folders import Opened
from lib_extend.services.throughput import Throughput
from lib_extend.services.unloaded_checkpoint import UnloadedCheckpoint

TELL = 1.0
"""Seconds between two calls of `JobContext.changed`."""


@dataclass(frozen=True)
class Note(Record):
    """An event made by the server: `paused`, or `finished` for a job that could not send it."""

    event: str
    run: int = 0
    done: int = 0
    failed: int = 0
    written: int = 0
    seconds: float = 0.0
    stopped: bool = False
    error: str = ""


@dataclass
class JobContext:
    """The server's functions that jobs use.

    Attributes:
        checkpoint: unloads the WebUI's checkpoint. worker: where workers come from, and wait.
        changed: called with a folder and the names of images whose captions were written (None: look at all).
        unfinished: called with a folder and whether a job on it is open that goes on later.
        config_of: the settings from a stored job's values; raises UserError when they may not be used here.
        devices: who has the models.
    """

    checkpoint: UnloadedCheckpoint
    worker: IdleWorker
    changed: Callable[[Path, Sequence[str] | None], None] = lambda root, names: None
    unfinished: Callable[[Path, bool], None] = lambda root, unfinished: None
    config_of: Callable[[Mapping[str, Any]], TagConfig] = TagConfig.from_dict
    devices: DeviceQueue = field(default_factory=DeviceQueue)


class Job:
    """One job. `Jobs` starts, pauses and stops it under its lock; all else may be read from any thread.

    Attributes:
        state: running, paused, stopped, done or failed. begun: set when it has begun, or will not.
        refusal: why it could not begin. log: its events. stored: it is from before a restart and was not continued.
    """

    def __init__(
        self,
        id: str,
        folder: Opened,
        kind: JobKind,
        config: TagConfig,
        options: Record,
        context: JobContext,
        unload_host: bool = False,
    ) -> None:
        self.id, self.folder, self.kind, self.config, self.options = id, folder, kind, config, options
        self.log = EventLog()
        self.state = RUNNING
        self.error = ""
        self.refusal: BaseException | None = None
        self.begun = threading.Event()
        self.started = time.time()
        self.stored = False
        self.worker: Worker | None = None
        self.run = 0
        self.images = self.done = self.failed = self.written = 0
        self._context = context
        self._unload_host = unload_host
        self._pausing = False
        self._work = self._make_work()  # raises here when the settings do not fit
        self._thread: threading.Thread | None = None
        self._rate = Throughput()
        self._seen: list[str] = []
        self._told = 0.0
        self._catching_up = False
        self._one_by_one = False

    @classmethod
    def restored(cls, row: JobRow, folder: Opened, context: JobContext) -> Job:
        """A job as a database remembers it. One that was killed is paused.

        Raises KeyError or PromptExtendError when there is no such kind any more, or its settings do not fit.
        """
        kind = job_kinds.kind(row.kind)
        options = kind.options.from_json(row.options)
        job = cls(row.id, folder, kind, context.config_of(row.config), options, context, row.unload_host)
        job.state = (
            PAUSED if row.state == RUNNING and kind.pauses else STOPPED if row.state == RUNNING else row.state
        )
        job.started, job.run, job.error, job.stored = row.started, row.run, row.error, True
        job.images, job.done, job.failed, job.written = row.images, row.done, row.failed, row.written
        job.begun.set()
        job.log.append(job._note("paused" if job.state == PAUSED else "finished").to_json())
        if job.over:
            job.log.close()
        return job

    @property
    def over(self) -> bool:
        return self.state in (STOPPED, DONE, FAILED)

    def start(self) -> None:
        """Begin, or go on after a pause."""
        if self.state == PAUSED:
            self._work = self._make_work()
        self.state, self._pausing, self._rate, self.stored = RUNNING, False, Throughput(), False
        self._thread = threading.Thread(target=self._run, name=f"prompt-extend-{self.kind.name}", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        self._pausing = True
        self._work.stop()

    def stop(self) -> None:
        self._pausing = False
        if self.state == PAUSED:
            self._end(STOPPED, self._note("finished", stopped=True))
            self._remember()
        else:
            self._work.stop()

    def join(self, seconds: float) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.join(seconds)

    def to_json(self) -> dict[str, Any]:
        """The job as JSON values. `rate` in images a second; `eta` in seconds; None while unknown."""
        rate = self._rate.value() if self.state == RUNNING else None
        left = max(0, self.images - self.done - self.failed)
        return {
            "id": self.id,
            "folder": self.folder.id,
            "path": str(self.folder.path),
            "kind": self.kind.name,
            "state": self.state,
            "pausing": self._pausing and self.state == RUNNING,
            "can_pause": self.kind.pauses,
            "waits_for": self._context.devices.waits_for(self.id) or None,
            "run": self.run,
            "images": self.images,
            "done": self.done,
            "failed": self.failed,
            "written": self.written,
            "rate": None if rate is None else round(rate, 2),
            "eta": None if not rate else round(left / rate, 1),
            "started": round(self.started, 3),
            "error": self.error,
            "events": self.log.last,
        }

    # the thread

    def _make_work(self) -> Work:
        dataset = Dataset(self.folder.path)
        return self.kind.work(Order(dataset, self.config, self.options, self._make_client))

    def _make_client(self) -> Client:
        # after a preview the same models are wanted for the job itself, or for another preview
        stays = not self.kind.writes and not self._unload_host
        place = Place(self.id, self.folder.path.name, self.config.device)
        context = self._context
        return JobClient(
            self.config, place, context.devices, context.worker, stays=stays, shown=self._show_worker
        )

    def _show_worker(self, worker: Worker) -> None:
        self.worker = worker

    def _run(self) -> None:
        away = self._unload_host and self._unload()
        try:
            last: ev.Finished | None = None
            for event in self._work.events():
                if isinstance(event, ev.Finished):
                    last = event  # sent when the run has ended and the folder is free
                    self._count_at_end(event)
                    stopped = PAUSED if self._pausing else STOPPED
                    self._remember(stopped if event.stopped else DONE)
                else:
                    self._take(event)
            assert last is not None
            self._finish(last)
        except BaseException as error:  # noqa: BLE001 - it must reach whoever follows the job
            self._fail(error)
        finally:
            if threading.current_thread() is self._thread:  # else it goes on already
                self.worker = None
            self._context.devices.give(self.id)
            if away:
                self._bring_back()
            self.begun.set()

    def _take(self, event: ev.Event) -> None:
        data = event.to_json()
        if isinstance(event, ev.Planned):
            self.images, self.run = event.images, event.run
            self.done = self.failed = 0  # a continued run also sends the images finished before
            self._catching_up = event.continued
            if self.kind.continues:
                self._context.unfinished(self.folder.path, True)
            self._remember(RUNNING)
        elif isinstance(event, ev.Loaded):
            self._catching_up = False
        elif isinstance(event, ev.Image):
            self._one_by_one = True
            self.done += 1
            if self._catching_up and not event.changed:
                return  # its event was told before the pause
            self._rate.add()
            if event.changed and self.kind.writes:
                self.written += 1
                self._seen.append(event.path)
                self._tell()
        elif isinstance(event, ev.Failed):
            self.failed += 1
            self._rate.add()
        elif isinstance(event, ev.Counted):
            self._rate.add(event.done - self.failed - self.done)
            self.done = event.done - self.failed
        self.log.append(data, replace=isinstance(event, ev.Status))
        self.begun.set()

    def _count_at_end(self, event: ev.Finished) -> None:
        self.run = event.run
        if not self._one_by_one:
            self.done, self.failed, self.written = event.done, event.failed, event.written

    def _finish(self, event: ev.Finished) -> None:
        self._tell(now=True)
        if self.kind.writes and not self._one_by_one:
            self._changed(None)
        if event.stopped and self._pausing:
            self.state = PAUSED
            self.log.append(self._note("paused").to_json())
            return
        if self.kind.continues:
            self._context.unfinished(self.folder.path, event.stopped)
        self._end(STOPPED if event.stopped else DONE, event)

    def _end(self, state: str, event: Record) -> None:
        self.state = state
        self.log.append(event.to_json())
        self.log.close()
        self.begun.set()

    def _fail(self, error: BaseException) -> None:
        refused = not self.begun.is_set() and isinstance(error, PromptExtendError)
        if refused:
            self.refusal = error
        self._tell(now=True)
        self.error = sentence_of(error)
        self._end(FAILED, self._note("finished"))
        if not refused:
            self._remember()

    def _note(self, event: str, *, stopped: bool | None = None) -> Note:
        stopped = self.state == STOPPED if stopped is None else stopped
        return Note(event, self.run, self.done, self.failed, self.written, stopped=stopped, error=self.error)

    def _remember(self, state: str = "") -> None:
        """Store its progress for a restart. Errors are ignored here, because they stop the job itself, which reports
        them."""
        row = JobRow(
            id=self.id,
            kind=self.kind.name,
            state=state or self.state,
            started=self.started,
            config=self.config.changed(),
            options=self.options.to_json(),
            unload_host=self._unload_host,
            run=self.run,
            images=self.images,
            done=self.done,
            failed=self.failed,
            written=self.written,
            error=self.error,
        )
        dataset = Dataset(self.folder.path)
        with contextlib.suppress(PromptExtendError):
            if dataset.has_state:
                with dataset.state(set_aside=False) as database:
                    database.set_job(row)

    def _unload(self) -> bool:
        self.log.append(ev.Status(messages.HOST_MODEL_GOES).to_json())
        try:
            self._context.checkpoint.begin()
        except Exception as error:  # noqa: BLE001 - the WebUI's own code: tagging goes on without
            self.log.append(ev.Status(messages.HOST_MODEL_STAYS.format(reason=error)).to_json())
            return False
        return True

    def _bring_back(self) -> None:
        try:
            self._context.checkpoint.end()
        except Exception as error:  # noqa: BLE001 - the WebUI's own code, and the job is done
            sentence_of(error)  # to the log

    def _tell(self, *, now: bool = False) -> None:
        """Tell the browser which captions were written."""
        if self._seen and (now or time.monotonic() - self._told > TELL):
            self._told = time.monotonic()
            names, self._seen = self._seen, []
            self._changed(names)

    def _changed(self, names: list[str] | None) -> None:
        try:
            self._context.changed(self.folder.path, names)
        except Exception as error:  # noqa: BLE001 - who looks at captions must not end the job that writes them
            sentence_of(error)  # to the log
