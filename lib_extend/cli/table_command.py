"""The command `table`."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extend.cli.output import count
from lib_extend.config import TagConfig
from lib_extend.config.arguments import add_settings, given
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.files.scan import show
from lib_extend.jobs.curating import curate_config
from lib_extend.jobs.tag_listing import TagRow, data_frame, tag_rows

OK = 0
COLUMNS = tuple(TagRow.__dataclass_fields__)
FORMS = (".parquet", ".csv", ".jsonl")


def add(commands: Any, add_state: Callable[[Any], None]) -> None:
    """Add the command to the command line; `add_state` adds the option `--state`."""
    table = commands.add_parser(
        "table",
        help="write all tags of a folder as a table: one row a picture and tag, with what became of it",
    )
    table.add_argument("folder", metavar="FOLDER", help="the dataset folder")
    table.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="FILE.parquet, FILE.csv or FILE.jsonl"
    )
    add_settings(table)
    add_state(table)
    table.set_defaults(run=_table)


def _table(args: argparse.Namespace) -> int:
    out: Path = args.out
    if out.suffix.lower() not in FORMS:
        raise UserError(f"out is {show(str(out))}, but must end in {', '.join(FORMS)}.", field="out")
    dataset = Dataset(Path(args.folder), args.state)
    dataset.check()
    config = curate_config(dataset, {"prune": "none", **_last(dataset), **given(args)})
    try:
        rows = (
            _parquet(dataset, config, out)
            if out.suffix.lower() == ".parquet"
            else _text(dataset, config, out)
        )
    except OSError as e:
        raise UserError(f"{show(str(out))} cannot be written ({e.strerror}).", field="out") from None
    print(f"{count(rows, 'row')} written to {show(str(out))}.")
    return OK


def _last(dataset: Dataset) -> dict[str, Any]:
    """The setting `prune` of the newest run, so that the table shows the captions as they are decided."""
    with dataset.reading() as reader:
        known = reader.last_config()
    return {"prune": known["prune"]} if "prune" in known else {}


def _text(dataset: Dataset, config: TagConfig, out: Path) -> int:
    rows = 0
    with out.open("w", encoding="utf-8", newline="", errors="surrogateescape") as file:
        writer = csv.writer(file)
        if out.suffix.lower() == ".csv":
            writer.writerow(COLUMNS)
        for row in tag_rows(dataset, config):
            values = row.to_json()
            if out.suffix.lower() == ".csv":
                writer.writerow(["" if values[c] is None else values[c] for c in COLUMNS])
            else:
                file.write(json.dumps(values) + "\n")
            rows += 1
    return rows


def _parquet(dataset: Dataset, config: TagConfig, out: Path) -> int:
    frame = data_frame(dataset, config)
    try:
        frame.to_parquet(out, index=False)
    except ImportError:
        raise UserError(
            "A Parquet file needs the package pyarrow: pip install prompt-extend[table], or name a .csv or .jsonl."
        ) from None
    return len(frame)
