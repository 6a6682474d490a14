"""List the models known by name through a separate process, so that the caller imports no model.

Standard library only. The list needs none of the models' packages but huggingface_hub, so that it can be shown before
the models' environment is made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError, WorkerError
from lib_extend.worker.environment import Environment, environment
from lib_extend.worker.process import creation_flags

SECONDS = 60.0
_ROOT = Path(__file__).resolve().parents[2]
_MODULE = "lib_extend.worker.commands"


def models(models_dir: str = "") -> list[dict[str, Any]]:
    """`prompt-extend models list --json`: name, kind, repo, bytes, licence, gated, note, here.

    Args:
        models_dir: where downloads are; "" is the Hugging Face cache.

    Raises WorkerError when the process fails.
    """
    arguments = ["models", "list", "--json", "--models-dir", models_dir]
    where = _python()
    try:
        done = subprocess.run(
            where.command(_MODULE, arguments),
            env=where.variables(dict(os.environ)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            creationflags=creation_flags(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorkerError(str(error)) from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise WorkerError(words[-1] if words else f"exit status {done.returncode}")
    rows = (json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{"))
    return list(rows)


def _python() -> Environment:
    """The models' environment; this python while there is none."""
    try:
        where = environment()
    except UserError:
        where = None
    if where is None or where.problem:
        return Environment(sys.executable, (str(_ROOT),))
    return where
