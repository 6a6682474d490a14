"""One job: a thread that runs it, numbers its events and keeps count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import PromptExtendError
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.curating import CURATE, CURATE_PREVIEW, CurateJob, curate_config
from lib_extend.jobs.tagging import Client, TagJob
from lib_extend.jobs.undo import UndoJob, Undone
from lib_extend.records import Record
from lib_extend.services import messages
from lib_extend.services.bug_reports import sentence_of
from lib_extend.services.event_log import EventLog
from lib_extend.services.idle_worker import Borrowed, IdleWorker, Worker
from lib_extend.services.open_folders import Opened
from lib_extend.services.throughput import Throughput
from lib_extend.services.unloaded_checkpoint import UnloadedCheckpoint

TAG, PREVIEW, UNDO, _, _ = KINDS = ("tag", "preview", "undo", CURATE, CURATE_PREVIEW)
TELL = 1.0
"""Seconds between two calls of `JobContext.changed`."""


@dataclass(frozen=True)
class Note(Record):
    """An event of the server's own: `paused`, or the `finished` of a job that is no tagging run."""

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
    """What jobs need of the rest of the server.

    Attributes:
        checkpoint: unloads the WebUI's checkpoint. worker: where workers come from, and wait.
        changed: called with a folder and the names of images whose captions were written (None: look at all).
        unfinished: called with a folder and whether a tagging run on it is open.
    """

    checkpoint: UnloadedCheckpoint
    worker: IdleWorker
    changed: Callable[[Path, Sequence[str] | None], None] = lambda root, names: None
    unfinished: Callable[[Path, bool], None] = lambda root, unfinished: None


