"""The inference process: reads tasks from its standard input, writes results to its standard output.

Whatever a library prints goes to stderr, never between the protocol's lines. The end of the input ends the
process at once, in the middle of a model's work if need be, so that no orphan survives its parent.
"""

from __future__ import annotations

import contextlib
import os
import platform
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING, Any

from lib_extend.errors import PromptExtendError
from lib_extend.records import Record
from lib_extend.worker.kinds import analyse_picture
from lib_extend.worker.protocol import (
    IDLE_SECONDS,
    VERSION,
    Alive,
    Broken,
    Bye,
    Cancel,
    Done,
    Failed,
    Hello,
    Partial,
    Progress,
    ProtocolError,
    Ready,
    Setup,
    SetupFailed,
    Stop,
    Task,
    check_version,
    decode,
    encode,
)
from lib_extend.worker.task_kinds import Models, Process, Runner, kind, sentence

if TYPE_CHECKING:
    from lib_extend.models.ports import Detector, Tagger, Vlm
    from lib_extend.questions.question import Question

PACKAGES = ("torch", "transformers", "onnxruntime", "onnxruntime-gpu", "pillow", "numpy", "huggingface_hub")
BEAT_SECONDS = 5.0
PARENT_SECONDS = 2.0
WINDOW = 8
"""Tasks that a worker without models is given at once."""


__all__ = ["Models", "load_models", "main"]

Load = Callable[[Setup, Callable[[str, int, int], None]], Models]


class Channel:
    """The protocol's two pipes, reserved in this process.

    File descriptor 1 becomes a copy of stderr and 0 an empty input, so neither a library that prints nor a
    child process that reads can come between.
    """

    def __init__(self) -> None:
        # Copies made by os.dup are not inherited by children.
        self._in = os.fdopen(os.dup(0), "rb")
        self._out = os.fdopen(os.dup(1), "wb")
        # (On Windows, loading a DLL blocks while another thread reads from the standard input itself.)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self._last = 0.0
        # Ends a line that was begun before us (python's start-up files may print).
        self._out.write(b"\n")

    def send(self, message: Record) -> None:
        """Write a message; ends the process when the parent is gone."""
        line = encode(message)
        with self._lock:
            try:
                self._out.write(line)
                self._out.flush()
            except (OSError, ValueError):
                os._exit(1)
            self._last = time.monotonic()

    def beat(self) -> None:
        """Send `Alive`, unless a message was sent a moment ago."""
        if time.monotonic() - self._last > BEAT_SECONDS:
            self.send(Alive())

    def listen(self, inbox: queue.SimpleQueue[Record]) -> None:
        """Put what arrives into `inbox`; never returns: the end of the input ends the process."""
        with contextlib.suppress(OSError):
            for line in self._in:
                try:
                    message = decode(line)
                except ProtocolError as error:
                    message = Broken(str(error))
                if isinstance(message, Stop):
                    break
                inbox.put(message)
        # Not sys.exit: a model may be at work in another thread for minutes.
        os._exit(0)


def main(load: Load | None = None) -> int:
    """Serve until the input ends, there is nothing to do for long, or the other side is not understood."""
    channel = Channel()
    inbox: queue.SimpleQueue[Record] = queue.SimpleQueue()
    threading.Thread(target=channel.listen, args=(inbox,), name="listen", daemon=True).start()
    threading.Thread(target=_watch_parent, name="parent", daemon=True).start()
    channel.send(Hello(VERSION, platform.python_version(), os.getpid(), _packages()))
    code = _Server(channel, inbox, load or load_models).serve()
    sys.stderr.flush()
    # Neither models nor threads are waited for: the system takes everything back.
    os._exit(code)


