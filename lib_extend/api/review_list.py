"""The answers and separations to look at, kept between two requests: making the list takes a while."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from lib_extend.batch.glance import Glance
from lib_extend.batch.job import state_folder
from lib_extend.batch.review import Item, uncertain

_LEAST, _TIMES = 30.0, 20.0
"""Seconds for which a list holds at least, or so many times what making it took: images come in while a job runs."""


@dataclass(frozen=True)
class _List:
    items: tuple[Item, ...]
    below: float
    run: int
    made: float
    holds: float


class Lists:
    """The lists of what to look at, one a folder: making one takes about a second for 2,000 images."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lists: dict[Path, _List] = {}

    def get(self, root: Path, below: float) -> tuple[Item, ...]:
        """The items below a probability, the most urgent first. Raises UserError."""
        with self._lock:
            kept = self._lists.get(root)
        run = _last_run(root)
        now = time.monotonic()
        if kept and kept.below == below and kept.run == run and now - kept.made < kept.holds:
            return kept.items
        items = tuple(uncertain(root, below=below))
        took = time.monotonic() - now
        with self._lock:
            self._lists[root] = _List(items, below, run, time.monotonic(), max(_LEAST, _TIMES * took))
        return items

    def decided(self, root: Path, image: str, question: str, thing: str) -> None:
        """Take what was just decided off the list, which else stays as it is."""
        run = _last_run(root)
        with self._lock:
            kept = self._lists.get(root)
            if kept is None:
                return
            gone = (image, question, thing)
            left = tuple(i for i in kept.items if (i.path, i.question, i.object) != gone)
            self._lists[root] = replace(kept, items=left, run=run)


def _last_run(root: Path) -> int:
    with contextlib.closing(Glance(state_folder(root, None))) as glance:
        return glance.last_run()
