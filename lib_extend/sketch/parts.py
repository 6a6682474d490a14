"""Training pictures drawn in parts and kept on disk, so that a second training does not draw them again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def cached(
    folder: Path, stem: str, names: Sequence[str], draw: Callable[[], Sequence[Array]]
) -> tuple[Array, ...]:
    """The arrays of one part, memory-mapped, from `<stem>-<name>.npy`; drawn first where one is not there yet.

    A file is there whole or not at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{stem}-{name}.npy" for name in names]
    if not all(path.exists() for path in paths):
        for path, array in zip(paths, draw(), strict=True):
            half_done = path.with_suffix(f".{os.getpid()}.tmp")
            with half_done.open("wb") as f:
                np.save(f, array, allow_pickle=False)
            half_done.replace(path)
    return tuple(np.load(path, mmap_mode="r", allow_pickle=False) for path in paths)
