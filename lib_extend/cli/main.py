"""The command line: `prompt-extend …`, the same as `python -m lib_extend …`.

Options come from `config.settings`, so a new setting there is an option here. Exit codes: 0 all well,
1 some images failed or the disk is full, 2 wrong use, 130 stopped.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib_extend.cli import demo_command
from lib_extend.cli.history_output import UndoReport, version_json, version_line
from lib_extend.cli.job_running import OK, SOME_FAILED, STOPPED, WRONG_USE, on_stop, told
from lib_extend.cli.output import Lines, Report, Terminal, count
from lib_extend.config.arguments import add_settings, config_of
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import ImageError, PromptExtendError, Stopped, UserError
from lib_extend.files.scan import show
from lib_extend.jobs.caption_history import restore, versions
from lib_extend.jobs.tagging import TagJob
from lib_extend.jobs.undo import UndoJob, Undone, command, list_runs
from lib_extend.jobs.verdict_runs import decide, uncertain
from lib_extend.questions.verdicts import VERDICTS
from lib_extend.ui import serve_options
from lib_extend.worker.environment import environment


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    _harmless_output()
    try:
        try:
            return _main(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # the reader of the output has closed the pipe (| head); python would report that again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED


def _main(arguments: list[str]) -> int:
    if arguments[:1] and arguments[0] in ("models", "separate", "expand", "sketch"):
        return _elsewhere(arguments)
    try:
        if arguments[:1] == ["serve"]:
            return _serve(arguments[1:])
        args = _parser(arguments[0] if arguments else "").parse_args(arguments)
        return int(args.run(args))
    except UserError as e:
        print(f"prompt-extend: {e}", file=sys.stderr)
        return WRONG_USE
    except Stopped:
        return STOPPED
    except PromptExtendError as e:
        print(f"prompt-extend: {e}", file=sys.stderr)
        return SOME_FAILED


def _harmless_output() -> None:
    """A name that is not UTF-8, or a console with few characters, must not end a run."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


# options


class _Version(argparse.Action):
    """`--version`: computed only when the option is used, because it looks at the installed packages."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from lib_extend.services import doctor

        for name, version in doctor.versions():
            print(f"{name} {version}")
        parser.exit()


_COMMANDS = {
    "leaving": ("leave-out",),
    "doctor_command": ("doctor", "card"),
    "curation_commands": ("curate",),
    "core_command": ("core",),
    "table_command": ("table",),
    "lint_command": ("lint",),
    "prepare_command": ("prepare",),
    "export_command": ("export",),
    "tags_command": ("tags",),
}
"""Files of this folder and the commands that each of them adds."""


def _parser(wanted: str = "") -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Args:
        wanted: the command that is run. Files of other commands are then not imported, because importing them takes
            longer than a short command. Anything else ("", `--help`) needs them all.
    """
    parser = argparse.ArgumentParser(
        prog="prompt-extend",
        description="Captions that count, color and separate: tag a dataset folder for training.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="the versions that matter, and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    tag = commands.add_parser("tag", help="write a caption for each image of a folder")
    tag.add_argument("folder", metavar="FOLDER", help="the dataset folder")
    add_settings(tag)
    job = tag.add_argument_group("the job")
    job.add_argument("--dry-run", action="store_true", help="show what would change; write no caption")
    job.add_argument("--json", action="store_true", help="print one event a line")
    job.add_argument("--show", action="store_true", help="print each image's caption")
    _add_state(job)
    tag.set_defaults(run=_tag)

    take_back = commands.add_parser("undo", help="restore the captions as they were before a run")
    take_back.add_argument("folder", metavar="FOLDER")
    take_back.add_argument(
        "--run", type=int, dest="number", metavar="ID", help="which run (default: the last)"
    )
    take_back.add_argument("--force", action="store_true", help="also captions edited since that run")
    take_back.add_argument("--json", action="store_true", help="print the result as JSON")
    _add_state(take_back)
    take_back.set_defaults(run=_undo)

    history = commands.add_parser("history", help="list the texts that one caption had")
    history.add_argument("folder", metavar="FOLDER")
    history.add_argument("image", metavar="IMAGE", help="its name in the folder")
    history.add_argument("--json", action="store_true", help="print one version a line as JSON")
    _add_state(history)
    history.set_defaults(run=_history)

    restore_one = commands.add_parser("restore", help="put a text back that one caption had")
    restore_one.add_argument("folder", metavar="FOLDER")
    restore_one.add_argument("image", metavar="IMAGE", help="its name in the folder")
    restore_one.add_argument(
        "--version", type=int, required=True, metavar="N", help="which text, as `history` lists them"
    )
    _add_state(restore_one)
    restore_one.set_defaults(run=_restore)

    runs = commands.add_parser("runs", help="list the runs over a folder")
    runs.add_argument("folder", metavar="FOLDER")
    runs.add_argument("--json", action="store_true", help="print one run a line as JSON")
    _add_state(runs)
    runs.set_defaults(run=_runs)

    review = commands.add_parser(
        "review", help="the least certain answers first; accept, correct or reject them"
    )
    review.add_argument("folder", metavar="FOLDER")
    review.add_argument(
        "--below", type=float, default=0.8, metavar="P", help="only answers less certain (default: 0.8)"
    )
    review.add_argument("--limit", type=int, default=20, metavar="N", help="most answers shown (default: 20)")
    review.add_argument("--json", action="store_true", help="one answer a line")
    where = ("IMAGE", "QUESTION[:OBJECT]")
    says = review.add_mutually_exclusive_group()
    says.add_argument("--accept", nargs=2, metavar=where, help="it is right")
    says.add_argument("--reject", nargs=2, metavar=where, help="it is wrong: no tag")
    says.add_argument("--lock", nargs=2, metavar=where, help="it is right, whatever a model says later")
    says.add_argument("--correct", nargs=3, metavar=(*where, "ANSWER"), help="this is the answer")
    _add_state(review)
    review.set_defaults(run=_review)

    demo_command.add(commands, main)
    others = {name for names in _COMMANDS.values() for name in names}
    everything = wanted not in (*commands.choices, *others)
    for file, names in _COMMANDS.items():
        if everything or wanted in names:
            importlib.import_module(f"lib_extend.cli.{file}").add(commands, _add_state)

    # parsed by the page, see _serve; here for the list of commands
    commands.add_parser("serve", help="open the page in a browser, without a WebUI", add_help=False)
    # parsed by the models' side, see _elsewhere; here for the list of commands
    commands.add_parser("models", help="list, download or locate models", add_help=False)
    commands.add_parser(
        "separate", help="who has which in one image, with a picture to look at", add_help=False
    )
    commands.add_parser("expand", help="a few words become a full prompt", add_help=False)
    commands.add_parser("sketch", help="draw practice scenes, train the built-in models", add_help=False)
    return parser


def _add_state(group: Any) -> None:
    group.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        help="keep the job's state here (default: .prompt-extend in the folder)",
    )


