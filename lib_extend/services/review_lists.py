"""The answers and separations to look at, kept between two requests: making the list takes a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs.ranking import Item, Known, Ranking

_LEAST, _TIMES = 30.0, 20.0
"""Seconds for which a list holds at least, or so many times what making it took: images come in while a job runs."""
_PATIENCE = 2.0
"""Seconds a request waits for its items, when they are not known yet."""

Key = tuple[str, str, str]


@dataclass
class _List:
    """One folder's list. `gone`: image, question and object of what was decided since it was begun."""

    ranking: Ranking
    below: float
    run: int
    begun: float
    holds: float = _LEAST
    gone: set[Key] = field(default_factory=set)

    def work(self) -> None:
        self.ranking.work()
        self.holds = max(_LEAST, (1 + _TIMES) * (time.monotonic() - self.begun))


class Lists:
    """The lists of what to look at, one a folder; each is made by a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lists: dict[Path, _List] = {}

    def get(self, root: Path, below: float, wanted: int) -> Known:
        """The items below a probability, the most urgent first: at least `wanted`, if they are known soon.

        Raises UserError.
        """
        with self._lock:
            kept = self._current(root, below)
        known = kept.ranking.known(wanted + len(kept.gone), _PATIENCE)
        if not kept.gone:
            return known
        items = [i for i in known.items if _key(i) not in kept.gone]
        return replace(known, items=items, total=known.total - (len(known.items) - len(items)))

    def decided(self, root: Path, image: str, question: str, thing: str) -> None:
        """Take what was just decided off the list, which else stays as it is."""
        run = _last_run(root)
        with self._lock:
            kept = self._lists.get(root)
            if kept is not None:
                kept.gone.add((image, question, thing))
                kept.run = run

    def withdrawn(self, root: Path, image: str, question: str, thing: str) -> None:
        """Put back what was decided before."""
        run = _last_run(root)
        with self._lock:
            kept = self._lists.get(root)
            if kept is None:
                return
            if (image, question, thing) not in kept.gone:
                del self._lists[root]  # decided before this list was begun, which therefore lacks it
                return
            kept.gone.discard((image, question, thing))
            kept.run = run

    def _current(self, root: Path, below: float) -> _List:
        run = _last_run(root)
        now = time.monotonic()
        kept = self._lists.get(root)
        if kept and kept.below == below and kept.run == run and now - kept.begun < kept.holds:
            return kept
        made = self._lists[root] = _List(Ranking(Dataset(root), below=below), below, run, now)
        threading.Thread(target=made.work, name="prompt-extend-review", daemon=True).start()
        return made


def _key(item: Item) -> Key:
    return item.path, item.question, item.object


def _last_run(root: Path) -> int:
    with Dataset(root).reading() as reader:
        return reader.last_run()
