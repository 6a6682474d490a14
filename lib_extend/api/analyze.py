"""One picture on its own: tags, answers, persons and the caption, from a worker that is kept between pictures."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_extend.api import texts
from lib_extend.api.errors import ApiError, bad
from lib_extend.batch.job import questions_of
from lib_extend.captions.composing import Thresholds, compose
from lib_extend.config import TagConfig
from lib_extend.errors import ImageError, UserError
from lib_extend.questions.builtin import BUILTIN
from lib_extend.records import Analysis, Person
from lib_extend.worker.client import WorkerClient
from lib_extend.worker.protocol import Failed, Ready, Setup, Task

WAITING = 4
"""Pictures that may wait for the worker at the most."""


@dataclass(frozen=True)
class Loading:
    """What is arriving or being loaded: `done` of `total` bytes (0 when unknown)."""

    what: str = ""
    done: int = 0
    total: int = 0


class KeptWorker:
    """A worker that stays for the next picture, and ends after idle minutes or by `unload`.

    Args:
        idle_minutes: asked at each start. client: makes the worker's client.
    """

    def __init__(
        self, idle_minutes: Callable[[], float], client: Callable[[], WorkerClient] = WorkerClient
    ) -> None:
        self._idle_minutes = idle_minutes
        self._make = client
        self._turn = threading.Lock()
        self._waiting = threading.BoundedSemaphore(WAITING)
        self._client: WorkerClient | None = None
        self._config: TagConfig | None = None
        self._since = 0.0
        self._loading = Loading()

    def analyse(self, path: Path, config: TagConfig) -> dict[str, Any]:
        """All about one image.

        Raises ApiError (too many wait), UserError (a setting or a model), ImageError (the picture), WorkerError.
        """
        if config.tagger == "none":
            raise bad(texts.NO_TAGGER, "tagger")
        questions = questions_of(config, BUILTIN) if config.vlm != "none" else ()
        if not self._waiting.acquire(blocking=False):
            raise ApiError(429, texts.ANALYSIS_BUSY)
        try:
            with self._turn:
                began = time.monotonic()
                asked = config.with_(ask=tuple(dict.fromkeys(q.selected_by for q in questions)))
                setup = replace(Setup.from_config(asked, questions), idle_seconds=60.0 * self._idle_minutes())
                ready, analysis = self._run(setup, config, path)
        finally:
            self._waiting.release()
        caption = compose(
            analysis, config, existing=None, image_key=path.name, thresholds=thresholds_of(ready)
        )
        return {
            "caption": caption.text,
            "tags": [t.to_json() for t in caption.tags],
            "answers": [a.to_json() for a in analysis.answers],
            "persons": person_rows(caption.persons),
            "reason": caption.reason,
            "dropped": [d.to_json() for d in caption.dropped],
            "width": analysis.width,
            "height": analysis.height,
            "seconds": round(time.monotonic() - began, 3),
        }

    def _run(self, setup: Setup, config: TagConfig, path: Path) -> tuple[Ready, Analysis]:
        if self._client is None:
            self._client = self._make()
        client = self._client
        if config != self._config or client.pid is None:
            self._since = time.time()
        self._config = config
        try:
            ready = client.start(setup, self._progress)
        except BaseException:
            self._drop()
            raise
        finally:
            self._loading = Loading()
        task = Task("1", str(path), need_persons=config.people)
        for result in client.run([task]):
            if isinstance(result, Failed):
                raise ImageError(result.reason)
            found = Analysis(
                result.width, result.height, result.tags or (), result.answers or (), result.persons or ()
            )
            return client.ready or ready, found
        raise UserError(texts.NO_PICTURE)

    def _progress(self, what: str, done: int, total: int) -> None:
        self._loading = Loading(what, done, total)

    def unload(self) -> bool:
        """End the worker, also one that is busy. Returns whether there was one."""
        client = self._client
        if client is None or client.pid is None:
            return False
        client.stop()
        self._drop()
        return True

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):  # it is gone either way
                client.close(0.0)

    def state(self) -> dict[str, Any] | None:
        """What is in memory: None when nothing is."""
        client, config = self._client, self._config
        if client is None or config is None or client.pid is None:
            return None
        return worker_row(client, config, self._since, "", self._loading)


def worker_row(
    client: WorkerClient, config: TagConfig, since: float, job: str, loading: Loading = Loading()
) -> dict[str, Any]:
    """A running worker as `/state` tells of it."""
    ready = client.ready
    devices = (ready.tagger_device, ready.vlm_device, ready.detector_device) if ready else ()
    return {
        "running": True,
        "pid": client.pid,
        "tagger": config.tagger,
        "vlm": config.vlm,
        "detector": config.person_detector,
        "device": ", ".join(dict.fromkeys(d for d in devices if d)),
        "since": round(since, 3),
        "job": job or None,
        "loading": {"what": loading.what, "done": loading.done, "total": loading.total}
        if loading.what
        else None,
    }


def person_rows(persons: Sequence[Person]) -> list[dict[str, Any]]:
    """Persons as JSON values, the box as [left, top, right, bottom]."""
    return [{**p.to_json(), "box": p.box.as_list()} for p in persons]


def thresholds_of(ready: Ready) -> Thresholds:
    """The tagger's own thresholds."""
    known = Thresholds()
    if ready.threshold is None:
        return known
    character = known.character if ready.character_threshold is None else ready.character_threshold
    return Thresholds(general=ready.threshold, character=character, tags=ready.tag_thresholds)
