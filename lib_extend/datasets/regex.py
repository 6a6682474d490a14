"""Regular expressions that cannot hang the WebUI.

Python's `re` holds the interpreter while it matches, and some patterns (`(a+)+b`) never end. So they run in a small
process of their own (`regex_process.py`) that is ended when it takes too long.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lib_extend.datasets.filter_parsing import checked_regex
from lib_extend.datasets.regex_process import PATIENCE
from lib_extend.errors import UserError
from lib_extend.worker.process import creation_flags

SECONDS = 4.0
"""The processor's time an expression may take; an ordinary one is through 100,000 captions in about one."""
SYNC_SECONDS = 60.0
IDLE_SECONDS = 120.0
LONGEST_REPLACEMENT = 1000
_BATCH = 2000


class Regexes:
    """The regular expressions of one dataset: their process is started when needed, and ended when idle.

    Safe in threads; one expression at a time.
    """

    def __init__(self, *, seconds: float = SECONDS, idle_seconds: float = IDLE_SECONDS) -> None:
        self._seconds = seconds
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._there: list[str] = []
        self._idle: threading.Timer | None = None

    def search(self, pattern: str, texts: Sequence[str], among: int) -> int:
        """Bits of the `texts` in which `pattern` is found, of those whose bit is set in `among`.

        Without regard to case. Only texts that are asked for and that the process does not have yet travel to it.

        Raises:
            UserError: it is no regular expression, or takes too long.
        """
        checked_regex(pattern)
        with self._lock:
            self._sync(texts, among)
            answer = self._ask({"search": pattern, "among": f"{among:x}"}, pattern)
        return int(answer["found"], 16)

    def replace(self, pattern: str, by: str, texts: Sequence[str], *, whole: bool = False) -> list[str]:
        r"""The `texts` with every match replaced by `by` (`\1` stands for a group), without regard to case.

        `whole`: a text changes only where all of it matches.

        Raises:
            UserError: it is no regular expression, takes too long, or `by` names a group that is not there.
        """
        checked_regex(pattern)
        if len(by) > LONGEST_REPLACEMENT:
            raise UserError(f"The new text has at most {LONGEST_REPLACEMENT} characters.")
        result: list[str] = []
        with self._lock:
            self._start()
            for start in range(0, len(texts), _BATCH):
                batch = list(texts[start : start + _BATCH])
                answer = self._ask({"replace": pattern, "by": by, "whole": whole, "in": batch}, pattern)
                result += answer["texts"]
        return result

    def close(self) -> None:
        """End the process; the next expression starts another."""
        with self._lock:
            self._end()

    # with the lock held

    def _sync(self, texts: Sequence[str], among: int) -> None:
        self._start()
        there = self._there
        there += [""] * (len(texts) - len(there))
        # nearly all are the very same strings as last time
        asked = f"{among:b}"[::-1]
        changed = [
            (i, t)
            for i, (wanted, t, old) in enumerate(zip(asked, texts, there))  # noqa: B905
            if wanted == "1" and t is not old
        ]
        try:
            with self._watched(SYNC_SECONDS):
                for start in range(0, len(changed), _BATCH):
                    batch = changed[start : start + _BATCH]
                    self._send({"texts": batch})
                    for i, text in batch:
                        there[i] = text
        except OSError:
            self._end()
            raise UserError("The process of the regular expressions ended: try again.") from None

    def _ask(self, message: dict[str, Any], pattern: str) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        try:
            # it ends itself before that
            with self._watched(self._seconds * PATIENCE * 2):
                self._send({**message, "seconds": self._seconds})
                line = self._process.stdout.readline()
            if not line.endswith(b"\n"):
                raise BrokenPipeError
        except OSError:
            self._end()
            raise UserError(
                f"/{pattern}/ takes too long: leave out repetitions within repetitions, such as (a+)+."
            ) from None
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise UserError(f"/{pattern}/ cannot be used: {answer['error']}.")
        return answer

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode("ascii") + b"\n")
        self._process.stdin.flush()

    @contextlib.contextmanager
    def _watched(self, seconds: float) -> Iterator[None]:
        """End the process when the body takes longer: reading and writing then end too."""
        assert self._process is not None
        watch = threading.Timer(seconds, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def _start(self) -> None:
        """Have a process that runs, and ends itself after a while without anything to do."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(Path(__file__).with_name("regex_process.py"))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    creationflags=creation_flags(),
                )
            except OSError as e:
                raise UserError(
                    f"Regular expressions cannot run here: {sys.executable} does not start ({e.strerror})."
                ) from None
        if self._idle is not None:
            self._idle.cancel()
        self._idle = threading.Timer(self._idle_seconds, self.close)
        self._idle.daemon = True
        self._idle.start()

    def _end(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._there = []
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()
