"""Which packages the inference process needs, and which of them a WebUI's python lacks.

The lowest versions are those of `pyproject.toml`. The highest follow the torch that is there, because torch
is by far the largest package and stays the WebUI's: newer versions of transformers do not load on an older
torch, and onnxruntime-gpu is built for one CUDA version only.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from lib_extend.worker.environment_probe import Host


@dataclass(frozen=True)
class Requirement:
    """A package: its name, the lowest version, and about how many megabytes it takes with what it brings."""

    name: str
    low: str
    megabytes: int


REQUIRED = (
    Requirement("filelock", "3.12", 1),
    Requirement("httpx", "0.24", 3),
    Requirement("huggingface-hub", "0.26", 20),
    Requirement("numpy", "1.26", 70),
    Requirement("onnxruntime", "1.17", 70),
    Requirement("pillow", "9.5", 20),
    Requirement("pillow-avif-plugin", "1.4", 15),
    Requirement("safetensors", "0.4", 2),
    Requirement("tomlkit", "0.12", 1),
    Requirement("torch", "2.1", 3000),
    Requirement("tqdm", "4.66", 1),
    Requirement("transformers", "4.49", 110),
)

RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml")
"""Distributions of the same module."""

NAMES = (*(r.name for r in REQUIRED if r.name != "onnxruntime"), *RUNTIMES, "torch-directml", "torchvision")
"""What a python is asked about."""

GPU_MEGABYTES, CUDA_MEGABYTES = 700, 1900


@dataclass(frozen=True)
class Need:
    """Something to install: the requirement in pip's form, and about how many bytes it takes on the disk."""

    requirement: str
    bytes: int


def parse(version: str) -> tuple[int, ...]:
    """The numbers a version begins with: "2.1.2+cu121" → (2, 1, 2)."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(n) for n in found[0].split(".")) if found else ()


def older(version: str, than: str) -> bool:
    return parse(version) < parse(than)


def missing(host: Host) -> list[str]:
    """What keeps the inference process from running in `host` as it is, in words; empty when nothing does."""
    words = []
    for r in REQUIRED:
        have = _have(host, r.name)
        if not have:
            words.append(f"{r.name} is missing")
        elif older(have, r.low):
            words.append(f"{r.name} {have} is older than {r.low}")
    return words


def needs(host: Host, system: str = sys.platform) -> list[Need]:
    """What to install beside `host`'s packages, chosen for its torch and its graphics card."""
    wanted = []
    for r in REQUIRED:
        if r.name == "onnxruntime":
            wanted += _runtime(host, r, system)
            continue
        have = host.packages.get(r.name, "")
        if not have or older(have, r.low):
            wanted.append(Need(f"{r.name}>={r.low}{_below(r.name, host)}", r.megabytes * 1_000_000))
    return wanted


def constraints(host: Host) -> list[str]:
    """Lines for pip that keep the host's own torch, and the numpy and Pillow it was built against."""
    lines = []
    for r in REQUIRED:
        have = host.packages.get(r.name, "")
        if r.name in ("torch", "numpy", "pillow") and have and not older(have, r.low):
            lines.append(f"{r.name}=={have}")
    if "torchvision" in host.packages and "torch" in host.packages:
        lines.append(f"torchvision=={host.packages['torchvision']}")
    return lines


def _have(host: Host, name: str) -> str:
    """The installed version, of any of onnxruntime's distributions where that is asked for."""
    names = RUNTIMES if name == "onnxruntime" else (name,)
    return max((host.packages[n] for n in names if n in host.packages), key=parse, default="")


def _below(name: str, host: Host) -> str:
    """The upper end, ",<…", that the host's torch asks for; "" for none.

    transformers 4.49 to 4.55 were seen running on torch 2.1.2, and 4.56 failing at import; the later bounds are
    transformers' own.
    """
    torch = parse(host.packages.get("torch", ""))
    if not torch or torch < (2, 1):  # a newer one is going to be installed
        return ""
    if name == "transformers":
        for version, below in (((2, 2), "4.56"), ((2, 4), "5"), ((2, 5), "5.15"), ((2, 6), "5.20")):
            if torch < version:
                return f",<{below}"
    if name == "numpy" and torch < (2, 3):  # built for NumPy 1
        return ",<2"
    return ""


def _runtime(host: Host, r: Requirement, system: str) -> list[Need]:
    """onnxruntime for the host's graphics card; nothing when what is there will do.

    onnxruntime-gpu before 1.27 is built for CUDA 12, from then on for CUDA 13 (and Python ≥ 3.11), both with
    cuDNN 9, which torch has from 2.4 on. Its extras bring the libraries that torch does not.
    """
    cuda, torch = parse(host.cuda), parse(host.packages.get("torch", ""))
    size = r.megabytes * 1_000_000
    if not cuda:
        if system == "win32" and "torch-directml" in host.packages:
            have = host.packages.get("onnxruntime-directml", "")
            return [] if have and not older(have, r.low) else [Need(f"onnxruntime-directml>={r.low}", size)]
        have = _have(host, r.name)
        return [] if have and not older(have, r.low) else [Need(f"onnxruntime>={r.low}", size)]
    newest = cuda >= (13,) and host.minor >= (3, 11)
    low, below = ("1.28", "") if newest else ("1.21", ",<1.27")
    have = host.packages.get("onnxruntime-gpu", "")
    if have and not older(have, low) and (newest or older(have, "1.27")):
        return []
    # torch brings the same libraries when it is of that CUDA version and not older than cuDNN 9
    same = torch >= (2, 4) and (cuda >= (13,)) == newest and cuda >= (12,)
    # its Windows builds hold them themselves, elsewhere they are packages that pip finds and keeps
    extras = "" if same and system == "win32" else "[cuda,cudnn]"
    megabytes = GPU_MEGABYTES + (0 if same else CUDA_MEGABYTES)
    return [Need(f"onnxruntime-gpu{extras}>={low}{below}", megabytes * 1_000_000)]
