"""The command `demo`: the built-in models on twelve drawn pictures, offline."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError
from lib_extend.worker.environment import environment

FOLDER = "prompt-extend-demo"


def add(commands: Any, main: Callable[[Sequence[str]], int]) -> None:
    """Add the command to the command line; `main` runs another command of it."""
    command = commands.add_parser("demo", help="tag twelve drawn pictures with the built-in models, offline")
    command.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        default=FOLDER,
        help=f"where the pictures and captions are put (default: {FOLDER}); files that are there stay",
    )
    command.set_defaults(run=lambda args: run(Path(args.folder), main))


def run(folder: Path, main: Callable[[Sequence[str]], int]) -> int:
    """Draw the pictures that are not in `folder` yet, then tag it. Raises UserError when it cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be made ({error.strerror or error}): name another folder."
        ) from None
    with tempfile.TemporaryDirectory() as scratch:
        where = environment()
        done = subprocess.run(
            where.command("lib_extend.sketch.samples", [scratch]),
            env=where.variables(dict(os.environ)),
            check=False,
        )
        if done.returncode:
            return done.returncode
        for drawn in sorted(Path(scratch).iterdir()):
            if drawn.suffix != ".jsonl" and not (folder / drawn.name).exists():
                shutil.copyfile(drawn, folder / drawn.name)
    print(f"Tagging {folder} with the built-in sketch models (they know drawn scenes only).", flush=True)
    options = ("--tagger", "sketch", "--vlm", "sketch", "--offline", "--show")
    return main(["tag", str(folder), *options])
