"""One worker that is kept between pictures and jobs, so that the models are not loaded again each time.

A caller takes the idle worker and gives it back. The worker ends after some idle minutes, or when it is told to.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.errors import OverloadedError
from lib_extend.services import messages
from lib_extend.worker.client import OnPartial, OnProgress, WorkerClient
from lib_extend.worker.protocol import Ready, Result, Setup, Task

WAITING = 4
"""Pictures that may wait for the worker at the most."""


@dataclass(frozen=True)
class Loading:
    """What is arriving or being loaded: `done` of `total` bytes (0 when unknown)."""

    what: str = ""
    done: int = 0
    total: int = 0


class Worker:
    """A worker's client, with its state for the page. `job` is the job it works for, "" for none."""

    def __init__(self, client: WorkerClient, idle_seconds: Callable[[], float]) -> None:
        self.client = client
        self._idle_seconds = idle_seconds
        self._setup: Setup | None = None
        self.config = TagConfig()
        self.since = 0.0
        self.job = ""
        self._stopped = False
        self._loading = Loading()

    @property
    def running(self) -> bool:
        return self.client.pid is not None and not self._stopped

    def stop(self) -> None:
        """Kill it now; it cannot be used any more."""
        self._stopped = True
        self.client.stop()

    def start(self, setup: Setup, on_progress: OnProgress | None = None) -> Ready:
        """See `WorkerClient.start`."""
        if not self.running or setup != self._setup:
            self.since = time.time()
        self._setup = setup

        def progress(what: str, done: int, total: int) -> None:
            self._loading = Loading(what, done, total)
            if on_progress is not None:
                on_progress(what, done, total)

        try:
            # a changed setting must not restart a kept worker
            return self.client.start(replace(setup, idle_seconds=self._idle_seconds()), progress)
        finally:
            self._loading = Loading()

    def run(self, tasks: Iterable[Task], on_partial: OnPartial | None = None) -> Iterator[Result]:
        """See `WorkerClient.run`."""
        return self.client.run(tasks, on_partial)

    def to_json(self) -> dict[str, Any]:
        """As `/state` tells of it."""
        ready, loading = self.client.ready, self._loading
        devices = (ready.tagger_device, ready.vlm_device, ready.detector_device) if ready else ()
        return {
            "running": True,
            "pid": self.client.pid,
            "tagger": self.config.tagger,
            "vlm": self.config.vlm,
            "detector": self.config.person_detector,
            "device": ", ".join(dict.fromkeys(d for d in devices if d)),
            "since": round(self.since, 3),
            "job": self.job or None,
            "loading": None
            if not loading.what
            else {"what": loading.what, "done": loading.done, "total": loading.total},
        }


class IdleWorker:
    """Keeps one idle worker.

    Args:
        idle_minutes: asked whenever one starts. client: makes a worker's client.
    """

    def __init__(
        self, idle_minutes: Callable[[], float], client: Callable[[], WorkerClient] = WorkerClient
    ) -> None:
        self._idle_seconds = lambda: 60.0 * idle_minutes()
        self._make = client
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._waiting = threading.BoundedSemaphore(WAITING)
        self._idle: Worker | None = None
        self._busy: Worker | None = None

    def take(self, config: TagConfig, job: str = "") -> Worker:
        """The worker that waits here, or a new one. It is the caller's until `give` or until it is closed."""
        with self._lock:
            worker, self._idle = self._idle, None
        if worker is None:
            worker = Worker(self._make(), self._idle_seconds)
        worker.config, worker.job = config, job
        return worker

    def give(self, worker: Worker) -> None:
        """Keep a worker here; if another one is kept already, this one ends."""
        worker.job = ""
        with self._lock:
            if self._idle is None and worker.running:
                self._idle = worker
                return
        end(worker)

    @contextmanager
    def turn(self, config: TagConfig) -> Iterator[Worker]:
        """A worker for one picture, when those before it are done.

        Raises OverloadedError when too many wait. An error inside ends the worker, unless it is an error of the
        picture.
        """
        if not self._waiting.acquire(blocking=False):
            raise messages.ANALYSIS_BUSY.error(OverloadedError)
        try:
            with self._turn:
                worker = self._busy = self.take(config)
                try:
                    yield worker
                finally:
                    self._busy = None
                    self.give(worker)
        finally:
            self._waiting.release()

    def unload(self) -> bool:
        """End the worker that waits, and the one that is at a picture. Returns whether there was one."""
        with self._lock:
            idle, self._idle = self._idle, None
        busy = self._busy
        for worker in (idle, busy):
            if worker is not None and worker.running:
                worker.stop()
        if idle is not None:
            end(idle)
        return any(w is not None for w in (idle, busy))

    def state(self) -> dict[str, Any] | None:
        """The loaded models as JSON values; None without any."""
        for worker in (self._busy, self._idle):
            if worker is not None and worker.running:
                return worker.to_json()
        return None


def end(worker: Worker) -> None:
    """End a worker that is not needed any more."""
    with contextlib.suppress(Exception):  # it is gone either way
        worker.client.close(0.0)
