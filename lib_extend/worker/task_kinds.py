"""The kinds of tasks for the worker, one file of `kinds/` each.

A file defines the record of a request, the record of its result and a subclass of `Kind`, and ends with
`KIND = ThatClass()`; its name is the kind's. No other file has to name it: the protocol carries requests and results of
any kind. What is at the top of the file is imported in a WebUI's process too, so models and their packages are
imported inside `runner` (and what it calls) only.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lib_extend.errors import PromptExtendError, Stopped
from lib_extend.records import Record
from lib_extend.worker import kinds as folder
from lib_extend.worker.setup_record import Setup

if TYPE_CHECKING:
    from lib_extend.models.ports import Detector, Tagger, Vlm
    from lib_extend.questions.question import Question


@dataclass(frozen=True)
class Models:
    """The loaded models of a setup."""

    tagger: Tagger | None
    vlm: Vlm | None
    detector: Detector | None = None

    @property
    def some(self) -> bool:
        return not (self.tagger is None and self.vlm is None and self.detector is None)


@dataclass(frozen=True)
class Process:
    """The worker's process, as the runner of a kind sees it. All functions may be called from any thread.

    Attributes:
        setup: how it was set up. models: the models it loaded. questions: those of the setup.
        done: answers the task of an id with its result. failed: answers it with one sentence for the user.
        beat: call it after each step of slow work, so that the process is not taken for hanging.
        progress: `progress(what, done_bytes, total_bytes)` while something arrives or is loaded.
    """

    setup: Setup
    models: Models
    questions: tuple[Question, ...]
    done: Callable[[str, Record], None]
    partial: Callable[[str, Record], None]
    failed: Callable[[str, str], None]
    beat: Callable[[], None]
    progress: Callable[[str, int, int], None]


class Runner(Protocol):
    """What works on the tasks of one kind. Each submitted task is answered once, unless it is cancelled.

    Attributes:
        window: how many tasks keep it busy.
    """

    window: int

    @property
    def open(self) -> int:
        """How many tasks are submitted and neither answered nor dropped."""
        ...

    def submit(self, id: str, request: Any) -> None:
        """Take a task; does not block."""
        ...

    def cancel(self) -> None:
        """Drop what is not finished."""
        ...


class Kind:
    """One kind of task: its records, and what works on it in the worker's process."""

    request: type[Record]
    result: type[Record]
    partial: type[Record] = Record
    """What tells of a result before it is whole, where a kind does."""

    @property
    def name(self) -> str:
        """The name of its file."""
        return type(self).__module__.rpartition(".")[2]

    def runner(self, process: Process) -> Runner:
        """Made at the first task of the kind. By default tasks are run one after the other by `run`."""
        return OneByOne(functools.partial(self.run, process), process)

    def run(self, process: Process, request: Any) -> Record:
        """The result of one request. A `PromptExtendError` that it raises is the answer's sentence."""
        raise NotImplementedError


class OneByOne:
    """A runner of a plain function, one task after the other in a thread of its own."""

    window = 2

    def __init__(self, run: Callable[[Any], Record], process: Process) -> None:
        self._run, self._process = run, process
        self._tasks: queue.SimpleQueue[tuple[str, Any, int]] = queue.SimpleQueue()
        self._turn = 0  # counts cancellations
        self._open = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._work, name="one-by-one", daemon=True).start()

    @property
    def open(self) -> int:
        return self._open

    def submit(self, id: str, request: Any) -> None:
        self._count(1)
        self._tasks.put((id, request, self._turn))

    def cancel(self) -> None:
        self._turn += 1

    def _count(self, n: int) -> None:
        with self._lock:
            self._open += n

    def _result(self, id: str, request: Any, turn: int) -> Record:
        return self._run(request)

    def _work(self) -> None:
        while True:
            id, request, turn = self._tasks.get()
            if turn == self._turn:
                try:
                    self._process.done(id, self._result(id, request, turn))
                except Stopped:
                    pass  # no one waits for the result any more
                except Exception as error:  # noqa: BLE001 - one task must never cost the others
                    if not isinstance(error, PromptExtendError):
                        traceback.print_exc(file=sys.stderr)
                    self._process.failed(id, sentence(error))
            self._count(-1)


class Growing(OneByOne):
    """As `OneByOne`, for a function that sends partial results; it is stopped when the task is cancelled.

    `run(request, tell)`: `tell` sends a partial result, and raises Stopped where nobody waits any more.
    """

    def __init__(self, run: Callable[[Any, Callable[[Record], None]], Record], process: Process) -> None:
        self._growing = run
        super().__init__(lambda request: run(request, lambda record: None), process)

    def _result(self, id: str, request: Any, turn: int) -> Record:
        def tell(record: Record) -> None:
            if turn != self._turn:
                raise Stopped("The task was cancelled.")
            self._process.partial(id, record)

        return self._growing(request, tell)


def sentence(error: Exception) -> str:
    """One sentence about an error that came while working on a task."""
    if isinstance(error, PromptExtendError):
        return str(error)
    text = str(error).strip().partition("\n")[0]
    return f"The inference process failed ({type(error).__name__}: {text[:300]})."


@functools.cache
def names() -> frozenset[str]:
    """The names of all kinds."""
    return frozenset(m.name for m in pkgutil.iter_modules(folder.__path__))


@functools.cache
def kind(name: str) -> Kind:
    """The kind of a name. Raises KeyError when there is none."""
    if name not in names():
        raise KeyError(name)
    found = importlib.import_module(f"{folder.__name__}.{name}").KIND
    assert isinstance(found, Kind)
    return found