# commands


def _tag(args: argparse.Namespace) -> int:
    config = config_of(args)
    job = TagJob(_dataset(args), config, dry_run=args.dry_run)
    report: Report
    if args.json:
        report = Lines(sys.stdout)
    else:
        report = Terminal(sys.stdout, sys.stderr, captions=args.show, dry_run=args.dry_run)
    on_stop(job.stop)
    return told(job.events(), report)


def _dataset(args: argparse.Namespace) -> Dataset:
    return Dataset(Path(args.folder), args.state)


def _undo(args: argparse.Namespace) -> int:
    dataset = _dataset(args)
    job = UndoJob(dataset, args.number, force=args.force)
    on_stop(job.stop)
    report = UndoReport(sys.stdout, sys.stderr, dataset, json=args.json)
    result = None
    try:
        for event in job.events():
            report.event(event)
            if isinstance(event, Undone):
                result = event
    finally:
        report.close()
    assert result is not None
    if result.stopped:
        return STOPPED
    return SOME_FAILED if result.failed else OK


def _history(args: argparse.Namespace) -> int:
    dataset = _dataset(args)
    for v in versions(dataset, args.image):
        if args.json:
            print(json.dumps(version_json(v)))
        else:
            print(version_line(v))
    if not args.json:
        print("Put one back: " + command(dataset, "restore", args.image, "--version", "N"))
    return OK


def _restore(args: argparse.Namespace) -> int:
    dataset = _dataset(args)
    try:
        run = restore(dataset, args.image, args.version)
    except ImageError as e:
        raise UserError(e.reason) from e
    if not run:
        print(f"{show(args.image)} has that text already.")
        return OK
    print(f"{show(args.image)} has its text number {args.version} again (run {run}).")
    return OK


def _runs(args: argparse.Namespace) -> int:
    runs = list_runs(_dataset(args))
    if args.json:
        for r in runs:
            print(json.dumps(r.__dict__))
        return OK
    if not runs:
        print(f"{show(args.folder)} was never tagged here.")
    for r in runs:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(r.started))
        what = f"undo of run {r.undoes}" if r.kind == "undo" else r.kind
        amount = f"{r.images:>6} images"
        if r.kind == "review":
            amount = f"{r.config.get('answers', 0):>6} answers"
        chosen = " ".join(
            f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in r.config.items() if k != "answers"
        )
        print(
            f"{r.id:>4}  {when}  {what:<14} {r.status:<8} {amount:<14} {r.changed:>6} changed  "
            f"{r.failed:>4} failed  {chosen}".rstrip()
        )
    return OK


def _review(args: argparse.Namespace) -> int:
    dataset = _dataset(args)
    for verdict in VERDICTS:
        said = getattr(args, verdict)
        if said:
            path, about, *answer = said
            question, _, thing = about.partition(":")
            caption = decide(dataset, path, question, thing.replace(" ", "_"), verdict, *answer)
            print(f"{show(path)}: {show(caption)}")
            return OK
    items = uncertain(dataset, below=args.below)
    for item in items[: args.limit]:
        if args.json:
            print(json.dumps(item.to_json()))
            continue
        about = f"{item.question}:{item.object}" if item.object else item.question
        print(f"{show(item.path)}  {about}  {item.answer or show(item.raw)!r}  ({item.reason})")
    if not args.json:
        more = len(items) - args.limit
        print(f"{count(len(items), 'answer')} to look at" + (f", {more:,} not shown." if more > 0 else "."))
    return OK


def _serve(arguments: list[str]) -> int:
    """The standalone page, whose packages (the extra `serve`) no other command needs."""
    serve_options.parser().parse_args(arguments)  # --help and wrong options need no package
    try:
        from lib_extend.ui import standalone
    except ImportError as error:
        raise UserError(
            f"The page needs {error.name or error}: start it with `python install.py serve`, or "
            "`pip install prompt-extend[serve]`."
        ) from error
    return int(standalone.main(arguments))


def _elsewhere(arguments: list[str]) -> int:
    """These commands need the models' packages, so they run in the environment that has them."""
    where = environment()
    command = [where.python, "-m", "lib_extend.worker.commands", *arguments]
    try:
        return subprocess.run(command, env=where.variables(dict(os.environ)), check=False).returncode
    except KeyboardInterrupt:
        return STOPPED
