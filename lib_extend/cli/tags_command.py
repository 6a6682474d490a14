"""`prompt-extend tags FOLDER`: the tags of a folder's captions, the facts about them, and tags that mean the same."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extend.cli.output import count
from lib_extend.datasets.browser import Browser
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.tag_list_files import read_tag_lists
from lib_extend.errors import UserError
from lib_extend.files.scan import show
from lib_extend.services.tag_duplicates import of_folder
from lib_extend.vocabulary.lookup import Vocabulary
from lib_extend.vocabulary.merging import merged
from lib_extend.vocabulary.own_data import own_exclusive_groups, own_list
from lib_extend.vocabulary.tag_names import key

OK = 0
_LIMIT = 50


def add(commands: Any, add_state: Callable[[Any], None]) -> None:
    """Add the command to the command line's."""
    tags = commands.add_parser("tags", help="the tags of a folder's captions, and those that mean the same")
    tags.add_argument("folder", metavar="FOLDER")
    tags.add_argument("--recursive", action="store_true", help="with its subfolders")
    tags.add_argument(
        "--duplicates", action="store_true", help="only tags that mean the same, with the name proposed"
    )
    tags.add_argument("--filter", default="", metavar="TEXT", help="only of pictures that a filter means")
    tags.add_argument("--like", default="", metavar="TEXT", help="only tags that hold this")
    tags.add_argument(
        "--limit", type=int, default=_LIMIT, metavar="N", help=f"most lines shown (default: {_LIMIT})"
    )
    tags.add_argument(
        "--list",
        action="append",
        default=[],
        metavar="FILE",
        dest="lists",
        help="a list of tags of your own (csv, txt, json): names, categories, other words",
    )
    tags.add_argument("--json", action="store_true", help="one tag or group a line")
    add_state(tags)
    tags.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    root = Path(args.folder)
    if not root.is_dir():
        raise UserError(f"There is no folder {show(args.folder)}.", code="no_folder", field="folder")
    found = merged([*read_tag_lists(args.lists), own_list()], own_exclusive_groups())
    for problem in found.problems:
        print(f"prompt-extend: {problem.words}", file=sys.stderr)
    browser = Browser(Dataset(root, args.state), recursive=args.recursive)
    try:
        browser.start()
        browser.wait()
        if args.duplicates:
            _duplicates(browser, found.vocabulary, args)
        else:
            _tags(browser, found.vocabulary, args)
    finally:
        browser.close()
    return OK


def _duplicates(browser: Browser, vocabulary: Vocabulary, args: argparse.Namespace) -> None:
    groups = of_folder(browser, vocabulary)
    for group in groups[: args.limit]:
        if args.json:
            print(json.dumps(group, ensure_ascii=False))
            continue
        names = ", ".join(f"{show(tag['name'])} ({tag['count']:,})" for tag in group["tags"])
        print(f"{show(group['proposed'])}  ←  {names}  [{group['reason']}]")
    if not args.json:
        _rest(len(groups), args.limit, "group")


def _tags(browser: Browser, vocabulary: Vocabulary, args: argparse.Namespace) -> None:
    total, rows = browser.tags(args.filter, like=args.like, limit=max(0, args.limit))
    for row in rows:
        name = row["tag"]
        facts = vocabulary.facts(name)
        means = "" if facts is None or key(facts.name) == key(name) else facts.name
        category = "" if facts is None or facts.category is None else facts.category.value
        group = "" if facts is None else facts.group
        if args.json:
            line = {**row, "category": category or None, "group": group, "means": means}
            print(json.dumps(line, ensure_ascii=False))
            continue
        words = ", ".join(w for w in (category, group, f"another word for {means}" if means else "") if w)
        print(f"{row['count']:>8,}  {show(name)}{f'  ({words})' if words else ''}")
    if not args.json:
        _rest(total, args.limit, "tag")


def _rest(total: int, limit: int, what: str) -> None:
    more = total - limit
    print(count(total, what) + (f", {more:,} not shown." if more > 0 else "."))
