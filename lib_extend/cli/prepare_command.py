"""The command `prepare`: pictures resized and cut to buckets, into a new folder; or the table of buckets only."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extend.cli.export_command import color_of, exported, print_buckets, print_report, resolution_of
from lib_extend.cli.output import count
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.export.export_plan import FAMILIES, ExportOptions, buckets_of
from lib_extend.export.picture_heads import head_of
from lib_extend.preparation.buckets import BucketTable, table


def add(commands: Any, add_state: Callable[[Any], None]) -> None:
    """Add the command to the command line; `add_state` adds the option `--state`."""
    command = commands.add_parser(
        "prepare",
        help="resize and cut pictures to buckets, into a new folder; without OUT, say what that would do",
    )
    command.add_argument("folder", metavar="FOLDER")
    command.add_argument("out", metavar="OUT", nargs="?", default="", help="a new folder")
    command.add_argument(
        "--resolution", default="1024", metavar="N[xN]", help="512, 768, 1024 (default), 832x1216 …"
    )
    command.add_argument(
        "--bucket-steps", type=int, default=64, metavar="N", help="sides are multiples of it (default: 64)"
    )
    command.add_argument("--no-upscale", action="store_true", help="never enlarge a picture")
    command.add_argument(
        "--keep-size",
        action="store_true",
        help="leave sizes as they are: only upright, opaque, with sound names",
    )
    command.add_argument(
        "--background", default="ffffff", metavar="RRGGBB", help="laid under what is transparent"
    )
    command.add_argument("--recursive", action="store_true", help="subfolders too")
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    add_state(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    options = ExportOptions(
        resolution=resolution_of(args.resolution) or (1024, 1024),
        color=color_of(args.background),
        recursive=args.recursive,
        resize=not args.keep_size,
        bucket_steps=args.bucket_steps,
        no_upscale=args.no_upscale,
    )
    if args.out:
        report = exported(args, options)
        if args.json:
            print(json.dumps(report.to_json()))
        else:
            print_report(report)
        return 1 if report.failed else 0
    result = _table(args, options)
    if args.json:
        print(json.dumps(result.to_json()))
        return 0
    for row in result.rows:
        print(f"{row.size[0]:>5} × {row.size[1]:<5} {count(len(row.names), 'picture')}")
    print_buckets(result)
    return 0


def _table(args: argparse.Namespace, options: ExportOptions) -> BucketTable:
    dataset = Dataset(Path(args.folder), args.state)
    dataset.check()
    pictures = dataset.survey(recursive=options.recursive).found
    heads = {p.name: head_of(dataset.root / p.name) for p in pictures}
    sizes = [(name, *h.upright) for name, h in heads.items() if h.width and h.height]
    if not sizes:
        raise UserError(f"{args.folder} has no pictures that can be read.")
    return table(sizes, buckets_of(options, FAMILIES["sdxl"]))
