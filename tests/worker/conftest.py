"""A folder of pictures that give orders to the test worker, and clients of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extend.worker.client import WorkerClient
from lib_extend.worker.kinds import analyse_picture
from lib_extend.worker.protocol import Setup, Task

PROGRAM = str(Path(__file__).with_name("process.py"))
ORDERS = ("", "slow", "crash", "once", "segfault", "hang", "fail", "noise")


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Task]:
    """Makes a picture that carries an order, and the task to analyse it."""

    def make(name: str, order: str = "", **changes: Any) -> Task:
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (24, 18), (ORDERS.index(order), 0, 0)).save(path)
        return analyse_picture.task(name, str(path), **changes)

    return make


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[..., WorkerClient]]:
    """Makes clients of the test worker; keywords in capitals are environment variables."""
    made = []

    def make(**options: Any) -> WorkerClient:
        env = {**os.environ, "TEST_ONCE": str(tmp_path / "once")}
        env.update({k: str(options.pop(k)) for k in list(options) if k.isupper()})
        one = WorkerClient([sys.executable, PROGRAM], env=env, **options)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close(0.0)


@pytest.fixture
def setup() -> Setup:
    return Setup(tagger="test", threads=2)
