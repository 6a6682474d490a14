"""Installing what a graphics card needs into this python's own environment: `prompt-extend card --install`.

Outside of a WebUI only: there the models' environment follows the WebUI's torch (`environment_needs`).
Standard library only.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lib_extend.errors import UserError
from lib_extend.worker import card_needs, environment_probe, graphics_cards
from lib_extend.worker.card_needs import CardNeeds

UV = "uv>=0.7.14,<1"
"""From this version on it knows the builds of torch for NVIDIA's and AMD's cards."""
TORCH = "torch>=2.6,<3"

Run = Callable[[Sequence[str]], int]


def needs_here(device: str = "auto", system: graphics_cards.System | None = None) -> CardNeeds:
    """What this machine's best card needs. `device` is one of `card_needs.ASKED`."""
    at = system or graphics_cards.this_machine()
    return card_needs.card_needs(
        graphics_cards.graphics_cards(at),
        at.platform,
        sys.version_info[:2],
        device=device,
        rocm=graphics_cards.has_rocm(at),
    )


def torch_build(folders: Sequence[str]) -> str:
    """What the torch in `folders` was built for, read from its files: "cuda", "rocm", or "" for the CPU and none."""
    if environment_probe.torch_cuda(folders):
        return "cuda"
    for folder in folders:
        try:
            text = Path(folder, "torch", "version.py").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        return "rocm" if re.search(r"^hip(?:\s*:[^=]*)?\s*=\s*['\"]", text, re.MULTILINE) else ""
    return ""


def missing(
    needs: CardNeeds, packages: dict[str, str] | None = None, build: str | None = None
) -> tuple[bool, str]:
    """Whether torch has to be exchanged here, and onnxruntime's package to install ("" for none)."""
    folders = environment_probe.package_folders()
    have = environment_probe.versions(card_needs.RUNTIMES, folders) if packages is None else packages
    return card_needs.to_install(needs, have, torch_build(folders) if build is None else build)


def install(needs: CardNeeds, run: Run | None = None) -> None:
    """Install what is missing, with what pip and uv print. Raises UserError when one of them fails.

    Args:
        run: runs a command and returns its exit status.
    """
    call = run or _call
    exchange, runtime = missing(needs)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    if exchange:
        _do(call, [*pip, "install", "--quiet", UV])
        uv = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable]
        _do(call, [*uv, "--torch-backend=auto", "--reinstall-package", "torch", TORCH])
    if runtime:
        # all of them hold one module: what another one left behind would be loaded
        _do(call, [*pip, "uninstall", "--quiet", "--yes", *card_needs.RUNTIMES])
        _do(call, [*pip, "install", "--quiet", _for_torch(needs, runtime)])


def _for_torch(needs: CardNeeds, runtime: str) -> str:
    """onnxruntime is built for one CUDA version: the one torch came with."""
    cuda = environment_probe.torch_cuda(environment_probe.package_folders())
    if needs.way == card_needs.CUDA and cuda and not cuda.startswith("13"):
        return "onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27"
    return runtime


def _do(call: Run, command: list[str]) -> None:
    if call(command) != 0:
        raise UserError(
            "The packages for the graphics card could not be installed: look at the last lines above (no network, or a "
            "full disk?), then start again. `--device cpu` goes on without the card."
        )


def _call(command: Sequence[str]) -> int:
    return subprocess.run(list(command), check=False).returncode
