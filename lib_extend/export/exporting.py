"""Export a folder for a trainer. The export is made under another name beside its place and renamed when it is
complete."""

from __future__ import annotations

import contextlib
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_extend.datasets.caption_encodings import CaptionEncodings
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import ImageError, Message, Stopped
from lib_extend.export.export_plan import (
    ExportOptions,
    ExportPlan,
    Subset,
    buckets_of,
    family_of,
    project_name,
    subsets_of,
)
from lib_extend.export.exported_captions import captions_in, chosen, file_text, trained
from lib_extend.export.exported_names import Names
from lib_extend.export.exported_pictures import full, write_picture
from lib_extend.export.lint_finding import Finding
from lib_extend.export.linting import NO_BASE, LintOptions, lint
from lib_extend.export.shuffling import KEPT, SECONDARY, shuffled, without_separators
from lib_extend.export.trainer_table import trainer_of
from lib_extend.files import caption_files
from lib_extend.files.caption_forms import CAPTION_SUFFIX
from lib_extend.files.scan import Found, show
from lib_extend.preparation.buckets import table
from lib_extend.vocabulary.base_models import BASE_NAMES, base

NOT_EMPTY = Message(
    "not_empty", "{path} is not empty: name a new folder; an export never changes what is there."
)
INSIDE = Message("inside", "{path} lies in the dataset, or the dataset in it: name a folder beside it.")
NO_PICTURES = Message("no_pictures", "{path} has no pictures that can be exported.")
NO_ROOM = Message(
    "no_room",
    "The export needs about {need:,} MB, and {path} has {free:,} MB: make room, or choose another place.",
)
Rewrite = Callable[[Found], str]
"""Makes a picture's caption in another style. Raises ImageError."""
UNFINISHED = ".unfinished"
"""What the name of an export that is being made ends with. One that was stopped is made anew."""
MARK = ".prompt-extend-export"
"""The file by which an unfinished export is known to be ours."""


@dataclass(frozen=True)
class ExportReport:
    """What was exported.

    Attributes:
        plan: the numbers. written: names of files of settings. failed: (picture, reason) of those that are not in it.
        copied: pictures that are there byte by byte; the others were written anew. findings: what the lint finds in the export.
    """

    plan: ExportPlan
    written: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    copied: int
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            **self.plan.to_json(),
            "pictures": sum(s.pictures for s in self.plan.subsets),
            "copied": self.copied,
            "files": list(self.written),
            "failures": [{"name": n, "reason": r} for n, r in self.failed],
            "findings": [f.to_json() for f in self.findings],
        }


