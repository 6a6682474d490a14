"""The packages that a machine's graphics card needs outside of a WebUI, and what then runs where.

torch is chosen by uv, which knows the builds for each driver; onnxruntime has a package for each kind of card.
Standard library only: install.py says the sizes before anything is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib_extend.worker.graphics_cards import AMD, APPLE, NVIDIA, GraphicsCard

CPU, CUDA, ROCM, DIRECTML, METAL = "cpu", "cuda", "rocm", "directml", "apple"
ASKED = ("auto", CPU, CUDA, ROCM, DIRECTML)
"""What `--device` of install.py and `prompt-extend card` may say."""

RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-migraphx")
"""Distributions of one module: no two of them may be installed together."""

_WAYS = {CUDA: "CUDA", ROCM: "ROCm", DIRECTML: "DirectML", METAL: "Metal", CPU: "CPU"}


@dataclass(frozen=True)
class CardNeeds:
    """What a card needs.

    Attributes:
        way: "cuda", "rocm", "directml", "apple" or "cpu".
        card: the card it is for; None for the CPU.
        runtime: onnxruntime's package for it, in pip's form.
        torch: a build of torch for the card is installed, too.
        megabytes: about what both take on the disk.
        why: one clause: why it is not the card, or what of it is not used; "" for nothing.
    """

    way: str
    card: GraphicsCard | None
    runtime: str
    torch: bool
    megabytes: int
    why: str = ""

    @property
    def title(self) -> str:
        return _WAYS[self.way]


def card_needs(
    cards: Sequence[GraphicsCard],
    platform: str,
    python: tuple[int, int],
    *,
    device: str = "auto",
    rocm: bool = False,
) -> CardNeeds:
    """What the best of `cards` needs.

    Args:
        platform: as `sys.platform`.
        python: major and minor version.
        device: one of `ASKED`; with any but "auto", that way or the CPU.
        rocm: AMD's libraries are installed (Linux).
    """

    def cpu(why: str) -> CardNeeds:
        return CardNeeds(CPU, None, "onnxruntime>=1.17,<2", False, 1300, why)

    if device == CPU:
        return cpu("the CPU was asked for")
    why = "no graphics card was found"
    for card in cards:
        if card.kind == NVIDIA and device in ("auto", CUDA):
            if not card.driver:
                why = f"{card.name} has no NVIDIA driver: install it, then start again"
                continue
            newest = python >= (3, 11)
            package = "onnxruntime-gpu[cuda,cudnn]"
            return CardNeeds(
                CUDA, card, f"{package}>=1.28,<2" if newest else f"{package}>=1.21,<1.27", True, 6500
            )
        if card.kind == AMD and platform == "linux" and device in ("auto", ROCM):
            if not card.driver:
                why = f"{card.name} has no compute driver (amdgpu with /dev/kfd)"
                continue
            if rocm:
                return CardNeeds(ROCM, card, "onnxruntime-migraphx>=1.22,<2", True, 16000)
            return CardNeeds(
                ROCM,
                card,
                "onnxruntime>=1.17,<2",
                True,
                15500,
                "taggers run on the CPU, because ROCm is not installed in /opt/rocm",
            )
        if card.kind == APPLE and device == "auto":
            return CardNeeds(
                METAL,
                card,
                "onnxruntime>=1.17,<2",
                False,
                1300,
                "taggers and vision-language models run on the CPU; a model server such as Ollama or LM Studio uses "
                "Metal: give its address as --vlm",
            )
        if platform == "win32" and device in ("auto", DIRECTML):
            return CardNeeds(
                DIRECTML,
                card,
                "onnxruntime-directml>=1.17,<2",
                False,
                1400,
                "taggers run on the card, vision-language models on the CPU; a model server uses the card: give its "
                "address as --vlm",
            )
        if device == "auto":
            why = f"nothing is built for {card.name} on this system"
    if device != "auto":
        why = f"there is no card for {_WAYS[device]} here"
    return cpu(why)


def to_install(needs: CardNeeds, packages: Mapping[str, str], torch_build: str) -> tuple[bool, str]:
    """Whether torch has to be exchanged, and the package of onnxruntime to install ("" for none).

    Args:
        packages: name (lower case, dashes) → version of what is installed.
        torch_build: "cuda", "rocm" or "" (the CPU): what the installed torch was built for.
    """
    name = needs.runtime.partition(">")[0].partition("[")[0]
    others = [n for n in RUNTIMES if n in packages and n != name]
    wanted = {CUDA: "cuda", ROCM: "rocm"}.get(needs.way, "")
    return needs.torch and torch_build != wanted, "" if name in packages and not others else needs.runtime


def sentence(needs: CardNeeds) -> str:
    """One line: what runs where, and how to change it."""
    if needs.card is None:
        return f"Models run on the CPU: {needs.why}. `prompt-extend card` says more."
    memory = f", {needs.card.memory / 1024**3:.0f} GB" if needs.card.memory else ""
    line = f"Graphics card: {needs.card.name}{memory}, used by {needs.title}"
    return f"{line} ({needs.why})." if needs.why else f"{line} (`--device cpu`: not used)."
