"""Real model servers as processes, holding the sketch vision-language model.

They are no dependencies: a test that wants one is skipped where there is none.

    PROMPT_EXTEND_LLAMA_SERVER   llama.cpp's `llama-server`, else the one on PATH
    PROMPT_EXTEND_TRANSFORMERS   the `transformers` command of an environment with `transformers[serving]`
                                 and torchvision
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from lib_extend.sketch import vlm_questions

SKETCH = Path(vlm_questions.__file__).parent / "weights" / "vlm"

START_SECONDS = 200.0


@dataclass(frozen=True)
class Running:
    """A server that answers: its API's address, its process, and the file it writes its messages to."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


def llama_server() -> str:
    """The binary; skips the test where there is none."""
    found = os.environ.get("PROMPT_EXTEND_LLAMA_SERVER") or shutil.which("llama-server")
    if not found:
        pytest.skip("no llama-server: set PROMPT_EXTEND_LLAMA_SERVER to llama.cpp's")
    return found


def transformers_command() -> str:
    """The command; skips the test where none is named."""
    found = os.environ.get("PROMPT_EXTEND_TRANSFORMERS")
    if not found:
        pytest.skip(
            "no server: set PROMPT_EXTEND_TRANSFORMERS to the transformers command of an environment with "
            "transformers[serving] and torchvision"
        )
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str], folder: Path, environment: dict[str, str] | None = None
) -> Iterator[Running]:
    """Starts a server by `command`, to which the port is added, and ends it afterwards.

    Where it does not come up the test fails with the last it said.
    """
    port = free_port()
    log = folder / f"server-{port}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", log)
        yield Running(f"http://127.0.0.1:{port}/v1", process, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail(f"the server did not come up:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