def export(
    dataset: Dataset,
    out: Path,
    options: ExportOptions,
    *,
    rewrite: Rewrite | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> ExportReport:
    """Make a folder for a trainer: pictures with captions, and its settings. The dataset is never changed.

    Args:
        out: where; a folder that is not there yet, or is empty. rewrite: makes a picture's caption in the style that is
            asked for; without it captions are as they are. progress: called with (done, total) pictures.

    Raises:
        UserError: the options contradict each other, or `out` may not be used. StorageError: no room. Stopped: by
            `stopped`. In all cases `out` stays unchanged.
    """
    dataset.check()
    out = Path(os.path.abspath(out))
    _check_place(dataset.root, out)
    trainer = trainer_of(options.trainer)
    if options.base not in BASE_NAMES:
        raise NO_BASE.error(name=options.base, bases=", ".join(BASE_NAMES), field="base")
    model = base(options.base)
    family = family_of(model, trainer)
    buckets = buckets_of(options, family)
    project = project_name(options, dataset.root)
    with dataset.reading() as reader:
        encodings = reader.encodings()
        style = options.format or str(reader.last_config().get("format", ""))
    pictures = dataset.survey(recursive=options.recursive).found
    if not pictures:
        raise NO_PICTURES.error(path=show(str(dataset.root)), field="folder")
    _check_room(out, sum(p.size for p in pictures))
    subsets = subsets_of([p.name for p in pictures], options, project)
    plan = ExportPlan(
        out, project, options, trainer, model, family, buckets, table([], buckets), subsets, style=style
    )
    work = out.with_name(out.name + UNFINISHED)
    maker = _Maker(dataset, plan, work, CaptionEncodings(dataset.root, encodings), progress, stopped, rewrite)
    try:
        _begin(work)
        return maker.make(pictures)
    except OSError as error:
        raise full(work, error) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Maker:
    """One export as it is made in the folder `work`."""

    def __init__(
        self,
        dataset: Dataset,
        plan: ExportPlan,
        work: Path,
        encodings: CaptionEncodings,
        progress: Callable[[int, int], None],
        stopped: Callable[[], bool],
        rewrite: Rewrite | None,
    ) -> None:
        self._rewrite = rewrite
        self._dataset, self._plan, self._work = dataset, plan, work
        self._encodings = encodings
        self._progress, self._stopped = progress, stopped
        self._failed: list[tuple[str, str]] = []
        self._copied = 0
        self._sizes: list[tuple[str, int, int]] = []
        self._captions: dict[str, dict[str, tuple[str, ...]]] = {s.name: {} for s in plan.subsets}

    def make(self, pictures: Sequence[Found]) -> ExportReport:
        by_folder = {s.folder: s for s in self._plan.subsets}
        names = {s.name: Names() for s in self._plan.subsets}
        for subset in self._plan.subsets:
            self._folder(subset).mkdir(parents=True)
        for i, picture in enumerate(pictures):
            if self._stopped():
                raise Stopped
            subset = by_folder[picture.name.rpartition("/")[0]]
            try:
                self._one(picture, subset, names[subset.name])
            except ImageError as error:
                self._failed.append((picture.name, error.reason))
            self._progress(i + 1, len(pictures))
        plan = self._counted()
        written = self._settings(plan)
        findings = self._linted(plan)
        self._put()
        return ExportReport(plan, written, tuple(self._failed), self._copied, findings)

    def _folder(self, subset: Subset) -> Path:
        return self._work / self._plan.trainer.pictures_in / subset.name

    def _one(self, picture: Found, subset: Subset, names: Names) -> None:
        plan, source = self._plan, self._dataset.root / picture.name
        text = ""
        data = caption_files.read_bytes(self._dataset.root / picture.caption_name)
        if self._rewrite is not None:
            text = self._rewrite(picture)
        elif data is not None:
            text = self._encodings.decode(data, picture.caption_name)
        target = self._folder(subset) / names.stem(picture.name)
        buckets = plan.buckets if plan.options.resize else None
        done = write_picture(source, target, plan.trainer, plan.options.color, buckets)
        captions = chosen(captions_in(text), self._lines, plan.options.seed, picture.name)
        ready = file_text(captions, plan.trainer.lines, plan.options.trigger, every=self._every)
        target.with_name(target.name + CAPTION_SUFFIX).write_text(ready, encoding="utf-8", newline="\n")
        self._copied += done.copied
        name = target.name + done.suffix
        self._sizes.append((f"{subset.name}/{name}", done.width, done.height))
        self._captions[subset.name][name] = tuple(
            trained(captions, plan.trainer.lines, ready, every=self._every)
        )

    @property
    def _lines(self) -> str:
        options = self._plan.options
        if options.lines == "wildcard" and not self._plan.trainer.choice:
            return "first"
        return "every" if options.every_line else options.lines

    @property
    def _every(self) -> bool:
        return self._lines in ("every", "wildcard") and self._plan.trainer.choice

    def _counted(self) -> ExportPlan:
        """The plan with the numbers of the finished export."""
        plan = self._plan
        subsets = tuple(
            replace(s, pictures=len(self._captions[s.name])) for s in plan.subsets if self._captions[s.name]
        )
        if not subsets:
            raise NO_PICTURES.error(path=show(str(self._dataset.root)), field="folder")
        for subset in plan.subsets:
            if not self._captions[subset.name]:
                self._folder(subset).rmdir()
        repeats = {s.name: s.repeats for s in subsets}
        times = {name: repeats[name.partition("/")[0]] for name, _, _ in self._sizes}
        counted = table(self._sizes, plan.buckets, batch_size=plan.batch, repeats=times)
        if not (plan.trainer.keeps_separator and shuffled(self._captions, plan.style, plan.trainer)):
            self._without_separators()
        return replace(plan, subsets=subsets, table=counted, captions=self._captions)

    def _without_separators(self) -> None:
        """Write captions that have separators for a shuffle without them: nothing would take them out."""
        for subset in self._plan.subsets:
            for name, texts in self._captions[subset.name].items():
                if not any(KEPT in t or SECONDARY in t for t in texts):
                    continue
                self._captions[subset.name][name] = tuple(map(without_separators, texts))
                file = (self._folder(subset) / name).with_suffix(CAPTION_SUFFIX)
                lines = file.read_text(encoding="utf-8").split("\n")
                file.write_text("\n".join(map(without_separators, lines)), encoding="utf-8", newline="\n")

    def _settings(self, plan: ExportPlan) -> tuple[str, ...]:
        files = plan.trainer.settings(plan)
        for name, text in files.items():
            (self._work / name).write_text(text, encoding="utf-8", newline="\n")
        written = list(files)
        if plan.trainer.zipped:
            written.append(f"{plan.name}.zip")
            self._zip(plan, self._work / written[-1])
        return tuple(written)

    def _zip(self, plan: ExportPlan, place: Path) -> None:
        """The pictures as the notebook's Drive has them; they are packed already, so they are only put together."""
        one = len(plan.subsets) == 1
        with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
            for subset in plan.subsets:
                where = f"Loras/{plan.name}/" + ("dataset" if one else f"datasets/{subset.name}")
                for file in sorted(self._folder(subset).iterdir()):
                    if self._stopped():
                        raise Stopped
                    archive.write(file, f"{where}/{file.name}")

    def _linted(self, plan: ExportPlan) -> tuple[Finding, ...]:
        findings: list[Finding] = []
        for subset in plan.subsets:
            options = LintOptions(plan.trainer.name, plan.base.name, plan.options.trigger)
            findings += lint(Dataset(self._folder(subset)), options, stopped=self._stopped).findings
        return tuple(findings)

    def _put(self) -> None:
        """Rename the finished folder to its final name in one step."""
        out = self._plan.out
        (self._work / MARK).unlink()
        with contextlib.suppress(FileNotFoundError):
            out.rmdir()
        os.replace(self._work, out)


def _check_place(root: Path, out: Path) -> None:
    source, target = os.path.realpath(root), os.path.realpath(out)
    if os.path.commonpath([source, target]) in (source, target) and _same_drive(source, target):
        raise INSIDE.error(path=show(str(out)), field="out")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise NOT_EMPTY.error(path=show(str(out)), field="out")
    work = out.with_name(out.name + UNFINISHED)
    if work.exists() and not (work / MARK).is_file():
        raise NOT_EMPTY.error(path=show(str(work)), field="out")


def _same_drive(a: str, b: str) -> bool:
    return os.path.splitdrive(a)[0].lower() == os.path.splitdrive(b)[0].lower()


def _check_room(out: Path, need: int) -> None:
    there = next(p for p in (out, *out.parents) if p.exists())
    free = shutil.disk_usage(there).free
    if free < need * 1.1:
        raise NO_ROOM.error(
            need=need // 1_000_000 + 1, free=free // 1_000_000, path=show(str(there)), field="out"
        )


def _begin(work: Path) -> None:
    """An empty folder for the export; the rest of an earlier export is deleted first."""
    if work.exists():
        shutil.rmtree(work)
    work.mkdir(parents=True)
    (work / MARK).touch()
