"""The command `export`."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extend.cli.job_running import on_stop
from lib_extend.cli.output import count
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.export.export_plan import ExportOptions, repeats_of
from lib_extend.export.exporting import ExportReport, export
from lib_extend.export.trainer_table import trainers
from lib_extend.files.scan import show
from lib_extend.preparation.buckets import BucketTable, parse_resolution
from lib_extend.services.caption_rewriting import rewriting
from lib_extend.vocabulary.base_models import BASE_NAMES

_SHOWN = 5


def add(commands: Any, add_state: Callable[[Any], None]) -> None:
    """Add the command to the command line; `add_state` adds the option `--state`."""
    command = commands.add_parser(
        "export", help="make a folder that a trainer can start from, with its settings"
    )
    command.add_argument("folder", metavar="FOLDER")
    command.add_argument("out", metavar="OUT", help="a new folder")
    command.add_argument(
        "--for", dest="trainer", choices=list(trainers()), default="folder", help="the trainer (default: any)"
    )
    command.add_argument("--base", choices=BASE_NAMES, default="sdxl", help="the base model (default: sdxl)")
    command.add_argument(
        "--name", default="", metavar="NAME", help="the project's name (default: the trigger or the folder)"
    )
    command.add_argument(
        "--trigger", default="", metavar="WORD", help="the trigger word: kept first in a shuffle"
    )
    command.add_argument(
        "--repeats",
        action="append",
        default=[],
        metavar="[FOLDER=]N",
        help="how often a picture is seen in an epoch (default: what a folder named 10_name says, else once)",
    )
    command.add_argument("--epochs", type=int, default=10, metavar="N", help="epochs (default: 10)")
    command.add_argument(
        "--batch", type=int, default=0, metavar="N", help="pictures at once (default: the base's usual)"
    )
    command.add_argument(
        "--resolution", default="", metavar="N[xN]", help="512, 768, 1024, 832x1216 … (default: the base's)"
    )
    command.add_argument("--resize", action="store_true", help="resize and cut every picture to its bucket")
    command.add_argument(
        "--background", default="ffffff", metavar="RRGGBB", help="laid under what is transparent"
    )
    command.add_argument(
        "--format",
        default="",
        metavar="STYLE",
        help="write the captions in this style (default: as they are); the dataset's own stay",
    )
    command.add_argument(
        "--lines",
        choices=["first", "every", "wildcard", "pick"],
        default="first",
        help="which captions of a file: the first, every line or a wildcard where the trainer picks one, or one that "
        "--seed picks (trainers that take all lines get all but with pick)",
    )
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of --lines pick (default: 0)")
    command.add_argument(
        "--every-line", action="store_true", help="keep all captions of a file, where the trainer picks one"
    )
    command.add_argument(
        "--role",
        choices=["background", "separation"],
        default="",
        help="what the LoRA is for, to be known by later",
    )
    command.add_argument(
        "--recursive", action="store_true", help="subfolders too, each with repeats of its own"
    )
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    add_state(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    report = exported(args, _options(args))
    if args.json:
        print(json.dumps(report.to_json()))
    else:
        print_report(report)
    return 1 if report.failed else 0


def exported(args: argparse.Namespace, options: ExportOptions) -> ExportReport:
    """Export `args.folder` to `args.out` with a bar; the first Ctrl-C stops it in good order."""
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        on_stop(stop.set)
    bar = ProgressBar()
    dataset = Dataset(Path(args.folder), args.state)
    try:
        with rewriting(dataset, options) as rewrite:
            return export(
                dataset, Path(args.out), options, rewrite=rewrite, progress=bar.update, stopped=stop.is_set
            )
    finally:
        bar.close()


def color_of(text: str) -> tuple[int, int, int]:
    """`ffffff` as red, green, blue. Raises UserError."""
    try:
        red, green, blue = bytes.fromhex(text.lstrip("#"))
    except ValueError:
        raise UserError(f"--background takes a color as RRGGBB, such as ffffff, not {text!r}.") from None
    return red, green, blue


def resolution_of(text: str) -> tuple[int, int] | None:
    """`1024` or `832x1216` as width, height; None for "". Raises UserError."""
    try:
        return parse_resolution(text) if text else None
    except ValueError:
        raise UserError(
            f"--resolution takes 1024 or 832x1216, from 64 to 8192 pixels, not {text!r}."
        ) from None


def _options(args: argparse.Namespace) -> ExportOptions:
    general, by_folder = repeats_of(args.repeats)
    if not 1 <= args.epochs <= 10_000 or not 0 <= args.batch <= 1024:
        raise UserError("--epochs goes from 1 to 10000, --batch to 1024.")
    return ExportOptions(
        args.trainer, args.base, args.name, args.trigger.strip(), general, by_folder, args.epochs, args.batch, resolution_of(args.resolution),
        color_of(args.background), args.recursive, args.every_line, args.resize, args.role, format=args.format,
        lines=args.lines, seed=args.seed,
    )  # fmt: skip


def print_report(report: ExportReport) -> None:
    """Print what was exported."""
    plan = report.plan
    for name, reason in report.failed:
        print(f"{show(name)}: left out: {reason}")
    pictures = sum(s.pictures for s in plan.subsets)
    anew = pictures - report.copied
    written = f", {anew:,} written anew." if anew else "."
    print(f"{count(pictures, 'picture')} for {plan.trainer.title} in {show(str(plan.out))}{written}")
    for subset in plan.subsets:
        print(f"  {subset.name}: {count(subset.pictures, 'picture')} × {count(subset.repeats, 'repeat')}")
    print(
        f"  {plan.repeated:,} an epoch in batches of {plan.batch} = {count(plan.steps_an_epoch, 'step')}; × "
        f"{count(plan.options.epochs, 'epoch')} = {count(plan.steps, 'step')}"
    )
    if plan.trainer.has_buckets:
        print_buckets(plan.table)
    for finding in report.findings:
        print(f"  {finding.level.value}: {finding.text}")
    if report.written:
        print("Settings: " + ", ".join(report.written))


def print_buckets(table: BucketTable) -> None:
    """Print the effect of the buckets on the pictures."""
    print(f"  {count(len(table.rows), 'bucket')}, {table.lost:.1%} of all area is cut off")
    named = {
        "enlarged": [f"{n} {f:.2f}×" for n, f in table.enlarged],
        "cut": [f"{n} {s:.0%}" for n, s in table.cut],
        "alone in a bucket": list(table.lone),
        "too small for a bucket": list(table.too_small),
    }
    for what, rows in named.items():
        if rows:
            print(f"  {what}: {', '.join(map(show, rows[:_SHOWN]))}{' …' if len(rows) > _SHOWN else ''}")


class ProgressBar:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None

    def update(self, done: int, total: int) -> None:
        if self._bar is None and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="img", dynamic_ncols=True, leave=False)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
