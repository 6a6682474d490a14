"""A worker's client for one job: it waits for its turn at the device, and then has the models."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from lib_extend.config import TagConfig
from lib_extend.errors import Stopped, WorkerError
from lib_extend.services import messages
from lib_extend.services.device_queue import DeviceQueue, Place
from lib_extend.services.idle_worker import IdleWorker, Worker
from lib_extend.worker.client import OnProgress
from lib_extend.worker.protocol import Ready, Result, Setup, Task


class JobClient:
    """See `jobs.job_kinds.Client`.

    Args:
        config: the job's settings. place: its place at the device.
        stays: whether the worker waits for others when the job no longer needs it; else it ends.
        shown: called with the worker when the job has it.
    """

    def __init__(
        self,
        config: TagConfig,
        place: Place,
        queue: DeviceQueue,
        workers: IdleWorker,
        *,
        stays: bool,
        shown: Callable[[Worker], None],
    ) -> None:
        self._config, self._place, self._queue, self._workers = config, place, queue, workers
        self._stays, self._shown = stays, shown
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._worker: Worker | None = None

    def start(self, setup: Setup, on_progress: OnProgress | None = None) -> Ready:
        """Wait for the device, then see `WorkerClient.start`."""

        def waiting(before: Place) -> None:
            if on_progress is not None:
                on_progress(messages.WAITS_FOR_MODELS.format(name=before.name), 0, 0)

        worker = self._worker
        if worker is None:
            self._queue.take(self._place, self._stopped.is_set, waiting)
            with self._lock:
                if self._stopped.is_set():  # `stop` was called meanwhile and found no worker
                    self._queue.give(self._place.job)
                    raise Stopped("Stopped.")
                worker = self._worker = self._workers.take(self._config, self._place.job)
            self._shown(worker)
        return worker.start(setup, on_progress)

    def run(self, tasks: Iterable[Task]) -> Iterator[Result]:
        if self._worker is None:
            raise WorkerError("The worker was given tasks before its models.")
        return self._worker.run(tasks)

    def stop(self) -> None:
        """Kill the worker now, or stop waiting for it."""
        with self._lock:
            self._stopped.set()
            worker = self._worker
        try:
            if worker is not None:
                worker.stop()
        finally:
            self._queue.give(self._place.job)

    def close(self, timeout: float = 5.0) -> None:
        """The job needs the models no longer."""
        try:
            if self._worker is not None:
                if self._stays:
                    self._workers.give(self._worker)
                else:
                    self._worker.client.close(timeout)
        finally:
            self._queue.give(self._place.job)
