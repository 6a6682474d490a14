"""The models' environment made, repaired or removed in a thread that the page follows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from lib_extend.errors import ConflictError
from lib_extend.services import messages
from lib_extend.services.bug_reports import sentence_of
from lib_extend.services.event_log import EventLog
from lib_extend.worker import environment
from lib_extend.worker.environment import EnvironmentStatus
from lib_extend.worker.environment_pip import OnProgress

Work = Callable[[OnProgress | None, threading.Event | None], Any]


class Maker(Protocol):
    """What is needed of `worker.environment`."""

    def status(self) -> EnvironmentStatus: ...

    def plan(self) -> environment.Plan: ...

    def make(self, progress: OnProgress | None, stop: threading.Event | None) -> EnvironmentStatus: ...

    def repair(self, progress: OnProgress | None, stop: threading.Event | None) -> EnvironmentStatus: ...

    def remove(self) -> None: ...


class EnvironmentTask:
    """One change of the environment at a time.

    Args:
        maker: `worker.environment`. before: called before anything is changed; it must end every use of the environment.
    """

    def __init__(
        self,
        maker: Maker = environment,
        before: Callable[[], None] = lambda: None,  # type: ignore[assignment]
    ) -> None:
        self._maker = maker
        self._before = before
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._action = ""
        self._number = 0
        self.log = EventLog()
        self.log.close()

    def state(self) -> dict[str, Any]:
        """`ready`, `python`, `path`, `packages`, `bytes`, `problem`; `doing` ("" or the action under way), and what
        making it would take: `needs` (bytes), only while it is not ready."""
        status = self._maker.status()
        needs = None
        if not status.ready:
            try:
                needs = self._maker.plan().bytes
            except Exception as error:  # noqa: BLE001 - it is an estimate; `make` says what is wrong
                sentence_of(error)
        return {
            "ready": status.ready,
            "python": status.python,
            "path": status.path,
            "packages": dict(status.packages),
            "bytes": status.bytes,
            "problem": status.problem,
            "needs": needs,
            "doing": self._action,
        }

    def act(self, action: str) -> str:
        """Begin to make, repair or remove, or stop what is under way; returns the task's name.

        Raises UserError (unknown action) or ConflictError (something is under way, or nothing is).
        """
        if action == "stop":
            if not self._action:
                raise messages.ENVIRONMENT_IDLE.error(ConflictError)
            self._stop.set()
            return str(self._number)
        work: dict[str, Work] = {
            "make": self._maker.make,
            "repair": self._maker.repair,
            "remove": lambda progress, stop: self._maker.remove(),
        }
        if action not in work:
            choices = ", ".join([*work, "stop"])
            raise messages.ONE_OF.error(name="action", value=action, choices=choices, field="action")
        with self._lock:
            if self._action:
                raise messages.ENVIRONMENT_BUSY.error(ConflictError)
            self._action = action
            self._number += 1
            self._stop, self.log = threading.Event(), EventLog()
            task = (work[action], self.log, self._stop)
        threading.Thread(target=self._work, args=task, name="prompt-extend-environment", daemon=True).start()
        return str(self._number)

    def _work(self, work: Work, log: EventLog, stop: threading.Event) -> None:
        said = ""

        def progress(line: str, done: int, total: int) -> None:
            nonlocal said
            log.append({"event": "line", "line": line, "done": done, "total": total}, replace=line == said)
            said = line

        error = ""
        try:
            self._before()
            work(progress, stop)
        except BaseException as e:  # noqa: BLE001 - it must reach whoever follows
            error = sentence_of(e)
        finally:
            self._action = ""
            log.append({"event": "finished", "error": error, "stopped": stop.is_set()})
            log.close()
