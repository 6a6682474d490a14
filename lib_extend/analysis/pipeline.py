"""Many pictures through decode → the makers of their parts, each stage busy while the others are.

Pictures are decoded and prepared by a few threads; then they pass the lanes of the makers that they need, in an order
in which each part comes after those that it needs. A picture is decoded once for all. The number of pictures held in
memory is bounded; results come in any order, as soon as they are there.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extend.analysis.decode import decode
from lib_extend.analysis.making import Maker, Picture
from lib_extend.errors import ImageError, ModelError, PromptExtendError
from lib_extend.files.scan import show
from lib_extend.records import Unmade

LINGER = 0.25
"""Seconds the first picture of a batch waits at the most for the batch to fill."""

PREPARING = "The picture could not be prepared"

Inbox = queue.SimpleQueue["Picture | None"]


@dataclass(frozen=True)
class Analysed:
    """What became of a picture: `parts` are the values of those wanted, as far as there are makers for them; `unmade`
    says of others why they could not be made."""

    id: str
    width: int
    height: int
    parts: Mapping[str, Any]
    unmade: Mapping[str, Unmade] = field(default_factory=dict)


@dataclass(frozen=True)
class NotAnalysed:
    """A picture that could not be analysed: `reason` is one sentence for the user."""

    id: str
    reason: str


Outcome = Analysed | NotAnalysed


@dataclass
class _Lane:
    """Makers that take turns in the same threads."""

    makers: dict[str, Maker] = field(default_factory=dict)
    inbox: Inbox = field(default_factory=queue.SimpleQueue)
    running: list[threading.Thread] = field(default_factory=list)

    @property
    def threads(self) -> int:
        return max(1, *(m.threads for m in self.makers.values()))

    @property
    def batch(self) -> int:
        return max(1, *(m.batch for m in self.makers.values()))

    def failed(self, picture: Picture) -> str | None:
        """The part whose maker failed on a picture: the first that is still waited for."""
        return next((name for name in self.makers if _waits_for(picture, name)), None)


def _waits_for(picture: Picture, part: str) -> bool:
    return part in picture.inputs and part not in picture.made


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
        makers: by their parts' names; a part comes after those that it needs.
        emit: receives each outcome, from any of the pipeline's threads.
        threads: decoding threads (default: one a core).
        beat: called whenever a stage has finished a step, from any thread.

    Raises ValueError when a lane would have to run both before and after another one.
    """

    def __init__(
        self,
        makers: Mapping[str, Maker],
        emit: Callable[[Outcome], None],
        *,
        threads: int | None = None,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._makers = dict(makers)
        self._emit, self._beat = emit, beat
        self._turn = 0  # counts cancellations: what belongs to an earlier turn is dropped
        self._undecoded = _Count()
        self._open = _Count()
        self._tasks: Inbox = queue.SimpleQueue()
        decoders = threads or cores()
        lanes: dict[str, _Lane] = {}
        for name, maker in self._makers.items():
            lanes.setdefault(maker.lane, _Lane()).makers[name] = maker
        self._lanes = list(lanes.values())
        held = decoders + sum(lane.batch * (lane.threads + 1) for lane in self._lanes)
        self._room = threading.BoundedSemaphore(held)
        self.window = held + decoders
        """How many tasks keep every stage busy."""
        self._decoders = [self._thread(self._decode_all, f"decode-{i}") for i in range(decoders)]
        for n, lane in enumerate(self._lanes):
            lane.running = [
                self._thread(lambda n=n: self._work(n), f"{next(iter(lane.makers))}-{i}")  # type: ignore[misc]
                for i in range(lane.threads)
            ]

    def _thread(self, job: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=job, name=name, daemon=True)
        thread.start()
        return thread

    def submit(self, picture: Picture) -> None:
        """Have the picture analysed; what becomes of it goes to `emit`. Does not block."""
        picture.turn = self._turn
        picture.dropped = lambda: picture.turn != self._turn
        self._open.add(1)
        self._undecoded.add(1)
        self._tasks.put(picture)

    @property
    def open(self) -> int:
        """How many pictures are submitted and neither answered nor dropped."""
        return self._open.value

    def cancel(self) -> None:
        """Drop what is not finished. A result that is just being made may still be emitted."""
        self._turn += 1

    def close(self) -> None:
        """Drop what is not finished and end the threads; waits for steps in progress."""
        self.cancel()
        for threads, inbox in (
            (self._decoders, self._tasks),
            *((lane.running, lane.inbox) for lane in self._lanes),
        ):
            for _ in threads:
                inbox.put(None)
            for thread in threads:
                thread.join()
        for maker in self._makers.values():
            maker.close()

    # --- stage one: decode and prepare

    def _decode_all(self) -> None:
        while (picture := self._tasks.get()) is not None:
            if picture.dropped():
                self._undecoded.add(-1)
                self._open.add(-1)
                continue
            self._room.acquire()
            ready = False
            with self._answering(picture, PREPARING):
                self._prepare(picture)
                ready = True
            self._beat()
            self._undecoded.add(-1)
            if ready:
                self._pass_on(picture, 0)
            else:
                self._release(picture)

    def _prepare(self, picture: Picture) -> None:
        makers = {name: maker for name, maker in self._makers.items() if name in picture.wanted}
        sizes = [maker.size(picture) for maker in makers.values()]
        # With no maker at all only the size is wanted: the smallest decode there is.
        side = max((side for side, _ in sizes if side is not None), default=None if makers else 1)
        pixels = max((pixels for _, pixels in sizes if pixels is not None), default=None)
        if any(size == (None, None) for size in sizes):
            side = pixels = None
        decoded = decode(picture.path, side=side, pixels=pixels)
        picture.width, picture.height = decoded.width, decoded.height
        for name, maker in makers.items():
            try:
                picture.inputs[name] = maker.prepare(picture, decoded.image)
            except Exception as error:
                if not maker.optional:
                    raise
                self._do_without(picture, name, error)

    # --- the lanes

    def _pass_on(self, picture: Picture, lane: int) -> None:
        """Put the picture into the first lane from number `lane` on that has work for it; finish it without one."""
        for after in self._lanes[lane:]:
            if any(_waits_for(picture, name) for name in after.makers):
                after.inbox.put(picture)
                return
        self._finish(picture)

    def _work(self, number: int) -> None:
        lane = self._lanes[number]
        while (first := lane.inbox.get()) is not None:
            pictures = [first]
            ended = False
            until = time.monotonic() + LINGER
            while len(pictures) < lane.batch and not ended:
                # Nothing more is being decoded: nothing to wait for. Looked at now and then, because what
                # is being decoded may be no picture, or none for this lane.
                left = until - time.monotonic() if self._undecoded.value else 0.0
                try:
                    more = lane.inbox.get(block=left > 0, timeout=max(0.0, min(left, 0.02)))
                except queue.Empty:
                    if left <= 0:
                        break
                    continue
                if more is None:
                    ended = True
                else:
                    pictures.append(more)
            self._run(number, pictures)
            if ended:
                return

    def _run(self, number: int, pictures: list[Picture]) -> None:
        """Make the lane's parts of the pictures and pass them on."""
        wanted = []
        for picture in pictures:
            if picture.dropped():
                self._release(picture)
            else:
                wanted.append(picture)
        if not wanted:
            return
        lane = self._lanes[number]
        try:
            self._make(lane, wanted)
        except Exception as error:
            if len(wanted) > 1:
                # It may have failed for one of its pictures: find out for which.
                for picture in wanted:
                    self._run(number, [picture])
                return
            (picture,) = wanted
            name = lane.failed(picture)
            if name is not None and lane.makers[name].optional:
                self._do_without(picture, name, error)
                self._run(number, [picture])
                return
            with self._answering(picture, PREPARING if name is None else lane.makers[name].failure):
                raise
            self._release(picture)
            return
        for picture in wanted:
            self._pass_on(picture, number + 1)

    def _make(self, lane: _Lane, pictures: list[Picture]) -> None:
        for name, maker in lane.makers.items():
            some = [picture for picture in pictures if _waits_for(picture, name)]
            for start in range(0, len(some), max(1, maker.batch)):
                part = some[start : start + max(1, maker.batch)]
                values = maker.make(part, [picture.inputs[name] for picture in part])
                if len(values) != len(part):
                    raise RuntimeError(f"{len(values)} of {len(part)} pictures were answered for {name}")
                for picture, value in zip(part, values, strict=True):
                    picture.made[name] = value
                self._beat()
        for picture in pictures:
            for name in lane.makers:
                picture.inputs.pop(name, None)

    def _do_without(self, picture: Picture, name: str, error: Exception) -> None:
        """Note why a part could not be made; the picture goes on."""
        picture.inputs.pop(name, None)
        if not isinstance(error, PromptExtendError):
            traceback.print_exception(error, file=sys.stderr)
        reason = explain(error, self._makers[name].failure, picture.path)
        code = error.code if isinstance(error, PromptExtendError) else ""
        picture.unmade[name] = Unmade(reason, isinstance(error, ModelError), code)

    # --- results

    def _finish(self, picture: Picture) -> None:
        wanted = not picture.dropped()
        self._release(picture)
        if wanted:
            self._emit(Analysed(picture.id, picture.width, picture.height, picture.made, picture.unmade))

    def _release(self, picture: Picture) -> None:
        picture.close()
        self._open.add(-1)
        self._room.release()

    @contextlib.contextmanager
    def _answering(self, picture: Picture, what: str) -> Iterator[None]:
        """Turns whatever goes wrong with one picture into its `NotAnalysed`."""
        try:
            yield
        except ImageError as error:
            self._emit(NotAnalysed(picture.id, error.reason))
        except Exception as error:  # noqa: BLE001 - one picture must never cost the run
            traceback.print_exc(file=sys.stderr)
            self._emit(NotAnalysed(picture.id, explain(error, what, picture.path)))


def explain(error: Exception, what: str, path: str) -> str:
    """One sentence about an error that came while working on the picture at `path`."""
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
