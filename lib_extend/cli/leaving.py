"""The command `leave-out`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extend.cli.output import count
from lib_extend.datasets.dataset import Dataset
from lib_extend.files.scan import show
from lib_extend.jobs.leaving_out import leave_out


def add(commands: Any, add_state: Callable[[Any], None]) -> None:
    """Add the command to the command line; `add_state` adds the option `--state`."""
    command = commands.add_parser("leave-out", help="leave pictures out of everything, without touching them")
    command.add_argument("folder", metavar="FOLDER")
    command.add_argument(
        "images", metavar="IMAGE", nargs="*", help="which (none: list those that are left out)"
    )
    command.add_argument("--reason", default="", metavar="TEXT", help="why")
    command.add_argument("--back", action="store_true", help="take them in again")
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    add_state(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    dataset = Dataset(Path(args.folder), args.state)
    if not args.images:
        dataset.check()
        with dataset.reading() as reader:
            left_out = reader.left_out()
        for name, reason in sorted(left_out.items()):
            print(json.dumps({"path": name, "reason": reason}) if args.json else _line(name, reason))
        if not left_out and not args.json:
            print(f"No picture of {show(args.folder)} is left out.")
        return 0
    run, changed = leave_out(dataset, args.images, reason=args.reason, back=args.back)
    if args.json:
        print(json.dumps({"run": run, "changed": changed}))
    elif not changed:
        print("Nothing changed: they are so already.")
    else:
        print(f"{count(changed, 'picture')} {'taken in again' if args.back else 'left out'} (run {run}).")
    return 0


def _line(name: str, reason: str) -> str:
    return f"{show(name)}: {show(reason)}" if reason else show(name)
