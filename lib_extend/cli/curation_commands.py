"""The command `curate`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extend.cli.curation_output import CurateReport
from lib_extend.cli.job_running import on_stop, told
from lib_extend.cli.output import Lines, Report
from lib_extend.config.arguments import add_settings, given
from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs.curating import CurateJob, curate_config


def add(commands: Any, add_state: Callable[[Any], None]) -> None:
    """Add the command to the command line; `add_state` adds the option `--state`."""
    curate = commands.add_parser(
        "curate",
        help="leave out of captions what something else says already; no model runs",
        description="Writes the captions of a folder anew from what is stored and what they say: without tags that a list "
        "names, that a more exact tag says already, or that a character has on most of its pictures. Settings that are not "
        "given are those of the folder's newest run; without --prune, core tags go.",
    )
    curate.add_argument("folder", metavar="FOLDER", help="the dataset folder")
    add_settings(curate)
    job = curate.add_argument_group("the job")
    job.add_argument("--dry-run", action="store_true", help="say what would go and how often; write nothing")
    job.add_argument("--json", action="store_true", help="print one event a line")
    job.add_argument("--show", action="store_true", help="print each picture's caption, or what would change")
    add_state(job)
    curate.set_defaults(run=_curate)


def _curate(args: argparse.Namespace) -> int:
    dataset = Dataset(Path(args.folder), args.state)
    dataset.check()
    job = CurateJob(dataset, curate_config(dataset, given(args)), dry_run=args.dry_run)
    report: Report
    if args.json:
        report = Lines(sys.stdout)
    else:
        report = CurateReport(sys.stdout, sys.stderr, captions=args.show, dry_run=args.dry_run)
    on_stop(job.stop)
    return told(job.events(), report)
