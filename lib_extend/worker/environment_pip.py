"""Run pip (and venv) for the worker's environment: follow its lines, and end it at once on request.

pip's output is kept in a log; the user reads one sentence that says what to do.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lib_extend.errors import Stopped, StorageError, UserError
from lib_extend.worker.process import creation_flags

OnProgress = Callable[[str, int, int], None]
"""Called as `on_progress(line, done_bytes, total_bytes)`; total 0 when unknown."""

KEPT_LINES = 200
_POLL = 0.1  # seconds until a stop is noticed
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


class Command:
    """One command whose lines are handed on as they come.

    Args:
        log: file its output is appended to.
        stop: ends the command (its whole process tree) as soon as it is set.

    Attributes:
        log: the file.
        lines: the last lines of its output.
    """

    def __init__(self, log: Path, stop: threading.Event) -> None:
        self.log, self._stop = log, stop
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)

    def run(
        self, command: Sequence[str], env: Mapping[str, str], on_line: Callable[[str], None] | None = None
    ) -> int:
        """Run to the end; returns the exit code.

        Raises Stopped when `stop` is set, OSError when it cannot be started.
        """
        self.lines.clear()
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            start_new_session=os.name == "posix",
            creationflags=creation_flags(),
        )
        said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process, said), daemon=True)
        reader.start()
        try:
            with self.log.open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.write("$ " + " ".join(command).partition("\n")[0] + "\n")
                while True:
                    if self._stop.is_set():
                        raise Stopped("The installation was stopped.")
                    try:
                        line = said.get(timeout=_POLL)
                    except queue.Empty:
                        continue
                    if line is None:
                        return process.wait()  # returns at once, because the output has ended
                    if not line.startswith("Progress "):
                        log.write(line + "\n")
                        self.lines.append(line)
                    if on_line is not None:
                        on_line(line)
        finally:
            if process.poll() is None:
                kill_tree(process)
            reader.join(1.0)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children, and wait for their end."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        with contextlib.suppress(OSError):
            subprocess.run(
                ["taskkill", "/PID", str(process.pid), "/T", "/F"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                creationflags=creation_flags(),
            )
    with contextlib.suppress(OSError):
        process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5.0)


def _read(process: subprocess.Popen[bytes], said: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError), process.stdout:
        for line in process.stdout:
            said.put(line.decode("utf-8", "replace").rstrip())
    process.wait()
    said.put(None)


class Downloads:
    """The progress in pip's lines: bytes fetched so far, a short line for the user.

    Args:
        total: bytes expected in all; grows with what turns out to be more.
    """

    def __init__(self, on_progress: OnProgress | None, total: int) -> None:
        self._on_progress, self._total = on_progress, total
        self._done = self._current = 0
        self._words = ""
        self._shown = 0.0

    def say(self, words: str) -> None:
        """Hand a line to the user."""
        self._words = words
        if self._on_progress is not None:
            self._total = max(self._total, self._done)
            self._on_progress(words, self._done, self._total)

    def line(self, line: str) -> None:
        """One line of pip's output."""
        text = line.strip()
        moved = re.match(r"Progress (\d+) of (\d+)$", text)
        if moved:
            self._done += int(moved[1]) - self._current
            self._current = int(moved[1])
            now = time.monotonic()
            if now - self._shown > 0.2:
                self._shown = now
                self.say(self._words)
            return
        found = re.match(r"(Downloading|Using cached) (\S+?)(?: \(([\d.]+) ([kMG]?)B\))?$", text)
        if found:
            name = found[2].rpartition("/")[2]
            if name.endswith(".metadata"):
                return
            self._current = 0
            size = int(float(found[3]) * _UNITS[found[4].lower()]) if found[3] else 0
            self.say(f"{found[1]} {_package(name)}" + (f" ({found[3]} {found[4]}B)" if size else ""))
            # Without "Progress" lines the size announced counts when the next package begins.
            self._done += size
            self._current = size
        elif text.startswith("Installing collected packages"):
            self.say("Installing " + text.partition(":")[2].strip())
        elif text.startswith("Collecting "):
            self.say("Looking up " + text.split()[1])


def _package(file: str) -> str:
    """The name and version in a wheel's file name."""
    return " ".join(file.split("-")[:2])


def variables(base: Mapping[str, str]) -> dict[str, str]:
    """`base` (environment variables) without variables that make pip install into another place.

    A user's index, proxy and certificates stay; so does A1111's own INDEX_URL.
    """
    env = {k: v for k, v in base.items() if k not in _ASIDE}
    env.update(PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0", PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")
    if env.get("INDEX_URL") and not env.get("PIP_INDEX_URL"):
        env["PIP_INDEX_URL"] = env["INDEX_URL"]
    return env


_ASIDE = {
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"),
    *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_NO_DEPS", "PIP_CONSTRAINT", "PIP_REQUIREMENT"),
}

_CAUSES: tuple[tuple[str, type[StorageError] | type[UserError], str, str], ...] = (
    (r"No space left on device|Errno 28|not enough space", StorageError, "disk_full", "the disk is full: free some space"),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError|SSL: ", UserError, "certificate", "the package index's certificate was not accepted: look at "
     "the proxy or PIP_CERT"),
    (r"(407|Proxy Authentication|ProxyError)", UserError, "proxy", "the proxy refused: look at HTTPS_PROXY"),
    (r"NewConnectionError|NameResolutionError|name resolution|getaddrinfo|ConnectTimeoutError|Connection refused"
     r"|Network is unreachable|ReadTimeoutError|Read timed out|Connection reset|ConnectionError|Retrying \(",
     UserError, "network", "the package index cannot be reached: connect to the network, or set PIP_INDEX_URL to one that can be"),
    (r"Permission denied|Errno 13|Access is denied|WinError 5\b", UserError, "not_writable", "a file cannot be written: end other programs "
     "that use the folder, or choose another one with PROMPT_EXTEND_DATA"),
    (r"Errno 2\b.*site-packages|enable-long-paths|File name too long|Errno 36", UserError, "path_too_long", "the folder's path is too long: "
     "choose a shorter one with PROMPT_EXTEND_DATA"),
    (r"No module named pip", UserError, "no_pip", "this python has no pip: run `python -m ensurepip` with it"),
    (r"DO NOT MATCH THE HASHES|HashMismatch|Hashes are required", UserError, "hashes", "the package index gives other files than those that "
     "were tried: unset PIP_INDEX_URL, or name one that has the packages unchanged"),
    (r"No matching distribution|Could not find a version|ResolutionImpossible", UserError, "no_version", "the package index has no fitting "
     "version for this python: look whether PIP_INDEX_URL is a complete index"),
)  # fmt: skip


def failure(lines: Sequence[str], log: Path) -> UserError | StorageError:
    """The error for a pip that failed, from its last lines."""
    text = "\n".join(lines)
    for pattern, kind, code, mend in _CAUSES:
        if re.search(pattern, text):
            sentence = f"The models' environment could not be made, because {mend}; then make it again."
            return kind(sentence, code=code)
    last = next((s.strip() for s in reversed(lines) if "ERROR" in s), "") or (lines[-1] if lines else "")
    return UserError(
        f"The models' environment could not be made ({last[:200]}): look at {log}, then make it again."
    )
