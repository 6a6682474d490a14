"""`prompt-extend models`, `separate`, `expand` and `sketch`: commands that need the models' packages.

They run in a process of their own, with the worker's python, so that the front ends never import a model.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib_extend.errors import PromptExtendError, UserError
from lib_extend.worker import expand_command as expanding
from lib_extend.worker import separate_command as separating

OK, FAILED, WRONG_USE, STOPPED = 0, 1, 2, 130
SKETCH_MODELS = ("tagger", "detector", "vlm", "expander")
CALIBRATION_SCENES = 200
CALIBRATION_SEED = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            args = _parser().parse_args(argv)
            return int(args.run(args))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # the reader of our output left (| head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except UserError as e:
        print(f"prompt-extend: {e}", file=sys.stderr)
        return WRONG_USE
    except (PromptExtendError, OSError) as e:
        print(f"prompt-extend: {e}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="prompt-extend")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    models = commands.add_parser("models", help="list, download or locate models")
    what = models.add_subparsers(dest="what", metavar="list|get|where")
    models.set_defaults(run=_list, json=False, models_dir="")
    listing = what.add_parser("list", help="every model known by name (the default)")
    listing.add_argument("--json", action="store_true", help="one model a line")
    _add_models_dir(listing)
    listing.set_defaults(run=_list)
    getting = what.add_parser("get", help="download models")
    getting.add_argument("names", nargs="+", metavar="NAME")
    _add_models_dir(getting)
    getting.set_defaults(run=_get)
    where = what.add_parser("where", help="the folder of a model that is here")
    where.add_argument("names", nargs="+", metavar="NAME")
    _add_models_dir(where)
    where.set_defaults(run=_where)

    separating.add(commands)
    expanding.add(commands)

    sketch = commands.add_parser("sketch", help="draw practice scenes, train the built-in models")
    part = sketch.add_subparsers(dest="what", required=True, metavar="draw|train|score")
    draw = part.add_parser("draw", help="draw scenes with known truth into a folder")
    draw.add_argument("folder", type=Path, metavar="DIR")
    draw.add_argument("--count", type=_positive, default=60, metavar="N", help="pictures (default: 60)")
    draw.add_argument("--seed", type=int, default=0, metavar="S", help="which scenes (default: 0)")
    draw.set_defaults(run=_draw)
    train = part.add_parser("train", help="build the built-in models anew")
    train.add_argument("--out", type=Path, default=Path("sketch-models"), metavar="DIR", help="where to")
    train.add_argument("--seed", type=int, default=1, metavar="S")
    train.add_argument("--only", choices=SKETCH_MODELS, help="just one of them")
    train.add_argument("--tagger-steps", type=_positive, default=1000, metavar="N")
    train.add_argument("--detector-steps", type=_positive, default=900, metavar="N")
    train.add_argument("--vlm-steps", type=_positive, default=7000, metavar="N")
    train.add_argument("--expander-steps", type=_positive, default=4000, metavar="N")
    train.set_defaults(run=_train)
    score = part.add_parser("score", help="measure the built-in models on 300 scenes of unseen seeds")
    score.add_argument("--models", type=Path, metavar="DIR", help="others: what `sketch train` wrote")
    score.add_argument("--only", choices=SKETCH_MODELS, help="just one of them")
    score.set_defaults(run=_score)
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _add_models_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models-dir",
        default="",
        metavar="DIR",
        help="where downloads are (default: the Hugging Face cache)",
    )


# models


def _list(args: argparse.Namespace) -> int:
    from lib_extend.models import downloads, registry

    groups = (
        ("Taggers", registry.taggers()),
        ("Detectors", registry.detectors()),
        ("Vision-language models", registry.vlms()),
        ("Expanders", registry.expanders()),
    )
    names = max(len(e.name) for _, entries in groups for e in entries)
    repos = max(len(e.repo) for _, entries in groups for e in entries)
    for title, entries in groups:
        if not args.json:
            print(f"{title}:")
        for e in entries:
            here = downloads.is_cached(e, models_dir=args.models_dir)
            if args.json:
                print(
                    json.dumps(
                        {
                            "name": e.name,
                            "kind": e.kind,
                            "repo": e.repo,
                            "bytes": e.bytes,
                            "licence": e.licence,
                            "gated": e.gated,
                            "note": e.note,
                            "here": here,
                            "labels": _label_table(e, args.models_dir) if here else "",
                        }
                    )
                )
                continue
            facts = [
                f"{e.bytes / 1e6:,.0f} MB" if e.bytes else "",
                e.licence or "licence unknown: see its page",
                "gated" if e.gated else "",
                e.note,
            ]
            mark, repo = "*" if here else " ", e.repo or "built in"
            words = ", ".join(f for f in facts if f)
            print(f"{mark} {e.name:<{names}}  {repo:<{repos}}  {words}".rstrip())
    if not args.json:
        print("\n* is on this machine. `prompt-extend models get NAME` downloads one.")
    return OK


def _label_table(entry: Any, models_dir: str) -> str:
    """The table of a tagger's tags, where it has one that others can read; else "".

    The built-in one counts drawn scenes, so its numbers say nothing of tags elsewhere.
    """
    from lib_extend.models import downloads

    if entry.kind != "tagger" or entry.folder is not None:
        return ""
    folder = downloads.where(entry, models_dir=models_dir)
    tables = sorted(folder.rglob("*_tags.csv")) if folder is not None else []
    return str(tables[0]) if tables else ""


def _entry(name: str) -> Any:
    """The model of a name; "sketch" is one of each kind, and the tagger stands for all."""
    from lib_extend.models import registry

    kinds = (
        (registry.find_tagger, registry.taggers()),
        (registry.find_detector, registry.detectors()),
        (registry.find_vlm, registry.vlms()),
        (registry.find_expander, registry.expanders()),
    )
    for find, _ in kinds:
        with contextlib.suppress(UserError):
            return find(name)
    # Nobody knows it: the kind with the name most like it says so.
    close = difflib.get_close_matches(name.lower(), [e.name for _, entries in kinds for e in entries], 1)
    likely = [find for find, entries in kinds if any(e.name in close for e in entries)]
    return (likely or [registry.find_tagger])[0](name)


def _get(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from lib_extend.models import downloads

    for name in args.names:
        entry = _entry(name)
        bar = tqdm(unit="B", unit_scale=True, disable=not sys.stderr.isatty(), desc=entry.name)

        def progress(what: str, done: int, total: int, bar: Any = bar) -> None:
            bar.total = total or None
            bar.n = done
            bar.refresh()

        with bar:
            folder = downloads.get(entry, models_dir=args.models_dir, progress=progress)
        print(f"{entry.name}: {folder}")
    return OK


def _where(args: argparse.Namespace) -> int:
    from lib_extend.models import downloads

    missing = 0
    for name in args.names:
        entry = _entry(name)
        if downloads.is_cached(entry, models_dir=args.models_dir):
            print(downloads.get(entry, models_dir=args.models_dir, offline=True))
        else:
            missing += 1
            print(
                f"{entry.name} is not on this machine: `prompt-extend models get {entry.name}`.",
                file=sys.stderr,
            )
    return FAILED if missing else OK


# sketch


def _draw(args: argparse.Namespace) -> int:
    from lib_extend.sketch.folder import draw_folder

    rows = draw_folder(args.folder, args.count, args.seed)
    print(f"{len(rows):,} scenes drawn into {args.folder}; truth.jsonl says what is in them.")
    return OK


def _train(args: argparse.Namespace) -> int:
    from lib_extend.sketch.folder import draw_folder
    from lib_extend.sketch.score_table import table

    wanted = (args.only,) if args.only else SKETCH_MODELS
    if "tagger" in wanted:
        from lib_extend.sketch.tagger_training import train_tagger

        train_tagger(args.out / "tagger", seed=args.seed, steps=args.tagger_steps)
    if "detector" in wanted:
        from lib_extend.sketch.detector_training import train_detector

        train_detector(args.out / "detector", seed=args.seed, steps=args.detector_steps)
    if "vlm" in wanted:
        from lib_extend.sketch.vlm_scores import calibrate
        from lib_extend.sketch.vlm_training import train_vlm

        train_vlm(args.out / "vlm", seed=args.seed, steps=args.vlm_steps)
        with tempfile.TemporaryDirectory() as scratch:
            draw_folder(scratch, CALIBRATION_SCENES, CALIBRATION_SEED, namespace="calibration")
            calibrate(args.out / "vlm", Path(scratch))
    if "expander" in wanted:
        from lib_extend.sketch.expander_training import train_expander

        train_expander(args.out / "expander", seed=args.seed, steps=args.expander_steps)
    print(table(args.out, wanted))
    return OK


def _score(args: argparse.Namespace) -> int:
    from lib_extend.sketch.score_table import SHIPPED, table

    print(table(args.models or SHIPPED, (args.only,) if args.only else SKETCH_MODELS))
    return OK


if __name__ == "__main__":
    sys.exit(main())
