"""Cache files of trainers beside the pictures (`npz`) that are older than their picture or caption, or whose picture
was deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lib_extend.errors import Message
from lib_extend.export.lint_finding import Finding, Level, Rule, Spot, found
from lib_extend.export.linted_folder import LintedFolder

STALE_CACHE = Message(
    "stale_cache",
    "{files} of a trainer's cache {is_} older than the picture or caption: it would train on what was there before; delete them.",
)
LOST_CACHE = Message("lost_cache", "{files} of a trainer's cache {has} no picture here.")
CACHE = ".npz"
# sd-scripts' names: NAME_1024x1024_sdxl.npz, NAME_sdxl.npz, NAME.npz of latents; NAME_te_outputs.npz, NAME_anima_te.npz of texts
_LATENTS = re.compile(r"(?:_\d+x\d+)?(?:_(?:sd|sdxl|sd3|flux|lumina|hi|anima))?\Z")
_TEXTS = re.compile(r"_(?:te_outputs|(?:sd3|flux|lumina|hi|anima)_te)\Z")


def _caches(folder: LintedFolder) -> Iterable[Finding]:
    caches = [n for n in folder.others if n.lower().endswith(CACHE)]
    if not caches:
        return
    pictures = {p.stem: p for p in folder.pictures}
    stale, lost = [], []
    for name in caches:
        stem = name[: -len(CACHE)]
        of_text = _TEXTS.search(stem)
        owner = stem[: of_text.start()] if of_text else _owner(stem, pictures.keys())
        picture = pictures.get(owner)
        if picture is None:
            lost.append(Spot(name))
            continue
        source = folder.root / (picture.found.caption_name if of_text else picture.name)
        try:
            if (folder.root / name).stat().st_mtime_ns < source.stat().st_mtime_ns:
                stale.append(Spot(name, source.name))
        except OSError:
            continue
    yield from found(STALE_CACHE, Level.WARNING, stale)
    yield from found(LOST_CACHE, Level.NOTE, lost)


def _owner(stem: str, pictures: Iterable[str]) -> str:
    """The picture a cache of latents belongs to: its own name with what the trainer puts behind it taken off."""
    known = set(pictures)
    while stem not in known:
        match = _LATENTS.search(stem)
        if match is None or not match[0]:
            break
        stem = stem[: match.start()]
    return stem


RULES = (Rule("stale_cache", "caches that are older than the pictures", _caches),)
