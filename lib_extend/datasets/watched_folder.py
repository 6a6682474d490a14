"""One folder of pictures, kept up to date by a thread.

Opening starts a thread that loads the stored index and then looks for changes.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.index import Index
from lib_extend.datasets.thumbnails import Thumbnails
from lib_extend.datasets.updating import Updater
from lib_extend.errors import BusyError, PromptExtendError, UserError
from lib_extend.files.scan import show

_LEAST_PAUSE, _PAUSES = 10.0, 20.0
"""The folder is looked through again after this many seconds, or so many times what looking takes."""
_RETRY = 1.0
_PATIENCE = 15.0
"""Seconds a question waits for the folder to be known."""


@dataclass(frozen=True)
class Status:
    """The progress of a browser.

    Attributes:
        ready: the whole folder is known (also during a later scan). working: a scan is running.
        done, total: pictures read and to be read. images: how many there are.
        generation: grows with every change, so that a page knows when to ask again.
        error: why the folder cannot be scanned, "" when it can.
    """

    ready: bool
    working: bool
    done: int
    total: int
    images: int
    generation: int
    error: str


class WatchedFolder:
    """The index of one folder, and the thread that keeps it up to date. Safe in threads.

    Attributes:
        dataset: the folder; root: where it is. state: where its job's state lives. thumbnails: its own.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        recursive: bool = False,
        allowed: Callable[[Path], bool] = lambda path: True,
    ) -> None:
        self.dataset = dataset
        self.root = dataset.root
        self.state = dataset.state_folder
        self.recursive = recursive
        self.index = Index()
        self.lock = threading.RLock()
        self.updating = threading.Lock()
        """Held while the index is brought up to date, by whoever does it; taken before `lock`."""
        self.updater = Updater(dataset, self.index, self.lock, self._changed, allowed)
        self._thumbnails: Thumbnails | None = None
        self._generation = 0
        self._ready = threading.Event()
        self._indexed = threading.Event()
        """Set once the index knows who has a tag: a little after the pictures can be shown."""
        self._error: PromptExtendError | None = None
        self._jobs = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wants_all = True
        self._wanted: set[str] = set()
        self._looked = 0.0
        self._took = 0.0
        self._closed = False

    @property
    def thumbnails(self) -> Thumbnails:
        with self._jobs:
            if self._thumbnails is None:
                self._thumbnails = Thumbnails(self.state)
            return self._thumbnails

    def start(self) -> None:
        """Start a scan of the folder, if none is running."""
        with self._jobs:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="prompt-extend-browser", daemon=True)
                self._thread.start()

    def look_again(self, names: Collection[str] | None = None) -> None:
        """Bring these images up to date, or (None) the whole folder. Returns at once."""
        with self._jobs:
            if names is None:
                self._wants_all = True
            else:
                self._wanted.update(names)
        self.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the folder is known; returns whether it is.

        Raises:
            UserError: the folder cannot be scanned.
        """
        self.start()
        known = self._ready.wait(timeout)
        error = self._error
        if error is not None:
            if time.monotonic() - self._looked > _RETRY:
                self.look_again()  # for the next caller: the folder may exist again
            raise error
        return known

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until all scans have ended (for tests and the benchmark)."""
        end = time.monotonic() + timeout
        while (thread := self._thread) is not None and time.monotonic() < end:
            thread.join(0.05)

    def status(self) -> Status:
        """The progress."""
        return Status(
            ready=self._ready.is_set() and self._error is None,
            working=self._thread is not None,
            done=self.updater.done,
            total=self.updater.total,
            images=len(self.index),
            generation=self._generation,
            error=str(self._error or ""),
        )

    def close(self) -> None:
        """End its thread and processes; the object is not used afterwards."""
        with self._jobs:
            self._closed = True
            thread, thumbnails = self._thread, self._thumbnails
        self.updater.stop()
        if thread is not None:
            thread.join(10)
        with self.updating:
            self.updater.close()
        if thumbnails is not None:
            thumbnails.close()

    def _changed(self) -> None:
        self._generation += 1

    def _work(self) -> None:
        while True:
            with self._jobs:
                everything, names = self._wants_all, self._wanted
                if self._closed or not (everything or names):
                    self._thread = None
                    return
                self._wants_all, self._wanted = False, set()
            began = time.monotonic()
            try:
                with self.updating:
                    self._update(everything, names)
                self._error = None
            except PromptExtendError as e:
                self._error = e
            except Exception as e:  # noqa: BLE001 - a thread has nobody else to tell
                print("Prompt Extend:", traceback.format_exc(), file=sys.stderr, flush=True)
                kind = type(e).__name__
                self._error = UserError(
                    f"{show(self.root.name)} cannot be looked through ({kind}): the server's log says more."
                )
            if everything:
                self._looked = time.monotonic()
                self._took = self._looked - began
                self._ready.set()

    def _update(self, everything: bool, names: Collection[str]) -> None:
        if not self.updater.loaded:
            try:
                if self.updater.load(recursive=self.recursive):
                    self._ready.set()
                self.updater.index_tags()
            finally:
                self._indexed.set()
        if everything:
            self.updater.refresh(recursive=self.recursive)
        else:
            self.updater.touch(names)

    def _await(self) -> None:
        """Wait until the folder is known, and start another scan from time to time."""
        if not self.wait(_PATIENCE):
            s = self.status()
            raise BusyError(
                f"{show(self.root.name)} is being looked through ({s.done:,} of {s.total:,} images): wait a moment."
            )
        if self._looked and time.monotonic() - self._looked > max(_LEAST_PAUSE, _PAUSES * self._took):
            self.look_again()
