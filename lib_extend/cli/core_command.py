"""The command `core`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extend.cli.output import count
from lib_extend.config.arguments import add_settings, given
from lib_extend.curation.core_files import (
    CORE_FILE,
    EMB_INIT_FILE,
    WILDCARD_FILE,
    characters_of,
    core_json,
    emb_init,
    one_token_names,
    wildcard_lines,
)
from lib_extend.curation.core_tags import CoreTable, CoreTags
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.files import outside_json
from lib_extend.files.atomic_writing import write_json, write_text
from lib_extend.files.scan import show
from lib_extend.jobs.core_listing import core_tags
from lib_extend.jobs.curating import curate_config
from lib_extend.vocabulary.clip_tokens import count as token_count
from lib_extend.vocabulary.tag_names import written

OK = 0
SHOWN = 40
"""Core tags of a character that are listed, at the most."""


def add(commands: Any, add_state: Callable[[Any], None]) -> None:
    """Add the command to the command line; `add_state` adds the option `--state`."""
    core = commands.add_parser(
        "core", help="list what each character of a folder has on most of its pictures; no caption is written"
    )
    core.add_argument("folder", metavar="FOLDER", help="the dataset folder")
    add_settings(core)
    out = core.add_argument_group("what comes out")
    out.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=f"write {CORE_FILE}, {WILDCARD_FILE} and {EMB_INIT_FILE} there",
    )
    out.add_argument(
        "--overwrite-emb-init",
        action="store_true",
        help=f"what {EMB_INIT_FILE} says of the same embeddings is replaced (without it, it stays)",
    )
    out.add_argument(
        "--wildcard-dropped", action="store_true", help=f"a line with all core tags in {WILDCARD_FILE}, too"
    )
    out.add_argument("--json", action="store_true", help="print the table as JSON")
    add_state(out)
    core.set_defaults(run=_core)


def _core(args: argparse.Namespace) -> int:
    dataset = Dataset(Path(args.folder), args.state)
    dataset.check()
    table = core_tags(dataset, curate_config(dataset, given(args)))
    if args.json:
        print(json.dumps(table.to_json()))
    else:
        _print(table)
    if args.out is not None:
        _write(args, table)
    return OK


def _print(table: CoreTable) -> None:
    if not any(table.folders.values()):
        print(
            "No picture shows one character alone, as far as is known: name the character of the folder with --trigger."
        )
    for folder, characters in table.folders.items():
        for name, core in characters.items():
            where = f" in {show(folder)}" if folder else ""
            print(f"{show(written(name))}{where}: {_pictures(core)}")
            for tag in core.tags[:SHOWN]:
                use = "goes" if tag.goes else "stays"
                level = "" if tag.difficulty is None else f", level {tag.difficulty + 1}"
                print(f"  {100 * tag.share:>4.0f} %  {show(written(tag.name))} ({use}{level})")
            if len(core.tags) > SHOWN:
                print(f"         and {count(len(core.tags) - SHOWN, 'other tag')}")


def _pictures(core: CoreTags) -> str:
    if not core.pictures:
        return "as the file says"
    alone = count(core.pictures, "picture") + " of it alone"
    return alone if core.enough else f"{alone}, which are too few to drop anything (--core-min-pictures)"


def _write(args: argparse.Namespace, table: CoreTable) -> None:
    folder: Path = args.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / CORE_FILE, core_json(table))
        lines = wildcard_lines(table, with_dropped=args.wildcard_dropped)
        write_text(folder / WILDCARD_FILE, "".join(f"{line}\n" for line in lines))
        names = emb_init(table, _existing(folder / EMB_INIT_FILE), overwrite=args.overwrite_emb_init)
        write_json(folder / EMB_INIT_FILE, names)
    except OSError as e:
        raise UserError(f"{show(str(folder))} cannot be written ({e.strerror}).", field="out") from None
    print(
        f"{count(len(characters_of(table)), 'character')} written to {show(str(folder))}: {CORE_FILE}, {WILDCARD_FILE}, {EMB_INIT_FILE}."
    )
    for name in one_token_names(names, token_count):
        print(f"{show(name)} is one token of CLIP already: give the embedding a name that is no common word.")


def _existing(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        value = outside_json.loads(file.read_text(encoding="utf-8-sig"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UserError(f"{show(str(file))} is no JSON object: mend it, or delete it.", field="out")
    return value
