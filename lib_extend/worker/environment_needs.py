"""The packages that the inference process needs, and those that a WebUI's python lacks.

The lowest versions are those of `pyproject.toml`. The highest follow the torch that is there, because torch
is by far the largest package and stays the WebUI's: newer versions of transformers do not load on an older
torch, and onnxruntime-gpu is built for one CUDA version only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from lib_extend.worker import environment_lists
from lib_extend.worker.environment_probe import Host
from lib_extend.worker.environment_versions import older, parse


@dataclass(frozen=True)
class Requirement:
    """A package: its name, the lowest version, about how many megabytes it takes with what it brings, and the next
    major version, which nobody has tried."""

    name: str
    low: str
    megabytes: int
    below: str


REQUIRED = (
    Requirement("filelock", "3.12", 1, "5"),
    Requirement("httpx", "0.24", 3, "1"),
    Requirement("huggingface-hub", "0.26", 20, "3"),
    Requirement("numpy", "1.26", 70, "3"),
    Requirement("onnxruntime", "1.17", 70, "2"),
    Requirement("pillow", "9.5", 20, "13"),
    Requirement("pillow-avif-plugin", "1.4", 15, "2"),
    Requirement("regex", "2022.1.18", 3, "2028"),
    Requirement("safetensors", "0.4", 2, "1"),
    Requirement("tomlkit", "0.12", 1, "1"),
    Requirement("torch", "2.1", 3000, "3"),
    Requirement("tqdm", "4.66", 1, "5"),
    Requirement("transformers", "4.49", 110, "6"),
)

OPTIONAL = (
    "cykooz-resizer>=4.0,<5 ; platform_machine == 'x86_64' and sys_platform == 'linux' "
    "or platform_machine == 'AMD64' and sys_platform == 'win32' "
    "or platform_machine == 'arm64' and sys_platform == 'darwin'",
    "sentencepiece>=0.2,<1 ; sys_platform != 'darwin' or platform_machine == 'arm64'",
)
"""What makes it faster, and what expanders of prompts need; it comes with the lists of exact versions, and nothing else
waits for it."""

RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml")
"""Distributions of the same module."""

RUNTIME_RANGES = {
    "cpu": "onnxruntime>=1.17,<2",
    "cuda12": "onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27",
    "cuda13": "onnxruntime-gpu[cuda,cudnn]>=1.28,<2 ; python_version >= '3.11'",
    "directml": "onnxruntime-directml>=1.17,<2 ; sys_platform == 'win32'",
}
"""The builds of onnxruntime, and what each is called in a list of exact versions."""


def asked_about() -> tuple[str, ...]:
    """The packages a python is asked about."""
    required = (r.name for r in REQUIRED if r.name != "onnxruntime")
    return (*required, *RUNTIMES, "torch-directml", "torchvision", *environment_lists.names())


GPU_MEGABYTES, CUDA_MEGABYTES = 700, 1900


@dataclass(frozen=True)
class Need:
    """Something to install: the requirement in pip's form, and about how many bytes it takes on the disk."""

    requirement: str
    bytes: int


def missing(host: Host) -> list[str]:
    """Why the inference process cannot run in `host` as it is, in words; empty when it can."""
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
            end = upper(r, host.packages.get("torch", ""))
            wanted.append(Need(f"{r.name}>={r.low}{end}", r.megabytes * 1_000_000))
    return wanted


def exact(host: Host, system: str = sys.platform) -> tuple[environment_lists.Pinned, ...]:
    """The exact versions to install for `needs`; () where nothing is needed, or there is no list for this host."""
    requirements = [n.requirement for n in needs(host, system)]
    if not requirements:
        return ()
    found = environment_lists.find(host, runtime(host, system), {_name(r) for r in requirements})
    if not any("[cuda" in r for r in requirements):  # torch's own are found
        found = tuple(one for one in found if not one.name.startswith(environment_lists.NVIDIA))
    return found


def runtime(host: Host, system: str = sys.platform) -> str:
    """The build of onnxruntime for the host's graphics card: a key of `RUNTIME_RANGES`."""
    cuda = parse(host.cuda)
    if cuda:
        return "cuda13" if cuda >= (13,) and host.minor >= (3, 11) else "cuda12"
    return "directml" if system == "win32" and "torch-directml" in host.packages else "cpu"


def serves(requirement: str, made: Sequence[str]) -> bool:
    """Whether an environment's requirement also satisfies another one: builds for a card run without a card too."""
    if requirement in made:
        return True
    return _name(requirement) == "onnxruntime" and any(_name(m) in RUNTIMES for m in made)


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=; ]", requirement)[0]


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


def upper(r: Requirement, torch: str) -> str:
    """The upper end, ",<…", of a package beside a version of torch.

    transformers 4.49 to 4.55 were seen running on torch 2.1.2, and 4.56 failing at import; the later bounds are
    transformers' own.
    """
    number = parse(torch)
    if number and number >= (2, 1):  # else a newer one is going to be installed
        if r.name == "transformers":
            for version, below in (((2, 2), "4.56"), ((2, 4), "5"), ((2, 5), "5.15"), ((2, 6), "5.20")):
                if number < version:
                    return f",<{below}"
        if r.name == "numpy" and number < (2, 3):  # built for NumPy 1
            return ",<2"
    return f",<{r.below}"


def _runtime(host: Host, r: Requirement, system: str) -> list[Need]:
    """onnxruntime for the host's graphics card; nothing when the installed one is sufficient.

    onnxruntime-gpu before 1.27 is built for CUDA 12, from then on for CUDA 13 (and Python ≥ 3.11), both with
    cuDNN 9, which torch has from 2.4 on. Its extras bring the libraries that torch does not.
    """
    cuda, torch = parse(host.cuda), parse(host.packages.get("torch", ""))
    size = r.megabytes * 1_000_000
    if not cuda:
        if system == "win32" and "torch-directml" in host.packages:
            have = host.packages.get("onnxruntime-directml", "")
            return (
                []
                if have and not older(have, r.low)
                else [Need(f"onnxruntime-directml>={r.low},<{r.below}", size)]
            )
        have = _have(host, r.name)
        return [] if have and not older(have, r.low) else [Need(f"onnxruntime>={r.low},<{r.below}", size)]
    newest = runtime(host, system) == "cuda13"
    low, below = ("1.28", f",<{r.below}") if newest else ("1.21", ",<1.27")
    have = host.packages.get("onnxruntime-gpu", "")
    if have and not older(have, low) and (newest or older(have, "1.27")):
        return []
    # torch brings the same libraries when it is of that CUDA version and not older than cuDNN 9
    same = torch >= (2, 4) and (cuda >= (13,)) == newest and cuda >= (12,)
    # its Windows builds hold them themselves, elsewhere they are packages that pip finds and keeps
    extras = "" if same and system == "win32" else "[cuda,cudnn]"
    megabytes = GPU_MEGABYTES + (0 if same else CUDA_MEGABYTES)
    return [Need(f"onnxruntime-gpu{extras}>={low}{below}", megabytes * 1_000_000)]
