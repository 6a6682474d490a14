"""The kinds of jobs over a whole folder, one file of `kinds/` each.

The kind `tag` is the file `tag_job.py`: a subclass of `JobKind`, and at the end `KIND = ThatClass()`. No other file has
to name it: the server starts, follows, pauses, stops, lists and continues jobs of any kind.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs import kinds as folder
from lib_extend.jobs.job_events import Event
from lib_extend.records import Record
from lib_extend.worker.client import OnProgress, WorkerClient
from lib_extend.worker.protocol import Done, Failed, Ready, Setup, Task

ENDING = "_job"
"""Of the files' names."""


class Client(Protocol):
    """The methods of the worker's client that a job uses."""

    def start(self, setup: Setup, on_progress: OnProgress | None = None) -> Ready: ...

    def run(self, tasks: Iterable[Task]) -> Iterator[Done | Failed]: ...

    def stop(self) -> None: ...

    def close(self, timeout: float = 5.0) -> None: ...


class Work(Protocol):
    """A job that is ready to run: iterate `events()` once."""

    def events(self) -> Iterator[Event]:
        """Run the job: `Planned` is the first event, `Finished` the last (with `stopped` if it was stopped).

        Raises UserError when the user must correct something; nothing was changed then. Other `PromptExtendError`s end
        the job.
        """
        ...

    def stop(self) -> None:
        """End the job cleanly: finished work is kept. Returns at once; thread-safe."""
        ...


@dataclass(frozen=True)
class NoOptions(Record):
    """The options of a kind that has none."""


@dataclass(frozen=True)
class Order:
    """The order for a job.

    Attributes:
        config: all settings. options: the kind's own, of the type that its `options` names.
        client: makes the worker's client. Its `start` waits while another job has the device.
    """

    dataset: Dataset
    config: TagConfig
    options: Any = field(default_factory=NoOptions)
    client: Callable[[], Client] = WorkerClient


class JobKind:
    """One kind of job.

    Attributes:
        options: the record of its own options; from JSON by the types of its fields.
        title: what it does, for the reference: a few words in small letters.
        writes: captions change, as a run that can be undone.
        models: it uses the worker's models, so the WebUI's own may be unloaded meanwhile, and its settings are
            remembered as those used last.
        chooses: it takes the pictures of the folder that are named, and no others.
        pauses: it can be stopped, and the same order continues it.
        continues: the list of folders shows that it was stopped before its end.
    """

    options: type[Record] = NoOptions
    title: str = ""
    writes: bool = False
    models: bool = False
    chooses: bool = True
    pauses: bool = True
    continues: bool = False

    @property
    def name(self) -> str:
        """The name of its file, without `_job`."""
        return type(self).__module__.rpartition(".")[2].removesuffix(ENDING)

    def work(self, order: Order) -> Work:
        """The job, ready to run. Raises UserError when the order does not fit."""
        raise NotImplementedError


@functools.cache
def names() -> tuple[str, ...]:
    """The names of all kinds, by the alphabet."""
    return tuple(sorted(m.name.removesuffix(ENDING) for m in pkgutil.iter_modules(folder.__path__)))


@functools.cache
def kind(name: str) -> JobKind:
    """The kind of a name. Raises KeyError when there is none."""
    if name not in names():
        raise KeyError(name)
    found = importlib.import_module(f"{folder.__name__}.{name}{ENDING}").KIND
    assert isinstance(found, JobKind)
    return found


def titles() -> str:
    """All kinds and what they do, in one line."""
    return "; ".join(f"{name} ({kind(name).title})" for name in names())
