"""A real worker process with small models, started by the tests as `python tests/worker/process.py`.

Only the loading of models is replaced. What a model does is told by the picture's file name:
`slow` takes ten seconds in the tagger, `crash` kills the process each time, `once` the first time only,
`segfault` crashes by a bad address, `hang` never returns, `fail` raises. Environment:
`TEST_NOISE` prints to every output there is, `TEST_DELAY` is the seconds a picture takes, `TEST_START=die`
ends before the models are loaded, `TEST_START=unknown` fails like a wrong model name.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib_extend.errors import ModelError
from lib_extend.records import Category, Prompt, Reply, Tag
from lib_extend.worker.protocol import Setup
from lib_extend.worker.serving_process import Models, main

ONCE = os.environ.get("TEST_ONCE", "")


class Tagger:
    """A tagger whose input is a picture's first pixel: red is an order, 0 for none."""

    key, side, batch, device = "test-tagger", 16, 4, "CPU"
    threshold, character_threshold = 0.35, 0.85
    tag_thresholds: dict[str, float] = {"cake": 0.4}  # noqa: RUF012
    vocabulary = ("cake", "safe")

    def prepare(self, image: Image.Image) -> np.ndarray[Any, Any]:
        return np.asarray(image.convert("RGB").resize((16, 16), Image.Resampling.NEAREST))

    def tag(self, batch: Sequence[np.ndarray[Any, Any]], floor: float) -> list[list[Tag]]:
        time.sleep(float(os.environ.get("TEST_DELAY", "0")) * len(batch))
        for one in batch:
            obey(int(one[0, 0, 0]))
        return [[Tag("cake", Category.GENERAL, 0.9), Tag("safe", Category.RATING, 0.8)] for _ in batch]

    def close(self) -> None: ...


class Look:
    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        return [Reply(p.choices[0][0] if p.choices else "3") for p in prompts]

    def close(self) -> None: ...


class Vlm:
    key, pixels, device, parallel = "test-vlm", 65536, "CPU", 1

    def look(self, image: Image.Image) -> Look:
        return Look()

    def close(self) -> None: ...


ORDERS = ("", "slow", "crash", "once", "segfault", "hang", "fail", "noise")


def obey(order: int) -> None:
    name = ORDERS[order] if order < len(ORDERS) else ""
    if name == "slow":
        time.sleep(10)
    elif name == "hang":
        time.sleep(3600)
    elif name == "fail":
        raise RuntimeError("the model does not like this one")
    elif name == "crash" or (name == "once" and not Path(ONCE).exists()):
        if name == "once":
            Path(ONCE).touch()
        os.kill(os.getpid(), signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    elif name == "segfault":
        ctypes.string_at(0)
    elif name == "noise":
        noise()


def noise() -> None:
    """All the ways a library or its children can print, and read."""
    print("a library prints", flush=True)
    sys.stdout.write(
        '{"type":"Done","id":"1","kind":"analyse_picture","payload":{"width":1,"height":1,"parts":{}}}\n'
    )
    sys.stdout.flush()
    os.write(1, b"straight to descriptor one\n")
    subprocess.run([sys.executable, "-c", "import sys; print('a child', len(sys.stdin.read()))"], check=True)


def load(setup: Setup, progress: Callable[[str, int, int], None]) -> Models:
    start = os.environ.get("TEST_START", "")
    if start == "die":
        print("the driver is missing", file=sys.stderr, flush=True)
        os._exit(3)
    if start == "unknown" or setup.tagger == "unknown":
        raise ModelError("There is no tagger called 'unknown': see `prompt-extend models`.")
    if start == "bug":
        raise KeyError("config.json")
    if os.environ.get("TEST_NOISE"):
        noise()
    progress("weights", 0, 10)
    progress("weights", 10, 10)
    return Models(
        Tagger() if setup.tagger != "none" else None,  # type: ignore[arg-type]
        Vlm() if setup.vlm != "none" else None,
    )


if __name__ == "__main__":
    raise SystemExit(main(load))
