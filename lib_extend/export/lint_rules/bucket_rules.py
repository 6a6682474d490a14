"""How pictures fit the base model's buckets: enlarged, cut, or alone; looked at when the base is named."""

from __future__ import annotations

from collections.abc import Iterable

from lib_extend.errors import Message
from lib_extend.export.export_plan import FAMILIES, family_name
from lib_extend.export.lint_finding import Finding, Level, Rule, Spot, found
from lib_extend.export.linted_folder import LintedFolder
from lib_extend.preparation.buckets import CUT_SHOWN, UPSCALE_SHOWN, square, table

ENLARGED = Message(
    "enlarged", "{pictures} {is_} enlarged by more than {factor}× for {side} pixels, and get soft."
)
CUT_OFF = Message(
    "cut_off", "{pictures} {has} more than {share} of the area cut off by buckets of {side} pixels."
)
LONE_BUCKET = Message(
    "lone_bucket",
    "{pictures} {is_} alone in a bucket of {side} pixels: a batch of one, whatever the batch size is.",
)


def _buckets(folder: LintedFolder) -> Iterable[Finding]:
    family = FAMILIES.get(family_name(folder.base)) if folder.base else None
    if family is None:
        return
    sizes = [(n, *h.upright) for n, h in folder.heads.items() if h.width and h.height]
    result = table(sizes, square(family.side))
    side = family.side
    enlarged = (Spot(n, f"{f:.2f}×") for n, f in result.enlarged)
    yield from found(ENLARGED, Level.WARNING, enlarged, factor=UPSCALE_SHOWN, side=side)
    cut = (Spot(n, f"{s:.0%}") for n, s in result.cut)
    yield from found(CUT_OFF, Level.NOTE, cut, share=f"{CUT_SHOWN:.0%}", side=side)
    yield from found(LONE_BUCKET, Level.NOTE, map(Spot, result.lone), side=side)


RULES = (Rule("enlarged", "pictures that do not fit the buckets", _buckets),)
