"""The lint: find what would break or spoil a training with a folder, by rules of one file each."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import Message, Stopped
from lib_extend.export import lint_rules
from lib_extend.export.lint_finding import Finding, Level, Rule
from lib_extend.export.linted_folder import LintedFolder, folder_of
from lib_extend.export.trainer_table import trainer_of
from lib_extend.vocabulary.base_models import BASE_NAMES, base

NO_BASE = Message("no_base", "There is no base model {name!r}: the base models are {bases}.")
LONGEST_TRIGGER = 200
ONE_TRIGGER = Message(
    "one_trigger", "A trigger is one tag of {longest} characters at the most, without commas."
)
_LEVELS = {Level.ERROR: 0, Level.WARNING: 1, Level.NOTE: 2}


@dataclass(frozen=True)
class LintOptions:
    """The options of the lint.

    Attributes:
        trainer: one of the trainers' names. base: one of the base models' names, "" for none. trigger: the trigger word.
        recursive: subfolders too. decode: decode every picture whole.
    """

    trainer: str = "folder"
    base: str = ""
    trigger: str = ""
    recursive: bool = False
    decode: bool = False


@dataclass(frozen=True)
class LintReport:
    """What was found.

    Attributes:
        findings: the worst first. pictures, captions: how many there are. seconds: that it took.
    """

    options: LintOptions
    findings: tuple[Finding, ...]
    pictures: int
    captions: int
    seconds: float

    @property
    def breaks(self) -> bool:
        """Whether something would break a training."""
        return any(f.level is Level.ERROR for f in self.findings)

    def to_json(self, most: int | None = None) -> dict[str, Any]:
        """As JSON values; with the first `most` pictures of each finding."""
        return {
            "trainer": self.options.trainer,
            "base": self.options.base,
            "trigger": self.options.trigger,
            "pictures": self.pictures,
            "captions": self.captions,
            "breaks": self.breaks,
            "findings": [f.to_json(most) for f in self.findings],
            "seconds": round(self.seconds, 3),
        }


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Every rule, file by file."""
    found: list[Rule] = []
    for name in sorted(m.name for m in pkgutil.iter_modules(lint_rules.__path__)):
        found += importlib.import_module(f"{lint_rules.__name__}.{name}").RULES
    return tuple(found)


def lint(
    dataset: Dataset,
    options: LintOptions,
    *,
    only: Sequence[str] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> LintReport:
    """Check a folder. Nothing is written.

    Args:
        only: names of the pictures to look at; None for all. progress: called with (done, total) pictures.

    Raises:
        UserError: it is no folder, or there is no such trainer or base. Stopped: `stopped` said so.
    """
    started = time.monotonic()
    folder = _folder(dataset, options, only, progress, stopped)
    findings: list[Finding] = []
    for rule in rules():
        findings += rule.check(folder)
        if stopped():
            raise Stopped
    findings.sort(key=lambda f: _LEVELS[f.level])
    captions = sum(1 for _ in folder.captioned)
    return LintReport(options, tuple(findings), len(folder.pictures), captions, time.monotonic() - started)


def _folder(
    dataset: Dataset,
    options: LintOptions,
    only: Sequence[str] | None,
    progress: Callable[[int, int], None],
    stopped: Callable[[], bool],
) -> LintedFolder:
    trigger = options.trigger.strip()
    if "," in trigger or "\n" in trigger or len(trigger) > LONGEST_TRIGGER:
        raise ONE_TRIGGER.error(longest=LONGEST_TRIGGER, field="trigger")
    if options.base and options.base not in BASE_NAMES:
        raise NO_BASE.error(name=options.base, bases=", ".join(BASE_NAMES), field="base")
    return folder_of(
        dataset,
        trainer_of(options.trainer),
        base=base(options.base) if options.base else None,
        trigger=trigger,
        recursive=options.recursive,
        decode=options.decode,
        only=only,
        progress=progress,
        stopped=stopped,
    )
