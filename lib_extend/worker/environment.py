"""Which python runs the inference process, and with what on its path.

`PROMPT_EXTEND_WORKER_PYTHON` names another interpreter (for instance of an environment with a CUDA build
of torch); it needs this package's dependencies, not the package itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lib_extend.errors import UserError

OVERRIDE = "PROMPT_EXTEND_WORKER_PYTHON"
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """A python for the worker: the interpreter, and the folders put first on its import path."""

    python: str
    path: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """The command line that starts a worker."""
        return [self.python, "-m", "lib_extend.worker"]

    def variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` (an environment) with what the worker needs added."""
        inherited = base.get("PYTHONPATH", "")
        path = [*self.path, *([inherited] if inherited else [])]
        return {
            **base,
            "PYTHONPATH": os.pathsep.join(path),
            # A dataset folder may be the current one: a `json.py` in it must not be imported (3.11+).
            "PYTHONSAFEPATH": "1",
            # The last words of a crash are kept for the report.
            "PYTHONFAULTHANDLER": "1",
            "PYTHONIOENCODING": "utf-8:backslashreplace",
        }


def environment(base: Mapping[str, str] | None = None) -> Environment:
    """The environment to use: this python, or the one the user named.

    Raises UserError when the named one does not exist.
    """
    named = (os.environ if base is None else base).get(OVERRIDE, "")
    if named and not Path(named).is_file():
        raise UserError(f"{OVERRIDE} names {named}, which does not exist: correct it or unset it.")
    return Environment(python=named or sys.executable, path=(str(_ROOT),))
