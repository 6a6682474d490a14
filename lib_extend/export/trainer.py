"""The record of a trainer for lint and export: which pictures and captions it reads, and what stops it.

Facts are those of the trainers' own sources, named in each file of `trainers/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Lines(str, Enum):
    """What the lines of one caption file are to a trainer."""

    FIRST = "first"
    """Only the first line is read, blank or not."""
    EVERY = "every"
    """Each line is a caption of its own."""
    WHOLE = "whole"
    """The file is one caption, with its line breaks."""


class Effect(str, Enum):
    """What something in the folder does to a training."""

    NONE = "none"
    """Nothing."""
    STOPS = "stops"
    """The training ends with an error, or never begins."""
    SKIPPED = "skipped"
    """The picture is not trained on."""
    EMPTY = "empty"
    """The picture is trained with an empty caption."""
    PICTURE = "picture"
    """The file is taken for a picture, and the training ends when it is opened."""


COMMON_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})


@dataclass(frozen=True)
class Trainer:
    """How one trainer reads a folder.

    Attributes:
        name: as options and files call it. title: as people call it.
        pictures: suffixes it takes for pictures, lower case. whole_case: it finds suffixes only if all their letters are
            lower case, or all upper.
        lines: what the lines of a caption are. choice: with its wildcards on, each line is a caption, one picked at random.
        missing, empty, blank: what a picture without caption file, with one of zero bytes, and with one that says
            nothing comes to.
        not_utf8: what a caption in another encoding does.
        other_files: what files do that are neither pictures nor captions; `beside` are suffixes that it lets be.
        subfolders: it looks into them. hidden_folders: what a folder such as `.prompt-extend` does.
        one_stem: what two pictures with one stem do.
        crop_numbers: it takes four parts at the end of a name for a face's place.
        turns: it turns pictures upright by their EXIF data. alpha: what becomes of transparency ("dropped", "white").
        wildcards: it can pick one of `{a|b}`. shuffles: it can shuffle what commas divide.
        keeps_separator: it takes `|||` for the end of what is not shuffled, and our export says so in its settings.
        bases: families of base models that our export has settings for; empty where none are needed.
        has_buckets: its buckets are those of sd-scripts. zipped: an export has its pictures in an archive too. pictures_in: where an export has its folders of pictures.
        settings: the files of settings that an export has, by their names: text, made from the `ExportPlan`.
    """

    name: str
    title: str
    pictures: frozenset[str] = COMMON_PICTURES
    whole_case: bool = False
    lines: Lines = Lines.FIRST
    choice: bool = False
    missing: Effect = Effect.EMPTY
    empty: Effect = Effect.EMPTY
    blank: Effect = Effect.EMPTY
    not_utf8: Effect = Effect.STOPS
    other_files: Effect = Effect.NONE
    beside: frozenset[str] = frozenset()
    subfolders: bool = False
    hidden_folders: Effect = Effect.NONE
    one_stem: Effect = Effect.NONE
    crop_numbers: bool = False
    turns: bool = False
    alpha: str = "dropped"
    wildcards: bool = False
    shuffles: bool = True
    keeps_separator: bool = False
    bases: tuple[str, ...] = ()
    has_buckets: bool = False
    zipped: bool = False
    pictures_in: str = "pictures"
    settings: Callable[[Any], Mapping[str, str]] = field(default=lambda plan: {}, compare=False, repr=False)

    def reads(self, suffix: str) -> bool:
        """Whether it takes a file with this suffix, as it is written, for a picture."""
        if suffix.lower() not in self.pictures:
            return False
        return not self.whole_case or suffix in (suffix.lower(), suffix.upper())
