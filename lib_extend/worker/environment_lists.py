"""Exact versions of what the worker's environment installs, each with the hashes of its files.

One list for each generation of torch (what runs on it) and each build of onnxruntime, all for Python 3.10 to 3.13: the
entries say by markers for which. Where there is no list (another system, a newer Python, a torch of one's own) the
ranges of `environment_needs` are left to pip.

The lists are made by `python -m lib_extend.worker.environment_lists_making`.
"""

from __future__ import annotations

import functools
import json
import platform
import re
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.worker.environment_probe import Host
from lib_extend.worker.environment_versions import parse

LISTS = Path(__file__).with_name("environment_lists.json")

GENERATIONS = ((2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (2, 6))
"""The first torch of each: newer ones run newer transformers, and from 2.3 on NumPy 2."""

PYTHONS = ((3, 10), (3, 13))
"""The first and the last that the lists are for."""

MACHINES = frozenset({"x86_64", "amd64"})

HOSTS_OWN = frozenset({"torch", "torchvision", "numpy", "pillow"})
"""Packages of the WebUI that are kept where they are new enough."""

ANY_VERSION = frozenset({"mpmath", "sympy"})
"""Large packages of which whatever the WebUI has will do; NVIDIA's libraries likewise, within a major version."""

NVIDIA = "nvidia-"


MEGABYTES = {
    "transformers": 130, "onnxruntime": 80, "onnxruntime-directml": 80, "onnxruntime-gpu": 700, "numpy": 78, "sympy": 75,
    "mpmath": 5, "pillow": 23, "pillow-avif-plugin": 13, "tokenizers": 12, "hf-xet": 11, "pygments": 10,
    "huggingface-hub": 8, "pydantic-core": 5, "nvidia-cublas": 700, "nvidia-cudnn": 750, "nvidia-cufft": 250,
    "nvidia-curand": 110, "nvidia-cuda-nvrtc": 50, "nvidia-nvjitlink": 40,
}  # fmt: skip
"""What the larger packages take on the disk, measured with their compiled files; the others about 2 each."""

VENV_MEGABYTES = 25
"""A venv with its pip."""

_PYTHON = re.compile(r"python_(?:full_)?version (<|>=|==) '(\d+)\.(\d+)")


@dataclass(frozen=True)
class Pinned:
    """One package: its exact version, for which pythons and systems ("" for all), and the hashes of its files."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def exact(self) -> str:
        """In pip's form."""
        return f"{self.name}=={self.version}"

    def applies(self, python: tuple[int, int]) -> bool:
        """Whether the marker takes in a version of Python; what it says of systems is not looked at."""
        for sign, major, minor in _PYTHON.findall(self.marker):
            other = (int(major), int(minor))
            if not {"<": python < other, ">=": python >= other, "==": python == other}[sign]:
                return False
        return True

    def line(self) -> str:
        """A line of a requirements file."""
        marker = f" ; {self.marker}" if self.marker else ""
        return self.exact + marker + "".join(f" --hash=sha256:{h}" for h in self.hashes)


def generation(torch: str) -> str:
    """The generation that a version of torch belongs to, "" for one that is too old."""
    return next((f"{a}.{b}" for a, b in reversed(GENERATIONS) if parse(torch) >= (a, b)), "")


def key(torch: str, runtime: str) -> str:
    """The name of a list."""
    return f"torch {torch}, {runtime}"


def find(host: Host, runtime: str, needed: Collection[str]) -> tuple[Pinned, ...]:
    """What to install beside `host`'s packages; () where there is no list for it.

    Args:
        runtime: the build of onnxruntime: "cpu", "cuda12", "cuda13" or "directml".
        needed: the names that `environment_needs` asks for.
    """
    if sys.platform not in ("linux", "win32") or platform.machine().lower() not in MACHINES:
        return ()
    if not PYTHONS[0] <= host.minor <= PYTHONS[1] or "torch" in needed:
        return ()
    found = read(LISTS).get(key(generation(host.packages.get("torch", "")), runtime), ())
    return tuple(one for one in found if not _there(one, host, needed))


def _there(one: Pinned, host: Host, needed: Collection[str]) -> bool:
    """Whether the WebUI's own package is kept."""
    have = host.packages.get(one.name, "")
    if not have or one.name in needed:
        return False
    if one.name.startswith(NVIDIA):
        return parse(have)[:1] == parse(one.version)[:1]
    return one.name in HOSTS_OWN or one.name in ANY_VERSION


def size(pinned: Iterable[Pinned], python: tuple[int, int]) -> int:
    """About how many bytes an environment with these takes on the disk."""
    sizes = {p.name: _megabytes(p.name) for p in pinned if p.applies(python)}
    return (VENV_MEGABYTES + sum(sizes.values())) * 1_000_000


def _megabytes(name: str) -> int:
    return MEGABYTES.get(re.sub(r"-cu\d+$", "", name), 2)


@functools.lru_cache(maxsize=4)
def read(file: Path) -> dict[str, tuple[Pinned, ...]]:
    """The lists of a file by their names; none where it cannot be read."""
    try:
        data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        files = data["files"]
        return {name: tuple(_pinned(row, files) for row in rows) for name, rows in data["lists"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _pinned(row: str, files: dict[str, list[str]]) -> Pinned:
    exact, _, marker = row.partition(" ; ")
    name, _, version = exact.partition("==")
    return Pinned(name, version, marker, tuple(files[exact]))


def names() -> tuple[str, ...]:
    """The packages a python is asked about because of the lists: those of which its own may be kept."""
    found = {p.name for some in read(LISTS).values() for p in some}
    return tuple(sorted(n for n in found if n.startswith(NVIDIA) or n in ANY_VERSION))
