"""Many images through decode → tag → find persons → ask, each stage busy while the others are.

Pictures are decoded and prepared by a few threads, tagged in batches by one, which also finds and tags their
persons, and asked about by as many as the vision-language model can use. A picture is decoded once for all models. The number of pictures held in
memory is bounded; results come in any order, as soon as they are there.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lib_extend.analysis.decode import decode, reduced
from lib_extend.analysis.persons import SIDE, PersonFinder, cut_out
from lib_extend.errors import ImageError, PromptExtendError
from lib_extend.files.scan import show
from lib_extend.questions.asking import next_round, of_persons, of_pictures
from lib_extend.questions.reading import read
from lib_extend.records import Answer, Category, Person, Tag
from lib_extend.worker.protocol import SCORE_FLOOR, Done, Failed, Result, Task

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Detector, Tagger, Vlm
    from lib_extend.questions.records import Question

LINGER = 0.25
"""Seconds the first picture of a batch waits at the most for the batch to fill."""

_MAX_ROUNDS = 32  # of questions about one picture; a table that asks for more goes round in circles


@dataclass
class _Item:
    """A picture on its way; `image` is kept only where persons are looked for or questions may be asked."""

    task: Task
    turn: int
    width: int
    height: int
    image: Image.Image | None
    prepared: np.ndarray[Any, Any] | None = None
    tags: tuple[Tag, ...] | None = None
    to_detect: np.ndarray[Any, Any] | None = None
    persons: tuple[Person, ...] | None = None


@dataclass
class _Count:
    """A number that several threads change."""

    value: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, n: int) -> None:
        with self.lock:
            self.value += n


class Pipeline:
    """The running stages.

    Args:
        tagger, vlm: the models; None where there is none.
        questions: those to put to the images.
        emit: receives each result, from any of the pipeline's threads.
        threads: decoding threads (default: one a core).
        question_threshold: score in 0…1 a tag needs for questions to be asked about it.
        beat: called whenever a stage has finished a step, from any thread.
        detector: finds persons; needs a tagger.
        person_tag_threshold: score in 0…1 a tag needs on a person's cut-out for questions about the person.
    """

    def __init__(
        self,
        tagger: Tagger | None,
        vlm: Vlm | None,
        questions: Sequence[Question],
        emit: Callable[[Result], None],
        *,
        threads: int | None = None,
        question_threshold: float = 0.35,
        beat: Callable[[], None] = lambda: None,
        detector: Detector | None = None,
        person_tag_threshold: float | None = None,
    ) -> None:
        self._tagger, self._vlm = tagger, vlm
        self._questions = of_pictures(questions)
        self._person_questions = of_persons(questions)
        self._emit, self._beat = emit, beat
        self._threshold = question_threshold
        self._person_threshold = question_threshold if person_tag_threshold is None else person_tag_threshold
        self._turn = 0  # counts cancellations: what belongs to an earlier turn is dropped
        self._undecoded = _Count()
        self._open = _Count()
        self._tasks: queue.SimpleQueue[tuple[Task, int] | None] = queue.SimpleQueue()
        self._to_tag: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._to_ask: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        decoders = threads or cores()
        askers = max(1, vlm.parallel) if vlm is not None else 0
        self._batch = max(1, tagger.batch) if tagger is not None else 0
        self._finder: PersonFinder | None = None
        if detector is not None and tagger is not None:
            self._finder = PersonFinder(detector, tagger, decoders)
        held = decoders + 2 * self._batch + askers
        self._room = threading.BoundedSemaphore(held)
        self.window = held + decoders
        """How many tasks keep every stage busy."""
        self._buffer: np.ndarray[Any, Any] | None = None
        self._decoders = [self._thread(self._decode_all, f"decode-{i}") for i in range(decoders)]
        self._tagging = [self._thread(self._tag_all, "tag")] if tagger is not None else []
        self._asking = [self._thread(self._ask_all, f"ask-{i}") for i in range(askers)]

    def _thread(self, job: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=job, name=name, daemon=True)
        thread.start()
        return thread

    def submit(self, task: Task) -> None:
        """Have `task` analysed; its result goes to `emit`. Does not block."""
        self._open.add(1)
        self._undecoded.add(1)
        self._tasks.put((task, self._turn))

    @property
    def open(self) -> int:
        """How many tasks are submitted and neither answered nor dropped."""
        return self._open.value

    def cancel(self) -> None:
        """Drop what is not finished. A result that is just being made may still be emitted."""
        self._turn += 1

    def close(self) -> None:
        """Drop what is not finished and end the threads; waits for steps in progress."""
        self.cancel()
        for threads, inbox in (
            (self._decoders, self._tasks),
            (self._tagging, self._to_tag),
            (self._asking, self._to_ask),
        ):
            for _ in threads:
                cast("queue.SimpleQueue[None]", inbox).put(None)
            for thread in threads:
                thread.join()
        if self._finder is not None:
            self._finder.close()

    # --- stage one: pictures

    def _decode_all(self) -> None:
        while True:
            # Room first, then the task: so they stay in order, and the memory bounded.
            self._room.acquire()
            got = self._tasks.get()
            if got is None:
                self._room.release()
                return
            task, turn = got
            try:
                item = None
                with self._answering(task, "The picture could not be prepared"):
                    if turn == self._turn:
                        item = self._prepare(task, turn)
            finally:
                self._undecoded.add(-1)
            self._beat()
            if item is None:
                self._release()
            elif item.prepared is not None or item.to_detect is not None:
                self._to_tag.put(item)
            else:
                self._pass_on(item)

    def _prepare(self, task: Task, turn: int) -> _Item:
        tagger = self._tagger if task.need_tags else None
        vlm = self._vlm if task.need_answers else None
        finder = self._finder if task.need_persons else None
        # With no model at all only the size is wanted: the smallest decode there is.
        side = tagger.side if tagger is not None else (1 if vlm is None else None)
        if self._tagger is not None and (finder is not None or self._asks_about(task.persons, vlm)):
            side = SIDE * self._tagger.side
        decoded = decode(task.path, side=side, pixels=vlm.pixels if vlm is not None else None)
        item = _Item(task, turn, decoded.width, decoded.height, None)
        if tagger is not None:
            item.prepared = tagger.prepare(decoded.image)
        if finder is not None:
            item.to_detect = finder.prepare(decoded.image)
        if finder is not None or self._asks_about(task.persons, vlm):
            item.image = decoded.image
        elif vlm is not None:
            # What waits for its questions is kept small.
            item.image = reduced(decoded.image, vlm.pixels)
        return item

    def _asks_about(self, persons: Sequence[Person], vlm: Vlm | None) -> bool:
        return bool(self._person_questions and persons) and vlm is not None

    # --- stage two: tags

    def _tag_all(self) -> None:
        ended = False
        while not ended:
            items = [self._to_tag.get()]
            until = time.monotonic() + LINGER
            while len(items) < self._batch and items[-1] is not None:
                # Nothing more is being decoded: nothing to wait for. Looked at now and then, because what
                # is being decoded may be no picture, or none for the tagger.
                left = until - time.monotonic() if self._undecoded.value else 0.0
                try:
                    items.append(self._to_tag.get(block=left > 0, timeout=max(0.0, min(left, 0.02))))
                except queue.Empty:
                    if left <= 0:
                        break
            ended = items[-1] is None
            self._tag([item for item in items if item is not None])

    def _tag(self, items: list[_Item]) -> None:
        wanted = [item for item in items if item.turn == self._turn]
        for _ in range(len(items) - len(wanted)):
            self._release()
        if not wanted:
            return
        try:
            self._run_models(wanted)
        except Exception:
            if len(wanted) > 1:
                # It may have failed for one of its images: find out for which.
                for item in wanted:
                    self._tag([item])
                return
            with self._answering(wanted[0].task, "The tagger failed"):
                raise
            self._release()
            return
        for item in wanted:
            self._pass_on(item)

    def _run_models(self, items: list[_Item]) -> None:
        """Tags of the pictures that want them, then the persons of those that want these."""
        to_tag = [item for item in items if item.prepared is not None]
        if to_tag:
            for item, tags in zip(to_tag, self._run_tagger(to_tag), strict=True):
                item.tags = tuple(tags)
            self._beat()
        to_search = [item for item in items if item.to_detect is not None]
        if to_search:
            assert self._finder is not None
            found = self._finder.find(
                [item.image for item in to_search if item.image is not None],
                [item.to_detect for item in to_search if item.to_detect is not None],
                [(item.width, item.height) for item in to_search],
                SCORE_FLOOR,
                self._beat,
            )
            for item, persons in zip(to_search, found, strict=True):
                item.persons = persons
        for item in items:
            item.prepared = item.to_detect = None

    def _run_tagger(self, items: list[_Item]) -> list[list[Tag]]:
        assert self._tagger is not None
        inputs = [item.prepared for item in items if item.prepared is not None]
        first = inputs[0]
        if any(i.shape != first.shape or i.dtype != first.dtype for i in inputs):
            return self._tagger.tag(inputs, SCORE_FLOOR)
        if self._buffer is None or self._buffer.shape[1:] != first.shape or self._buffer.dtype != first.dtype:
            self._buffer = np.empty((self._batch, *first.shape), first.dtype)
        for i, prepared in enumerate(inputs):
            self._buffer[i] = prepared
        batch = cast("Sequence[np.ndarray[Any, Any]]", self._buffer[: len(inputs)])
        tagged = self._tagger.tag(batch, SCORE_FLOOR)
        if len(tagged) != len(items):
            raise RuntimeError(f"the tagger answered {len(tagged)} of {len(items)} images")
        return tagged

    # --- stage three: answers

    def _pass_on(self, item: _Item) -> None:
        if item.task.need_answers and self._vlm is not None:
            self._to_ask.put(item)
        else:
            self._finish(item, None)

    def _ask_all(self) -> None:
        while (item := self._to_ask.get()) is not None:
            if item.turn != self._turn:
                self._release()
                continue
            answers: list[Answer] | None = None
            with self._answering(item.task, "The questions could not be asked"):
                answers = self._ask(item)
            if answers is None:
                self._release()
            else:
                self._finish(item, answers)

    def _ask(self, item: _Item) -> list[Answer]:
        assert self._vlm is not None and item.image is not None
        tags = likely(item.task.tags + (item.tags or ()), self._threshold)
        answers = self._put(self._questions, tags, item.image, item)
        if self._person_questions:
            persons = item.task.persons if item.persons is None else item.persons
            boxes = [p.box for p in persons]
            for i, person in enumerate(persons):
                own = likely(person.tags, self._person_threshold)
                if own and next_round(self._person_questions, own, []):
                    alone = cut_out(item.image, (item.width, item.height), boxes, i)
                    about = self._put(self._person_questions, own, alone, item)
                    answers += [replace(a, person=i + 1) for a in about]
        return answers

    def _put(
        self, questions: Sequence[Question], tags: Mapping[str, float], image: Image.Image, item: _Item
    ) -> list[Answer]:
        """The answers to the questions that `tags` call for, follow-ups included, about one image."""
        assert self._vlm is not None
        answers: list[Answer] = []
        asked = next_round(questions, tags, answers)
        if not asked:
            return answers
        look = self._vlm.look(reduced(image, self._vlm.pixels))
        try:
            for _ in range(_MAX_ROUNDS):
                replies = iter(look.ask([p for a in asked for p in a.prompts]))
                answers += [read(a, *itertools.islice(replies, len(a.prompts))) for a in asked]
                self._beat()
                asked = next_round(questions, tags, answers)
                if not asked or item.turn != self._turn:
                    return answers
        finally:
            look.close()
        raise RuntimeError("the questions follow one another in a circle")

    # --- results

    def _finish(self, item: _Item, answers: Sequence[Answer] | None) -> None:
        wanted = item.turn == self._turn
        result = Done(
            item.task.id,
            item.width,
            item.height,
            tags=item.tags if item.task.need_tags else None,
            answers=None if answers is None else tuple(answers),
            persons=item.persons,
        )
        self._release()
        if wanted:
            self._emit(result)

    def _release(self) -> None:
        self._open.add(-1)
        self._room.release()

    @contextlib.contextmanager
    def _answering(self, task: Task, what: str) -> Iterator[None]:
        """Turns whatever goes wrong with one image into its `Failed`."""
        try:
            yield
        except ImageError as error:
            self._emit(Failed(task.id, error.reason))
        except Exception as error:  # noqa: BLE001 - one image must never cost the run
            traceback.print_exc(file=sys.stderr)
            self._emit(Failed(task.id, explain(error, what, task.path)))


def likely(tags: Sequence[Tag], threshold: float) -> dict[str, float]:
    """Score by name of the tags that questions may be about: no ratings, none below `threshold`."""
    scores: dict[str, float] = {}
    for tag in tags:
        score = 1.0 if tag.score is None else tag.score
        if score >= threshold and tag.category is not Category.RATING:
            scores[tag.name] = max(score, scores.get(tag.name, 0.0))
    return scores


def explain(error: Exception, what: str, path: str) -> str:
    """One sentence about an error that came while working on the image at `path`."""
    if isinstance(error, PromptExtendError):
        return str(error)
    name, text = show(Path(path).name), show(str(error).strip().partition("\n")[0])
    if isinstance(error, MemoryError) or "out of memory" in text.lower():
        return (
            f"{what} on {name} for want of memory: try --device cpu, a smaller --batch-size or --max-pixels."
        )
    return f"{what} on {name} ({type(error).__name__}: {text[:200]})."


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
