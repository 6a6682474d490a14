"""The parent's side of the inference process: start it, give it tasks, restart it when it dies.

Standard library only: this is imported inside WebUIs, whose packages must not be touched.

    with WorkerClient() as worker:
        ready = worker.start(Setup.from_config(config, BUILTIN), on_progress)
        for result in worker.run(tasks):
            ...

Guarantees of `run`: each task is answered exactly once, by `Done` or `Failed`, in any order; a worker
that dies or hangs is restarted; the images in work are tried again one at a time. If the worker dies again on a single
image, this image is reported as failed; all others go on.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from lib_extend.errors import ModelError, Stopped, WorkerError
from lib_extend.worker.environment import environment
from lib_extend.worker.process import Ended, WorkerProcess
from lib_extend.worker.protocol import (
    Broken,
    Bye,
    Cancel,
    Done,
    Failed,
    Hello,
    Partial,
    Progress,
    Ready,
    Result,
    Setup,
    SetupFailed,
    Task,
    check_version,
)

OnProgress = Callable[[str, int, int], None]
"""Called as `on_progress(what, done_bytes, total_bytes)`; total 0 when unknown."""

OnPartial = Callable[[Partial], None]
"""Called with what a task has come to so far. What it raises ends the run."""

HANG_SECONDS = 600.0
"""Without any sign for this long while images are in work, a worker is taken for hanging."""

START_ATTEMPTS = 3
"""Starts that may fail in a row."""

DEATHS_IN_A_ROW = 8
"""Images that may kill the worker one after the other, with none done in between: then it is the worker."""

_POLL = 0.2  # seconds; short, so that `stop` and, on Windows, Ctrl-C are noticed


class WorkerClient:
    """An inference process that is started when it is needed.

    Args:
        command: how to start the worker (default: this package in the environment found by
            `worker.environment`).
        env: the environment variables to start from (default: the current ones).
        hang_seconds: silence while images are in work that counts as a death; loading models may be silent
            three times as long.

    One `run` at a time. `stop` may be called from any thread and from a signal handler; after it the
    client is used up.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        env: Mapping[str, str] | None = None,
        hang_seconds: float = HANG_SECONDS,
    ) -> None:
        base = dict(os.environ if env is None else env)
        where = environment(base)
        self._command = list(command) if command is not None else where.command()
        self._env = where.variables(base)
        self._hang_seconds = hang_seconds
        self._setup: Setup | None = None
        self._ready: Ready | None = None
        self._on_progress: OnProgress | None = None
        self._process: WorkerProcess | None = None
        self._stopped = threading.Event()
        self._running = threading.Lock()
        self._serial = itertools.count(1)
        self.restarts = 0

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After an error, do not wait for results.
        self.close(timeout=0.0 if kind is not None else 5.0)

    @property
    def ready(self) -> Ready | None:
        """The worker's last `Ready` message about its models."""
        return self._ready

    @property
    def pid(self) -> int | None:
        """The process number of the running worker, None when there is none."""
        process = self._process
        return process.pid if process is not None and process.running else None

    # --- the life of a worker

    def start(self, setup: Setup, on_progress: OnProgress | None = None) -> Ready:
        """Start a worker with the models of `setup`; returns at once if it runs already.

        Raises:
            ModelError: a model cannot be downloaded or loaded; the text is the worker's sentence.
            WorkerError: the process ended three times before it was ready, or is of another version.
            Stopped: `stop` was called.
        """
        self._on_progress = on_progress
        if setup != self._setup:
            self._discard()
            self._setup, self._ready = setup, None
        self._ensure()
        assert self._ready is not None
        return self._ready

    def stop(self) -> None:
        """Kill the worker now (its group, within a second). `run` still yields the results that had arrived."""
        self._stopped.set()
        process = self._process
        if process is not None:
            process.kill("stopped")

    def close(self, timeout: float = 5.0) -> None:
        """End the worker; it gets `timeout` seconds to do so by itself. The client can start again."""
        process, self._process = self._process, None
        if process is not None:
            process.close(timeout)

    def _discard(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.close(2.0)

    def _ensure(self) -> WorkerProcess:
        """The running, ready worker; started when there is none."""
        process = self._process
        if process is not None and process.running:
            return process
        if self._setup is None:
            raise WorkerError("The worker was given images before its models.")
        if self._ready is not None:
            self.restarts += 1
        how = words = ""
        for _ in range(START_ATTEMPTS):
            self._check_stopped()
            self._discard()
            process = WorkerProcess(self._command, self._env)
            self._process = process
            if self._stopped.is_set():  # `stop` came between the check and the start
                process.kill("stopped")
            try:
                ended = self._await_ready(process, self._setup)
            except BaseException:
                self._discard()
                raise
            if ended is None:
                return process
            how, words = ended.how, process.last_words()
        self._discard()
        self._check_stopped()
        raise WorkerError(
            f"The inference process ended {START_ATTEMPTS} times before its models were loaded ({how})"
            + (f"; its last words were:\n{words}" if words else " without a word.")
        )

    def _await_ready(self, process: WorkerProcess, setup: Setup) -> Ended | None:
        """Greet, set up, wait. Returns `Ended` when the process ended; raises errors that a retry cannot solve."""
        limit = 3 * self._hang_seconds
        silence = 0.0
        while True:
            message = process.receive(_POLL)
            self._check_stopped()
            if message is None:
                silence += _POLL
                if silence > limit:
                    process.kill(f"it gave no sign for {_minutes(limit)} while loading")
                    silence = 0.0
                continue
            silence = 0.0
            match message:
                case Hello(version=version):
                    check_version(version, "The inference process")
                    process.send(setup)
                case Progress():
                    self._report(message)
                case Ready():
                    self._ready = message
                    return None
                case SetupFailed(reason=reason):
                    raise ModelError(reason)
                case Broken(reason=reason):
                    raise WorkerError(reason)
                case Ended():
                    return message
                case _:
                    pass

    def _report(self, message: Progress) -> None:
        if self._on_progress is not None:
            self._on_progress(message.what, message.done, message.total)

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise Stopped("Stopped; what was done is kept.")

    # --- images

    def run(self, tasks: Iterable[Task], on_partial: OnPartial | None = None) -> Iterator[Result]:
        """Run `tasks` and yield each result as soon as it arrives.

        Tasks are taken from the iterable only a bounded number ahead. Closing the generator early cancels
        what is left and keeps the worker.

        Raises:
            Stopped: `stop` was called; results that had arrived are yielded first.
            WorkerError: the worker cannot be started any more, or dies on one image after the other.
        """
        if not self._running.acquire(blocking=False):
            raise WorkerError("The worker is busy with another run.")
        try:
            yield from _Run(self, tasks, on_partial).results()
        finally:
            self._running.release()


class _Run:
    """The bookkeeping of one `run`: which tasks are sent, which are suspected of killing the worker."""

    def __init__(
        self, client: WorkerClient, tasks: Iterable[Task], on_partial: OnPartial | None = None
    ) -> None:
        self._client = client
        self._on_partial = on_partial
        self._source = iter(tasks)
        self._again: deque[Task] = deque()  # to be sent again, not suspected of killing the worker
        self._suspects: deque[Task] = deque()  # in flight at a death: to be sent one at a time
        self._flight: dict[str, Task] = {}  # sent and not answered, by wire id
        self._alone = False  # the one in flight is a suspect
        self._deaths = 0
        self._said_bye = False
        self._silence = (
            0.0  # seconds of waiting without a message, without the time in which the caller or the machine
        )
        # slept

    def results(self) -> Iterator[Result]:
        finished = False
        try:
            while self._feed():
                result = self._receive()
                if result is not None:
                    yield result
            finished = True
        finally:
            if not finished:
                self._cancel()

    def _cancel(self) -> None:
        process = self._client._process
        if self._flight and process is not None:
            process.send(Cancel())

    def _feed(self) -> bool:
        """Send what may be sent. False when all is answered."""
        client = self._client
        if client._stopped.is_set():
            return True
        while True:
            if self._suspects and self._flight:
                return True
            ready = client._ready
            window = max(1, ready.window) if ready is not None else 1
            if len(self._flight) >= window or (self._alone and self._flight):
                return True
            self._alone = bool(self._suspects)
            task = self._next()
            if task is None:
                return bool(self._flight)
            # A death while images are in flight is not handled here: `_receive` must see it first.
            process = client._process
            if not self._flight or process is None:
                process = client._ensure()
                self._said_bye = False
            # The caller's ids need not be unique or short, and answers to an abandoned run are told
            # apart by theirs being unknown.
            wire = str(next(client._serial))
            if not self._flight:
                self._silence = 0.0
            self._flight[wire] = task
            process.send(replace(task, id=wire))

    def _next(self) -> Task | None:
        if self._suspects:
            return self._suspects.popleft()
        if self._again:
            return self._again.popleft()
        return next(self._source, None)

    def _receive(self) -> Result | None:
        client = self._client
        process = client._process
        if process is None:
            client._check_stopped()
            raise WorkerError("The worker was closed while images were in work.")
        message = process.receive(_POLL)
        match message:
            case None:
                self._silence += _POLL
                if self._silence > client._hang_seconds:
                    process.kill(f"it gave no sign for {_minutes(client._hang_seconds)}")
                    self._silence = 0.0
                return None
            case Ended():
                client._check_stopped()
                return self._died(message)
            case Done() | Failed():
                self._silence = 0.0
                self._deaths = 0
                task = self._flight.pop(message.id, None)
                return None if task is None else replace(message, id=task.id)
            case Partial():
                waiting = self._flight.get(message.id)
                if waiting is not None and self._on_partial is not None:
                    self._on_partial(replace(message, id=waiting.id))
            case Progress():
                client._report(message)
            case Broken(reason=reason):
                client._discard()
                raise WorkerError(reason)
            case Bye():
                self._said_bye = True
            case _:
                pass
        self._silence = 0.0
        return None

    def _died(self, end: Ended) -> Result | None:
        """Decide what becomes of the images in flight. The next `_feed` starts a new worker."""
        flight = list(self._flight.values())
        self._flight.clear()
        self._client._discard()
        if self._said_bye:
            # The worker ended by itself at the moment when they were sent.
            self._again.extend(flight)
            return None
        if not self._alone:
            self._suspects.extend(flight)
            return None
        self._alone = False
        self._deaths += 1
        if self._deaths >= DEATHS_IN_A_ROW:
            raise WorkerError(
                f"The inference process ended ({end.how}) on {self._deaths} images in a row: the trouble is "
                "not in the images; try another --device or a smaller model."
            )
        return Failed(flight[0].id, f"The inference process ended ({end.how}) twice on this image.")


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"
