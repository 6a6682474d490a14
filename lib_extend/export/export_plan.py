"""The plan of an export: subsets with repeats, and the number of steps."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extend.errors import Message
from lib_extend.export.exported_names import plain
from lib_extend.export.trainer import Trainer
from lib_extend.preparation.buckets import BucketSettings, BucketTable
from lib_extend.vocabulary.base_models import Base

NO_SETTINGS = Message(
    "no_settings",
    "Settings for {trainer} are written for {families}, not for {base}: choose another base, or export for `folder`.",
)
PROJECT_NAME = Message(
    "project_name",
    "{name!r} cannot be a project's name: take letters, digits, - and _ only (kohya-colab takes no blanks, dots and quotes).",
)
REPEATS = Message(
    "repeats", "Repeats are a number from 1 to 1000, or FOLDER=NUMBER for one folder; {text!r} is neither."
)
_KOHYA = re.compile(r"(\d{1,4})_(.+)")
_PROJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_REPEATS = 1000


@dataclass(frozen=True)
class Family:
    """A family of base models with the same training, with published settings for it.

    Attributes:
        name: "sd15", "sdxl" or "anima". side: of the square whose area is trained. batch: pictures at once.
        rank, alpha: of the LoRA. rate, text_rate: learning rates of the model and of its text encoders (0: not trained).
    """

    name: str
    side: int
    batch: int
    rank: int
    alpha: int
    rate: float
    text_rate: float


FAMILIES = {
    "sd15": Family("sd15", 512, 2, 16, 8, 5e-4, 1e-4),
    "sdxl": Family("sdxl", 1024, 4, 32, 16, 3e-4, 3e-5),
    "anima": Family("anima", 1024, 2, 16, 16, 1e-4, 0.0),
}
_SDXL = ("sdxl", "illustrious", "noobai", "noobai-vpred", "pony")


def family_name(base: Base) -> str:
    """The family that a base model is of; its own name if its family is unknown."""
    return "sdxl" if base.name in _SDXL else base.name


def family_of(base: Base, trainer: Trainer) -> Family:
    """How a base model is trained. Raises UserError if the export has no settings of the trainer for it."""
    name = family_name(base)
    if not trainer.bases:
        return FAMILIES.get(name, FAMILIES["sdxl"])
    if name not in trainer.bases:
        families = ", ".join(trainer.bases)
        raise NO_SETTINGS.error(trainer=trainer.title, families=families, base=base.title, field="base")
    return FAMILIES[name]


@dataclass(frozen=True)
class ExportOptions:
    """What is to be exported, and how.

    Attributes:
        trainer, base: their names. name: of the project and its LoRA, "" for the trigger or the folder's name.
        trigger: the trigger word: it is kept first in a shuffle. repeats: how often a picture is seen in an epoch, 0 for
            what folders named `10_name` say, else once; by folder in `folder_repeats`.
        epochs, batch: 0 batch for the base's usual. resolution: (width, height), None for the base's usual.
        color: laid under what is transparent. recursive: subfolders too, each a subset. every_line: all captions of a
            file, where the trainer can pick one. resize: pictures are resized and cut to their buckets. bucket_steps,
            no_upscale: of the buckets.
        format: the style that captions are written in, "" for as they are. lines: which of a file's captions: "first", "every" (as `every_line`), "wildcard" (all, in one
            line, where the trainer picks one) or "pick" (one of them, by `seed` and the picture's name).
        role: what the LoRA is for ("background", "separation"), so that the panel recognises it; "" for others.
    """

    trainer: str = "folder"
    base: str = "sdxl"
    name: str = ""
    trigger: str = ""
    repeats: int = 0
    folder_repeats: Mapping[str, int] = field(default_factory=dict)
    epochs: int = 10
    batch: int = 0
    resolution: tuple[int, int] | None = None
    color: tuple[int, int, int] = (255, 255, 255)
    recursive: bool = False
    every_line: bool = False
    resize: bool = False
    role: str = ""
    format: str = ""
    lines: str = "first"
    seed: int = 0
    bucket_steps: int = 64
    no_upscale: bool = False


@dataclass(frozen=True)
class Subset:
    """One folder of an export.

    Attributes:
        folder: its name in the dataset, "" for the dataset's own pictures. name: its name in the export. repeats: how often.
        pictures: how many.
    """

    folder: str
    name: str
    repeats: int
    pictures: int


@dataclass(frozen=True)
class ExportPlan:
    """The data from which a trainer's settings are written.

    Attributes:
        out: the export's final place, an absolute path. name: of the project. subsets: with at least one picture.
        style: the name of the style that captions are in, where that is known.
        captions: the captions by file name, of each subset by its name; known once the pictures are written.
    """

    out: Path
    name: str
    options: ExportOptions
    trainer: Trainer
    base: Base
    family: Family
    buckets: BucketSettings
    table: BucketTable
    subsets: tuple[Subset, ...]
    captions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    style: str = ""

    @property
    def several(self) -> bool:
        """Whether some picture has several captions."""
        return any(len(texts) > 1 for files in self.captions.values() for texts in files.values())

    @property
    def batch(self) -> int:
        return self.options.batch or self.family.batch

    @property
    def repeated(self) -> int:
        """Pictures of an epoch, with repetitions."""
        return sum(s.pictures * s.repeats for s in self.subsets)

    @property
    def steps_an_epoch(self) -> int:
        """Batches of an epoch: exact where the trainer has sd-scripts' buckets, else as if no batch were cut short."""
        return self.table.batches if self.trainer.has_buckets else math.ceil(self.repeated / self.batch)

    @property
    def steps(self) -> int:
        return self.steps_an_epoch * self.options.epochs

    def folder_of(self, subset: Subset) -> str:
        """The subset's folder as settings name it."""
        return (self.out / self.trainer.pictures_in / subset.name).as_posix()

    def to_json(self) -> dict[str, Any]:
        """The numbers, as JSON values."""
        return {
            "out": str(self.out),
            "name": self.name,
            "trainer": self.trainer.name,
            "base": self.base.name,
            "subsets": [
                {"folder": s.folder, "name": s.name, "pictures": s.pictures, "repeats": s.repeats}
                for s in self.subsets
            ],
            "batch": self.batch,
            "epochs": self.options.epochs,
            "steps_an_epoch": self.steps_an_epoch,
            "steps": self.steps,
            "resolution": list(self.buckets.resolution),
            "buckets": self.table.to_json(),
        }


def buckets_of(options: ExportOptions, family: Family) -> BucketSettings:
    """The buckets that pictures come into. Raises UserError for a resolution that has none."""
    width, height = options.resolution or (family.side, family.side)
    low, high = min(256, width, height), max(1024, 2 * max(width, height))
    return BucketSettings((width, height), low, high, options.bucket_steps, options.no_upscale)


def repeats_of(texts: list[str]) -> tuple[int, dict[str, int]]:
    """`5`, `hats=10` as (for all, by folder). Raises UserError."""
    general, by_folder = 0, {}
    for text in texts:
        folder, _, number = text.rpartition("=")
        if not number.isdecimal() or not 1 <= int(number) <= _MOST_REPEATS:
            raise REPEATS.error(text=text, field="repeats")
        if folder:
            by_folder[folder.replace("\\", "/").strip("/")] = int(number)
        else:
            general = int(number)
    return general, by_folder


def project_name(options: ExportOptions, root: Path) -> str:
    """The project's name. Raises UserError for one that was given and cannot be."""
    if options.name:
        if not _PROJECT.fullmatch(options.name):
            raise PROJECT_NAME.error(name=options.name, field="name")
        return options.name
    usual = plain(options.trigger or root.resolve().name, "project").replace(".", "-")
    return usual[:64]


def subsets_of(names: list[str], options: ExportOptions, project: str) -> tuple[Subset, ...]:
    """The subsets of pictures by their names: one a folder that holds some."""
    counts = Counter(name.rpartition("/")[0] for name in names)
    taken: set[str] = set()
    subsets = []
    for folder, pictures in sorted(counts.items()):
        last = folder.rpartition("/")[2]
        kohya = _KOHYA.fullmatch(last)
        said = int(kohya[1]) if kohya and 1 <= int(kohya[1]) <= _MOST_REPEATS else 1
        repeats = options.folder_repeats.get(folder) or options.repeats or said
        own = plain(kohya[2] if kohya else last, project).replace(".", "-") if folder else project
        name, n = own, 1
        while name.lower() in taken:
            n += 1
            name = f"{own}-{n}"
        taken.add(name.lower())
        subsets.append(Subset(folder, name, repeats, pictures))
    return tuple(subsets)