class Job:
    """One job. `Jobs` starts, pauses and stops it under its lock; all else may be read from any thread.

    Attributes:
        state: running, paused, stopped, done or failed. begun: set when it has begun, or will not.
        refusal: why it could not even begin. log: its events.
    """

    def __init__(
        self,
        id: str,
        folder: Opened,
        kind: str,
        config: TagConfig,
        context: JobContext,
        unload_host: bool = False,
        undoes: int | None = None,
        force: bool = False,
    ) -> None:
        self.id, self.folder, self.kind, self.config = id, folder, kind, config
        self.log = EventLog()
        self.state = "running"
        self.error = ""
        self.refusal: BaseException | None = None
        self.begun = threading.Event()
        self.started = time.time()
        self.worker: Worker | None = None
        self.run = 0
        self.images = self.done = self.failed = self.written = 0
        self._context = context
        self._unload_host = unload_host
        self._pausing = False
        self._task = self._make_task()  # raises now when the settings do not fit
        self._undo = UndoJob(Dataset(folder.path), undoes, force=force) if kind == UNDO else None
        self._thread: threading.Thread | None = None
        self._rate = Throughput()
        self._seen: list[str] = []
        self._told = 0.0
        self._catching_up = False

    @property
    def over(self) -> bool:
        return self.state in ("stopped", "done", "failed")

    def start(self) -> None:
        """Begin, or go on after a pause."""
        if self.state == "paused":
            self._task = self._make_task()
        self.state, self._pausing, self._rate = "running", False, Throughput()
        self._thread = threading.Thread(target=self._work, name=f"prompt-extend-{self.kind}", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        self._pausing = True
        self._stop_task()

    def stop(self) -> None:
        self._pausing = False
        if self.state == "paused":
            self._end(
                "stopped", Note("finished", self.run, self.done, self.failed, self.written, stopped=True)
            )
        else:
            self._stop_task()

    def join(self, seconds: float) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.join(seconds)

    def to_json(self) -> dict[str, Any]:
        """What is told of it. `rate` in images a second; `eta` in seconds; None while not known."""
        rate = self._rate.value() if self.state == "running" else None
        left = max(0, self.images - self.done - self.failed)
        return {
            "id": self.id,
            "folder": self.folder.id,
            "path": str(self.folder.path),
            "kind": self.kind,
            "state": self.state,
            "pausing": self._pausing and self.state == "running",
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

    def _make_task(self) -> TagJob | None:
        if self.kind == UNDO:
            return None
        if self.kind in (CURATE, CURATE_PREVIEW):
            dataset = Dataset(self.folder.path)
            settings = curate_config(dataset, self.config.changed())
            return CurateJob(dataset, settings, dry_run=self.kind == CURATE_PREVIEW)
        return TagJob(
            Dataset(self.folder.path), self.config, dry_run=self.kind == PREVIEW, client=self._make_client
        )

    def _make_client(self) -> Client:
        self.worker = self._context.worker.take(self.config, self.id)
        # after a preview the same models are wanted for the job itself, or for another preview
        stays = self.kind == PREVIEW and not self._unload_host
        return Borrowed(self.worker, self._context.worker.give if stays else None)

    def _stop_task(self) -> None:
        for task in (self._task, self._undo):
            if task is not None:
                task.stop()

    def _work(self) -> None:
        away = self._unload_host and self._unload()
        try:
            last: ev.Event | Note | None = None
            for event in self._events():
                if isinstance(event, (ev.Finished, Note)):
                    last = event  # told when the run has really ended, and the folder is free
                else:
                    self._take(event)
            self._finish(last)
        except BaseException as error:  # noqa: BLE001 - it must reach whoever follows the job
            self._fail(error)
        finally:
            if threading.current_thread() is self._thread:  # else it goes on already
                self.worker = None
            if away:
                self._bring_back()
            self.begun.set()

    def _events(self) -> Iterator[ev.Event | Note]:
        if self._task is not None:
            yield from self._task.events()
            return
        began = time.monotonic()
        assert self._undo is not None
        for event in self._undo.events():
            if not isinstance(event, Undone):
                yield event
                continue
            seconds = round(time.monotonic() - began, 3)
            done, failed = event.restored, len(event.failed)
            yield Note("finished", event.run, done, failed, done, seconds=seconds, stopped=event.stopped)

    def _take(self, event: ev.Event | Note) -> None:
        data = event.to_json()
        if isinstance(event, ev.Planned):
            self.images, self.run = event.images, event.run
            self.done = self.failed = 0  # a continued run tells of the images done before, too
            self._catching_up = event.continued
            if self.kind == TAG:
                self._context.unfinished(self.folder.path, True)
        elif isinstance(event, ev.Loaded):
            self._catching_up = False
        elif isinstance(event, ev.Image):
            self.done += 1
            if self._catching_up and not event.changed:
                return  # its event was told before the pause
            self._rate.add()
            if event.changed and self.kind in (TAG, CURATE):
                self.written += 1
                self._seen.append(event.path)
                self._tell()
        elif isinstance(event, ev.Failed):
            self.failed += 1
            self._rate.add()
        elif isinstance(event, ev.Status) and self._undo is not None:
            self._rate.add(event.done - self.failed - self.done)
            self.done = event.done - self.failed
        self.log.append(data, replace=isinstance(event, ev.Status))
        self.begun.set()

    def _finish(self, event: ev.Event | Note | None) -> None:
        self._tell(now=True)
        if isinstance(event, Note):
            self.run, self.done = event.run, event.done
            self.failed, self.written = event.failed, event.written
            self._changed(None)
            self._end("stopped" if event.stopped else "done", event)
            return
        assert isinstance(event, ev.Finished)
        self.run = event.run
        if event.stopped and self._pausing:
            self.state = "paused"
            self.log.append(Note("paused", event.run, self.done, self.failed, self.written).to_json())
            return
        if self.kind == TAG:
            self._context.unfinished(self.folder.path, event.stopped)
        self._end("stopped" if event.stopped else "done", event)

    def _end(self, state: str, event: Record) -> None:
        self.state = state
        self.log.append(event.to_json())
        self.log.close()
        self.begun.set()

    def _fail(self, error: BaseException) -> None:
        if not self.begun.is_set() and isinstance(error, PromptExtendError):
            self.refusal = error
        self._tell(now=True)
        self.error = sentence_of(error)
        self._end(
            "failed", Note("finished", self.run, self.done, self.failed, self.written, error=self.error)
        )

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
