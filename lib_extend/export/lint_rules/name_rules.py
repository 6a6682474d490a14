"""Names of files that a trainer takes for something else, and pictures that share one."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable

from lib_extend.errors import Message
from lib_extend.export.lint_finding import Finding, Level, Rule, Spot, found
from lib_extend.export.linted_folder import LintedFolder
from lib_extend.export.trainer import Effect
from lib_extend.files.caption_forms import CAPTION_SUFFIX

OTHERS_CAPTION = Message(
    "others_caption",
    "{pictures} without a caption would get that of another picture: {trainer} takes the last four parts of such names for "
    "a face's place; rename them.",
)
CROP_NUMBERS = Message(
    "crop_numbers",
    "{pictures} {is_} named as if the last four numbers were a face's place: with face_crop_aug_range {trainer} would cut "
    "there; rename them.",
)
SAME_STEM = Message(
    "same_stem",
    "{pictures} {has} a name that differs from another's in its ending only: {effect}; rename them.",
)
_NUMBERS = re.compile(r"_\d+_\d+_\d+_\d+\Z")


def _crop_numbers(folder: LintedFolder) -> Iterable[Finding]:
    if not folder.trainer.crop_numbers:
        return
    captions = {p.stem for p in folder.pictures if p.data is not None}
    captions |= {os.path.splitext(n)[0] for n in folder.others if n.endswith(CAPTION_SUFFIX)}
    others, numbered = [], []
    for picture in folder.pictures:
        parts = picture.stem.split("_")
        shorter = "_".join(parts[:-4])
        if len(parts) >= 5 and picture.data is None and shorter in captions:
            others.append(Spot(picture.name, shorter + CAPTION_SUFFIX))
        elif _NUMBERS.search(picture.stem):
            numbered.append(Spot(picture.name))
    title = folder.trainer.title
    yield from found(OTHERS_CAPTION, Level.ERROR, others, trainer=title)
    yield from found(CROP_NUMBERS, Level.NOTE, numbered, trainer=title)


def _same_stem(folder: LintedFolder) -> Iterable[Finding]:
    groups: dict[str, list[str]] = defaultdict(list)
    for picture in folder.pictures:
        groups[picture.stem.lower()].append(picture.name)
    spots = [
        Spot(name, ", ".join(o for o in names if o != name))
        for names in groups.values()
        if len(names) > 1
        for name in names
    ]
    stops = folder.trainer.one_stem is Effect.STOPS
    effect = (
        f"{folder.trainer.title} ends with an error"
        if stops
        else "they share one caption and one cache of what the trainer makes of the picture"
    )
    yield from found(
        SAME_STEM, Level.ERROR if stops else Level.WARNING, sorted(spots, key=lambda s: s.name), effect=effect
    )


RULES = (
    Rule("crop_numbers", "names that a trainer takes for a face's place", _crop_numbers),
    Rule("same_stem", "pictures with one stem", _same_stem),
)
