"""What several threads ask of one model at the same time, run as one batch within the memory there is.

There is no thread of its own: of the callers that wait one runs the model for all of them. Out of memory
halves the batch, and no later one becomes larger than what then fitted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from lib_extend.errors import ImageError
from lib_extend.models.vlms.memory_need import NO_ROOM, give_back, is_out_of_memory

J = TypeVar("J")
R = TypeVar("R")

LINGER = 0.05
"""Seconds a batch waits at the most for callers that took part in the one before."""


@dataclass(eq=False)
class _Entry(Generic[J, R]):
    job: J
    size: int
    result: R | None = None
    error: BaseException | None = None
    done: bool = False

    def outcome(self) -> R:
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


class Batcher(Generic[J, R]):
    """Joins the jobs of several threads.

    Attributes:
        most: jobs a batch takes at the most.
        room: the largest size of a batch that memory allows now (number of jobs × size of the largest), None
            where it does not matter.
        largest: the largest size of a batch (see `room`) that is tried, None until memory ran out.
    """

    def __init__(self, run: Callable[[Sequence[J]], Sequence[R]], *, most: int = 1) -> None:
        """`run` does the jobs of a batch, one result each; only one thread is in it at a time."""
        self.most = most
        self.room: Callable[[], int | None] = lambda: None
        self.largest: int | None = None
        self._run = run
        self._waiting: list[_Entry[J, R]] = []
        self._busy = False
        self._expected = 1
        self._changed = threading.Condition()

    def __call__(self, job: J, size: int = 1) -> R:
        """The result of a job of this size, done together with others that are waiting.

        Raises what `run` raised for it; ImageError when memory does not suffice for it alone.
        """
        entry: _Entry[J, R] = _Entry(job, size)
        with self._changed:
            self._waiting.append(entry)
            self._changed.notify_all()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: entry.done or not self._busy)
                if entry.done:
                    return entry.outcome()
                self._busy = True
            batch: list[_Entry[J, R]] = []
            try:
                with self._changed:
                    self._gather()
                    batch = self._take()
                self._do(batch)
            finally:
                with self._changed:
                    if not batch:  # it could not even be put together; the caller hears why
                        self._waiting.remove(entry)
                    for taken in batch:
                        if not taken.done:  # the thread that ran the batch was interrupted
                            taken.error = ImageError("The questions were broken off.")
                            taken.done = True
                    # Whoever waits by now will ask again, and so will those that just got their replies.
                    self._expected = len(batch) + len(self._waiting)
                    self._busy = False
                    self._changed.notify_all()

    def _gather(self) -> None:
        """Waits a moment for those that took part before; called with the lock."""
        until = time.monotonic() + LINGER
        while len(self._waiting) < min(self.most, self._expected):
            left = until - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(left)

    def _take(self) -> list[_Entry[J, R]]:
        """As many of those waiting, first come first, as there is room for, at least one; with the lock."""
        bounds = [b for b in (self.room(), self.largest) if b is not None] if self.most > 1 else []
        batch: list[_Entry[J, R]] = []
        widest = 0
        for entry in self._waiting[: self.most]:
            widest = max(widest, entry.size)
            if batch and any((len(batch) + 1) * widest > bound for bound in bounds):
                break
            batch.append(entry)
        del self._waiting[: len(batch)]
        return batch

    def _do(self, batch: Sequence[_Entry[J, R]]) -> None:
        """The results or errors of a batch's jobs."""
        # What failed is looked at outside `except`: until its end the error keeps all tensors of the pass alive.
        error = self._try(batch)
        if error is None:
            return
        memory = is_out_of_memory(error)
        if len(batch) == 1:
            batch[0].error = error
            if memory:
                batch[0].error = ImageError(NO_ROOM)
                give_back()
            batch[0].done = True
            return
        del error
        step = 1  # it may be the fault of one of them: find out whose
        if memory:
            give_back()
            step = (len(batch) + 1) // 2
            size = step * max(e.size for e in batch)
            self.largest = size if self.largest is None else min(self.largest, size)
        for start in range(0, len(batch), step):
            self._do(batch[start : start + step])

    def _try(self, batch: Sequence[_Entry[J, R]]) -> Exception | None:
        """Runs a batch; what went wrong, without the frames in which it did."""
        try:
            results = self._run([e.job for e in batch])
        except Exception as error:  # noqa: BLE001 - it is one image's, and raised to whoever asked about it
            return error.with_traceback(None) if len(batch) > 1 or is_out_of_memory(error) else error
        for entry, result in zip(batch, results, strict=True):
            entry.result, entry.done = result, True
        return None
