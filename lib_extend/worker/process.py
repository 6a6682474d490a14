"""One inference process from its parent's side: start it, send, receive, end it.

Standard library only. Three threads a process (reading, writing, collecting stderr) keep a worker that
hangs, floods or dies from ever blocking the caller. `client.py` decides what to do about a death.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib_extend.errors import WorkerError
from lib_extend.records import Record
from lib_extend.worker.protocol import Broken, Hello, ProtocolError, decode, encode

STDERR_KEPT = 16_384
"""Bytes of the worker's stderr that are kept, the last ones, for the report of a crash."""

_WINDOWS_CRASHES = {
    0xC0000005: "crashed, access violation",
    0xC00000FD: "crashed, stack overflow",
    0xC0000017: "crashed, out of memory",
    0xC0000409: "crashed, buffer overrun or abort",
    0xC000013A: "interrupted",
}


@dataclass(frozen=True)
class Ended:
    """The process is no more; `how` says so in a few words ("killed, signal 9")."""

    how: str


class WorkerProcess:
    """A running worker.

    Raises WorkerError from the constructor when the command cannot be started at all.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        try:
            self._popen = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                # A separate process group: the parent handles Ctrl-C of the terminal, and children of the worker end
                # with it.
                start_new_session=os.name == "posix",
                creationflags=creation_flags(),
            )
        except OSError as error:
            raise WorkerError(
                f"The inference process cannot be started with {command[0]}: {error}."
            ) from error
        self._inbox: queue.Queue[Record | Ended] = queue.Queue()
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stderr = bytearray()
        self._ended: Ended | None = None
        self._hung = ""
        self._threads = [
            threading.Thread(target=job, name=f"worker-{self.pid}-{job.__name__}", daemon=True)
            for job in (self._read, self._write, self._collect)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it runs, as far as is known: a death is noticed when it is received."""
        return self._ended is None and self._popen.poll() is None

    def send(self, message: Record) -> None:
        """Queue a message; never blocks. A message to a dead process is lost, and `receive` reports the death."""
        self._outbox.put(encode(message))

    def receive(self, timeout: float) -> Record | Ended | None:
        """The next message, `Ended` (for ever) after the last, or None after `timeout` seconds."""
        if self._ended is not None:
            return self._ended
        try:
            message = self._inbox.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(message, Ended):
            self._ended = message
        return message

    def kill(self, reason: str = "") -> None:
        """End the process and its children at once. `reason` replaces the signal in `Ended.how`."""
        self._hung = self._hung or reason
        # Checked before each signal, because another process may have the number of an ended one.
        if self._popen.poll() is not None:
            return
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._popen.kill()

    def close(self, timeout: float) -> None:
        """Let the process end (its input ends), for at most `timeout` seconds; then kill it."""
        self._outbox.put(None)
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(2.0)
        for thread in self._threads:
            thread.join(1.0)

    def last_words(self, lines: int = 12) -> str:
        """The last lines of its stderr."""
        text = bytes(self._stderr).decode("utf-8", "replace").strip()
        return "\n".join(text.splitlines()[-lines:])

    # --- threads

    def _read(self) -> None:
        stdout = self._popen.stdout
        assert stdout is not None
        greeted = False
        with contextlib.suppress(OSError, ValueError), stdout:
            for line in stdout:
                if not line.endswith(b"\n"):
                    break  # cut off because the process died while it wrote
                if not greeted and not line.startswith(b'{"type":'):
                    self._keep(line)  # python's start-up files may print before our code runs
                    continue
                try:
                    message = decode(line)
                except ProtocolError as error:
                    message = Broken(str(error))
                greeted = greeted or isinstance(message, Hello)
                self._inbox.put(message)
        self._inbox.put(Ended(self._how()))

    def _write(self) -> None:
        stdin = self._popen.stdin
        assert stdin is not None
        with contextlib.suppress(OSError, ValueError), stdin:
            while (line := self._outbox.get()) is not None:
                stdin.write(line)
                if self._outbox.empty():
                    stdin.flush()

    def _collect(self) -> None:
        stderr = self._popen.stderr
        assert stderr is not None
        with contextlib.suppress(OSError, ValueError), stderr:
            while chunk := os.read(stderr.fileno(), 4096):
                self._keep(chunk)

    def _keep(self, chunk: bytes) -> None:
        self._stderr += chunk
        del self._stderr[:-STDERR_KEPT]

    def _how(self) -> str:
        """Waits for the end (its output has ended already) and describes it."""
        deadline = time.monotonic() + 5.0
        while self._popen.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if self._popen.poll() is None:
            self.kill("it closed its output but went on")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(5.0)
        self._outbox.put(None)
        return self._hung or describe_exit(self._popen.poll() or 0)


def describe_exit(code: int) -> str:
    """An exit status in a few words. Negative: a signal (POSIX); large: an NTSTATUS (Windows)."""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = ""
        if name == "SIGKILL":
            return f"killed, signal {-code}"
        return f"crashed, {name or 'signal'} {-code}" if name else f"signal {-code}"
    if code & 0xFFFFFFFF in _WINDOWS_CRASHES:
        return _WINDOWS_CRASHES[code & 0xFFFFFFFF]
    return f"exit status {code}"


def creation_flags() -> int:
    """What `Popen` needs on Windows for a process of its own, without a console window."""
    if os.name != "nt":
        return 0
    # Looked up by name: other systems' `subprocess` has no such attributes.
    return int(getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)) | int(
        getattr(subprocess, "CREATE_NO_WINDOW", 0)
    )
