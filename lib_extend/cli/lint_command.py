"""The command `lint`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extend.cli.output import count
from lib_extend.datasets.dataset import Dataset
from lib_extend.export.lint_finding import Finding
from lib_extend.export.linting import LintOptions, LintReport, lint
from lib_extend.export.trainer_table import trainers
from lib_extend.files.scan import show
from lib_extend.jobs.undo import command as shown_command
from lib_extend.services.lint_mending import ALL, Mended, mend
from lib_extend.vocabulary.base_models import BASE_NAMES

_SHOWN = 4
"""Pictures named with each finding."""


def add(commands: Any, add_state: Callable[[Any], None]) -> None:
    """Add the command to the command line; `add_state` adds the option `--state`."""
    command = commands.add_parser(
        "lint", help="look for what would break or spoil a training; mend what can be mended"
    )
    command.add_argument("folder", metavar="FOLDER")
    command.add_argument(
        "--for",
        dest="trainer",
        choices=list(trainers()),
        default="folder",
        help="the trainer it is for (default: what all have in common)",
    )
    command.add_argument("--base", choices=BASE_NAMES, default="", help="the base model that is trained")
    command.add_argument("--trigger", metavar="WORD", default="", help="the word that calls what is learned")
    command.add_argument("--recursive", action="store_true", help="subfolders too")
    command.add_argument(
        "--decode",
        action="store_true",
        help="decode every picture whole, not only where its ends look damaged",
    )
    command.add_argument(
        "--mend",
        metavar="CODE",
        action="append",
        default=[],
        help=f"mend what has this code ({ALL}: everything that can be); each is a run, which undo takes back",
    )
    command.add_argument("--list", action="store_true", help="name every picture of each finding")
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    add_state(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    dataset = Dataset(Path(args.folder), args.state)
    dataset.check()
    options = LintOptions(args.trainer, args.base, args.trigger, args.recursive, args.decode)
    mended = []
    if args.mend:
        codes = [code for text in args.mend for code in text.replace(",", " ").split()]
        mended = mend(dataset, options, codes)
    with _Bar() as bar:
        report = lint(dataset, options, progress=bar.update)
    if args.json:
        print(json.dumps({**report.to_json(), "mended": [m.to_json() for m in mended]}))
    else:
        _mends(dataset, mended)
        _findings(dataset, report, None if args.list else _SHOWN)
    return 1 if report.breaks else 0


def _mends(dataset: Dataset, mended: list[Mended]) -> None:
    for m in mended:
        for name, reason in m.failed:
            print(f"{show(name)}: left as it is: {reason}")
        if m.run is None:
            print(f"{m.code}: nothing to change.")
        else:
            back = shown_command(dataset, "undo", "--run", str(m.run))
            print(f"{m.code}: {count(m.changed, 'caption')} changed (run {m.run}; to take it back: {back}).")


def _findings(dataset: Dataset, report: LintReport, most: int | None) -> None:
    for finding in report.findings:
        print(f"{finding.level.value:<8}{finding.code}: {finding.text}")
        for line in _spots(finding, most):
            print(f"        {line}")
        if finding.mend:
            print(f"        mend: {finding.mend.text} (--mend {finding.code})")
    what = f"{count(report.pictures, 'picture')}, {count(report.captions, 'caption')}"
    if not report.findings:
        print(f"{what}: nothing is wrong.")
        return
    levels = [f.level.value for f in report.findings]
    amounts = ", ".join(count(levels.count(n), n) for n in ("error", "warning", "note") if n in levels)
    print(f"{what}: {amounts}{'' if report.breaks else '; nothing breaks a training'}.")


def _spots(finding: Finding, most: int | None) -> list[str]:
    shown = finding.spots[:most]
    lines = [f"{show(s.name)}: {show(s.detail)}" if s.detail else show(s.name) for s in shown]
    rest = len(finding.spots) - len(shown)
    return [*lines, *([f"… and {rest:,} more (--list)"] if rest else [])]


class _Bar:
    """A bar on a terminal while pictures are looked at; nothing elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> _Bar:
        return self

    def update(self, done: int, total: int) -> None:
        if self._bar is None and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="img", dynamic_ncols=True, leave=False)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def __exit__(self, *what: object) -> None:
        if self._bar is not None:
            self._bar.close()
