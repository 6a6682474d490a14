"""`--vlm auto`: the best model that the memory there is allows, never filling a card that others use too.

Of the models that fit, one that is on this machine already is taken before one that would have to be downloaded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lib_extend.errors import ModelError
from lib_extend.models import registry
from lib_extend.models.entry import Entry
from lib_extend.models.vlms import four_bit as nf4
from lib_extend.models.vlms.memory_need import GIB, WORKING, allowance

RANK = (
    "qwen3-vl-8b",
    "qwen2.5-vl-7b",
    "qwen2-vl-7b",
    "qwen3-vl-4b",
    "qwen2.5-vl-3b",
    "qwen3-vl-2b",
    "qwen2-vl-2b",
    "smolvlm2-500m",
)
"""What is taken where it is here, best first: size before age. All but the last share a picture's prefix."""

Fit = tuple[str, bool]
"""A model's name, and whether it fits in 4 bits only."""

DOWNLOADED = ("qwen2-vl-7b", "qwen2-vl-2b", "smolvlm2-500m")
"""What is downloaded, best first: the family that the questions were first written for, free to use."""

CPU_SIZED = 5_000_000_000
"""Bytes of weights in 16 bits up to which a model is asked on the CPU: a larger one takes minutes a picture."""


@dataclass(frozen=True)
class Choice:
    """What `auto` came to.

    Attributes:
        name: in the registry.
        cuda: on the card, else on the CPU.
        four_bit: its weights in 4 bits.
        why: one sentence without its full stop.
    """

    name: str
    cuda: bool
    four_bit: bool
    why: str


def choose(
    free: int,
    total: int,
    *,
    limit: int | None = None,
    cuda: bool = True,
    four_bit: str = "auto",
    hindrance: str = "",
    usable: Collection[str] = RANK,
    cached: Collection[str] = (),
    offline: bool = False,
    ram: int | None = None,
) -> Choice:
    """The model to load.

    Args:
        free, total: bytes of the card's memory; 0 where there is none.
        limit: bytes of it that may be taken; None leaves some to others (`memory.reserve`).
        cuda: there is a card that may be used.
        four_bit: "yes", "no", or "auto": where a model would not fit otherwise.
        hindrance: why 4 bits cannot be had here, "" where they can (`four_bit.obstacle`).
        usable: names of the models that the installed transformers can load.
        cached: names of the models that are here.
        offline: nothing can be downloaded.
        ram: bytes of the machine's memory that are free, None where it is not known.

    Raises ModelError when nothing fits.
    """

    def best(fits: Sequence[Fit]) -> Fit | None:
        here = [f for f in fits if f[0] in cached]
        there = [] if offline else [f for f in fits if f[0] in DOWNLOADED]
        return next(iter(here + there), None)

    known = [registry.find_vlm(name) for name in RANK if name in usable]
    said = "there is no NVIDIA card to use"
    if cuda:
        allowed = allowance(free, total, limit)
        kept = (
            f"{_gb(free - allowed)} of them left to other programs" if limit is None else "as vram_limit says"
        )
        said = f"{_gb(allowed)} of the card's {_gb(total)} may be taken ({_gb(free)} are free, {kept})"
        small = best(_fitting(known, allowed, [True]))
        full = [] if four_bit == "yes" and not hindrance else [False]
        forms = full if four_bit == "no" or hindrance else [*full, True]
        fits = _fitting(known, allowed, forms)
        found = best(fits)
        if found is not None:
            name, is_small = found
            why = f"{name}{' in 4-bit' if is_small else ''} was chosen, because {said}"
            missed = four_bit == "yes" or (
                four_bit == "auto" and small is not None and _better(small[0], name)
            )
            if hindrance and missed:
                why += f"; {hindrance}"
            download = next((n for n, _ in fits if n in DOWNLOADED), name)
            if _better(download, name):
                why += f"; {download} would fit too: `prompt-extend models get {download}`"
            return Choice(name, True, is_small, why)
        said += ", too little for any model" + (" that is here" if offline else "")
    fits = [
        (entry.name, False)
        for entry in known
        # On the CPU numbers have 32 bits.
        if entry.weights <= CPU_SIZED and (ram is None or 2 * entry.weights + WORKING <= ram)
    ]
    found = best(fits)
    if found is not None:
        return Choice(found[0], False, False, f"{found[0]} was chosen for the CPU, because {said}")
    if fits:
        raise ModelError(
            f"None of the models that auto may choose is here and small enough ({said}), and --offline forbids the "
            f"network: run `prompt-extend models get {DOWNLOADED[1]}` once with a network."
        )
    raise ModelError(
        f"No vision-language model fits ({said}): free some memory, or give --vlm the address of a server."
    )


def _fitting(known: Sequence[Entry], allowed: int, forms: Sequence[bool]) -> list[Fit]:
    """The models that fit, best first, each in the first form that does: as it is, or in 4 bits (True)."""
    found = []
    for entry in known:
        for small in forms:
            if entry.weights * (nf4.SHARE if small else 1) + WORKING <= allowed:
                found.append((entry.name, small))
                break
    return found


def _better(name: str, other: str) -> bool:
    return RANK.index(name) < RANK.index(other)


def _gb(size: int) -> str:
    return f"{max(0, size) / GIB:.1f} GB"
