"""The standalone page in a real browser: a server of its own process, Debian's Chromium, a copy of the samples.

Without Chromium, Playwright or Gradio these tests are skipped and say why; with CI set they fail instead.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import chromium, missing

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
HELD = Path(__file__).with_name("held_worker.py")
WAIT = 400_000
"""Milliseconds for what models do; on a busy machine they take long."""


@dataclass(frozen=True)
class Server:
    """A running `prompt-extend serve`. `data`: where its presets are."""

    address: str
    data: Path
    process: subprocess.Popen[str]


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """`serve(*arguments, **variables)` starts a server; all are ended with the tests."""
    for package in ("gradio", "playwright"):
        if importlib.util.find_spec(package) is None:
            missing(package)
    chromium()
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **variables: str) -> Server:
        data = tmp_path_factory.mktemp("data")
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        environment = {
            **os.environ,
            "PROMPT_EXTEND_DATA": str(data),
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": path,
            **variables,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "lib_extend", "serve", "--no-browser", "--port", "0", *arguments],
            env=environment,
            cwd=data,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, f"the server did not start: {line!r}"
        address = next(word for word in line.split() if word.startswith("http://"))
        threading.Thread(target=process.stdout.read, daemon=True).start()
        return Server(address, data, process)

    yield start
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="session")
def server(serve: Callable[..., Server]) -> Server:
    return serve()


class Gate:
    """How many pictures the worker of the server that is `held` may answer; see `held_worker.py`."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "gate"
        self.python = folder / "python"
        self.open()
        self.python.write_text(f"#!{sys.executable}\n{HELD.read_text(encoding='utf-8')}", encoding="utf-8")
        self.python.chmod(0o755)

    def open(self) -> None:
        """Let all through."""
        self.file.write_text("all", encoding="ascii")

    def let(self, number: int) -> None:
        """Hold what comes after so many pictures of a worker."""
        self.file.write_text(str(number), encoding="ascii")


@pytest.fixture(scope="session")
def held(serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> tuple[Server, Gate]:
    """A server whose jobs go on as far as a test lets them, so that it can act in the middle of one."""
    gate = Gate(tmp_path_factory.mktemp("gate"))
    variables = {"PROMPT_EXTEND_WORKER_PYTHON": str(gate.python), "HELD_WORKER": str(gate.file)}
    return serve(**variables), gate


@pytest.fixture
def gate(held: tuple[Server, Gate]) -> Iterator[Gate]:
    """The gate; it is open again after the test."""
    yield held[1]
    held[1].open()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample pictures."""
    target = tmp_path / "pictures"
    target.mkdir()
    for sample in SAMPLES.iterdir():
        if sample.suffix != ".jsonl":
            shutil.copy(sample, target)
    return target
