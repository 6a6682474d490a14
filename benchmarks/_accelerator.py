"""An emulated accelerator: a real tagger over a session that only sleeps, alone or in a worker's process.

python -m benchmarks._accelerator TAGS      (spoken to over its standard input and output)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from lib_extend.models.files import ModelFiles
from lib_extend.models.images import pad_square
from lib_extend.models.runtime import Session
from lib_extend.models.taggers.base import OnnxTagger, Opened, Options
from lib_extend.models.taggers.labels import make
from lib_extend.records import Category
from lib_extend.worker.protocol import Setup
from lib_extend.worker.serving_process import Models
from lib_extend.worker.serving_process import main as serve

SIDE = 448
BATCH = 8
SECONDS_AN_IMAGE, SECONDS_A_CALL = 0.0015, 0.003
LABELS = 10_000
SURE = 40
"""Tags of a picture that are above the tagger's threshold."""
RATINGS = ("general", "sensitive", "questionable", "explicit")
WORDS = "long short red blue open closed black white small large high low wet torn round striped".split()
THINGS = "hair eyes dress skirt hat shirt ribbon gloves shoes sleeves wings tail flower sky bag sword".split()

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Output:
    name: str = "scores"
    shape: tuple[int | None, ...] = (None, LABELS)


class _Session:
    """Sleeps as long as a fast graphics card works, and answers with scores that were made before."""

    device, batch, dtype = "emulated", BATCH, np.dtype(np.float32)
    outputs = (_Output(),)

    def __init__(self, tags: int) -> None:
        rng = np.random.default_rng(tags)
        self._scores = np.zeros((64, LABELS), np.float32)
        for row in self._scores:
            row[: len(RATINGS)] = rng.dirichlet(np.ones(len(RATINGS)))
            named = len(RATINGS) + rng.choice(LABELS - len(RATINGS), tags, replace=False)
            row[named] = rng.uniform(0.05, 0.3, tags)
            row[named[:SURE]] = rng.uniform(0.4, 1.0, min(SURE, tags))
        self._next = 0

    def image_shape(self) -> tuple[int, ...]:
        return (SIDE, SIDE, 3)

    def run(self, inputs: Array, output: str | None = None) -> Array:
        time.sleep(SECONDS_A_CALL + SECONDS_AN_IMAGE * len(inputs))
        rows = [(self._next + i) % len(self._scores) for i in range(len(inputs))]
        self._next = (rows[-1] + 1) % len(self._scores)
        return self._scores[rows]

    def close(self) -> None: ...


def emulated_tagger(tags: int) -> OnnxTagger:
    """A tagger in WD's layout that names `tags` tags above the score floor in each picture, `SURE` of them surely."""
    names = [(name, Category.RATING) for name in RATINGS]
    for i in range(LABELS - len(names)):
        word, thing = WORDS[i % len(WORDS)], THINGS[i // len(WORDS) % len(THINGS)]
        names.append((f"{word}_{thing}_{i}", Category.CHARACTER if i % 20 == 19 else Category.GENERAL))
    opened = Opened(cast("ModelFiles", None), cast("Session", _Session(tags)), f"emulated-{tags}", Options())

    def prepare(image: Any) -> Array:
        return np.asarray(pad_square(image, SIDE))[:, :, ::-1]

    return OnnxTagger(opened, make("labels", names), prepare, side=SIDE, general=0.35, character=0.35)


def load(setup: Setup, progress: Callable[[str, int, int], None]) -> Models:
    """The models of the worker: the emulated tagger, whatever is asked for."""
    return Models(emulated_tagger(int(sys.argv[1])), None)


if __name__ == "__main__":
    raise SystemExit(serve(load))