class _Server:
    """The main loop."""

    def __init__(self, channel: Channel, inbox: queue.SimpleQueue[Record], load: Load) -> None:
        self._channel, self._inbox, self._load = channel, inbox, load
        self._process: Process | None = None
        self._runners: dict[str, Runner] = {}
        self._idle_seconds = IDLE_SECONDS

    def serve(self) -> int:
        """The process' exit status."""
        idle_since = time.monotonic()
        while True:
            try:
                message = self._inbox.get(timeout=min(1.0, self._idle_seconds))
            except queue.Empty:
                if any(runner.open for runner in self._runners.values()):
                    idle_since = time.monotonic()
                elif time.monotonic() - idle_since > self._idle_seconds:
                    self._channel.send(Bye(f"nothing to do for {self._idle_seconds:g} seconds"))
                    return 0
                continue
            try:
                self._take(message)
            except ProtocolError as error:
                self._channel.send(Broken(str(error)))
                return 2
            idle_since = time.monotonic()

    def _take(self, message: Record) -> None:
        if isinstance(message, Setup):
            check_version(message.version, "The parent of the inference process")
            self._set_up(message)
        elif isinstance(message, Task):
            self._work(message)
        elif isinstance(message, Cancel):
            for runner in self._runners.values():
                runner.cancel()
        elif isinstance(message, Broken):
            raise ProtocolError(message.reason)
        else:
            raise ProtocolError(f"The inference process cannot do anything with a {type(message).__name__}.")

    def _work(self, task: Task) -> None:
        if self._process is None:
            raise ProtocolError("The inference process was given a task before its models.")
        try:
            runner = self._runner(task.kind, self._process)
        except Exception as error:  # noqa: BLE001 - what a kind needs may not be there: the task is answered
            if not isinstance(error, PromptExtendError):
                traceback.print_exc(file=sys.stderr)
            self._channel.send(Failed(task.id, sentence(error)))
            return
        runner.submit(task.id, task.payload)

    def _runner(self, name: str, process: Process) -> Runner:
        """What works on the tasks of a kind; made when it is needed first."""
        runner = self._runners.get(name)
        if runner is None:
            channel = self._channel
            own = replace(
                process,
                done=lambda id, result: channel.send(Done(id, name, result)),
                partial=lambda id, result: channel.send(Partial(id, name, result)),
            )
            runner = self._runners[name] = kind(name).runner(own)
        return runner

    def _set_up(self, setup: Setup) -> None:
        if self._process is not None:
            raise ProtocolError("The inference process has its models already.")
        self._idle_seconds = setup.idle_seconds
        channel, progress = self._channel, _throttled(self._channel)
        window = WINDOW
        try:
            questions = _questions(setup)
            models = self._load(setup, progress)
            process = Process(
                setup,
                models,
                questions,
                done=lambda id, result: None,
                partial=lambda id, result: None,
                failed=lambda id, reason: channel.send(Failed(id, reason)),
                beat=channel.beat,
                progress=progress,
            )
            if models.some:
                window = self._runner(analyse_picture.NAME, process).window
        except PromptExtendError as error:
            self._channel.send(SetupFailed(str(error)))
            return
        except Exception as error:  # noqa: BLE001 - a model's code is not ours: the parent is told, whatever it is
            traceback.print_exc(file=sys.stderr)
            text = str(error).strip().partition("\n")[0]
            self._channel.send(
                SetupFailed(f"The models could not be loaded ({type(error).__name__}: {text[:300]}).")
            )
            return
        self._process = process
        self._channel.send(_ready(models, window))


def load_models(setup: Setup, progress: Callable[[str, int, int], None]) -> Models:
    """The models that a setup names. Raises ModelError."""
    tagger: Tagger | None = None
    vlm: Vlm | None = None
    detector: Detector | None = None
    if setup.tagger != "none":
        from lib_extend.models.model_loading import load_tagger

        tagger = load_tagger(
            setup.tagger,
            device=setup.device,
            offline=setup.offline,
            models_dir=setup.models_dir,
            batch_size=setup.batch_size,
            progress=progress,
        )
    if setup.person_detector != "none":
        from lib_extend.models.model_loading import load_detector

        detector = load_detector(
            setup.person_detector,
            device=setup.device,
            offline=setup.offline,
            models_dir=setup.models_dir,
            batch_size=setup.batch_size,
            threshold=setup.person_threshold,
            progress=progress,
        )
    if setup.vlm != "none":
        from lib_extend.models.vlms.loading import load_vlm

        vlm = load_vlm(
            setup.vlm,
            device=setup.device,
            offline=setup.offline,
            models_dir=setup.models_dir,
            max_pixels=setup.max_pixels,
            vlm_model=setup.vlm_model,
            vram_limit=setup.vram_limit,
            four_bit=setup.vlm_4bit,
            progress=progress,
        )
    return Models(tagger, vlm, detector)


def _questions(setup: Setup) -> tuple[Question, ...]:
    from lib_extend.questions.asking import select
    from lib_extend.questions.question import Kind, Question

    table = []
    for plain in setup.questions:
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
        table.append(Question(**{**fields, "kind": Kind(fields["kind"])}))
    return tuple(select(table, setup.ask))


def _ready(models: Models, window: int) -> Ready:
    tagger, vlm, detector = models.tagger, models.vlm, models.detector
    return Ready(
        tagger_key=tagger.key if tagger else "",
        vlm_key=vlm.key if vlm else "",
        detector_key=detector.key if detector else "",
        threshold=tagger.threshold if tagger else None,
        character_threshold=tagger.character_threshold if tagger else None,
        tag_thresholds=dict(tagger.tag_thresholds) if tagger else {},
        taggers=dict(getattr(tagger, "limits", {})),
        tagger_device=tagger.device if tagger else "",
        vlm_device=vlm.device if vlm else "",
        detector_device=detector.device if detector else "",
        window=window,
        vocabulary=tuple(getattr(tagger, "vocabulary", ())),
    )


def _throttled(channel: Channel) -> Callable[[str, int, int], None]:
    """Progress at most ten times a second, but every beginning and end."""
    last: dict[str, float] = {}

    def progress(what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if what not in last or done >= total > 0 or now - last[what] >= 0.1:
            last[what] = now
            channel.send(Progress(what, done, total))

    return progress


def _packages() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _watch_parent() -> None:
    """Ends the process when its parent is gone, even if another process keeps our input open: a parent
    that forks without exec hands the pipe's other end to its children."""
    if os.name != "posix":
        return
    parent = os.getppid()
    while True:
        time.sleep(PARENT_SECONDS)
        if os.getppid() != parent:
            os._exit(0)
