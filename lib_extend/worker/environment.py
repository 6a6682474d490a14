"""Choose the python that runs the inference process, and its import path.

The first of these that there is:

1. `PROMPT_EXTEND_WORKER_PYTHON`: another interpreter (for instance of an environment with another build of
   torch); it needs this package's dependencies, not the package itself.
2. The environment made beside a WebUI's own, on first use: `plan`, `make`, `status`, `repair`, `remove`.
3. This python, when it has everything: the extension on its own.

The made environment lies in `.venv-worker` in the extension's folder, or in `worker-env` in the folder that
`PROMPT_EXTEND_DATA` names. Standard library and filelock only: WebUIs import this.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError
from lib_extend.worker import environment_lists, environment_make, environment_needs
from lib_extend.worker.environment_pip import OnProgress
from lib_extend.worker.environment_probe import Host, cuda_driver, probe

OVERRIDE = "PROMPT_EXTEND_WORKER_PYTHON"
DATA = "PROMPT_EXTEND_DATA"
CPU_ONLY = "PROMPT_EXTEND_CPU"
"""Environment variable, set by us: the WebUI was told to use the CPU only."""
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """A python for the worker.

    Attributes:
        python: the interpreter.
        path: folders put first on its import path.
        libraries: folders of shared libraries it must find (Linux).
        problem: why it cannot run the worker, as a sentence; "" when nothing is known against it.
        apart: it gets no import path from the process that starts it.
    """

    python: str
    path: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    problem: str = ""
    apart: bool = False

    def command(self, module: str = "lib_extend.worker", arguments: Sequence[str] = ()) -> list[str]:
        """The command line that starts `module` (default: a worker).

        Raises UserError when `problem` says that it cannot run.
        """
        if self.problem:
            raise UserError(self.problem)
        if any(Path(self.python).parent.glob("python*._pth")):
            # Python's embeddable build reads no PYTHONPATH
            start = (
                f"import runpy, sys; sys.path[:0] = {list(self.path)!a}; "
                f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
            )
            return [self.python, "-c", start, *arguments]
        return [self.python, "-m", module, *arguments]

    def variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` (an environment) with what the worker needs added."""
        inherited = "" if self.apart else base.get("PYTHONPATH", "")
        path = [*self.path, *([inherited] if inherited else [])]
        env = {
            **base,
            "PYTHONPATH": os.pathsep.join(path),
            # A dataset folder may be the current one: a `json.py` in it must not be imported (3.11+).
            "PYTHONSAFEPATH": "1",
            # The last lines of a crash are kept for the report.
            "PYTHONFAULTHANDLER": "1",
            "PYTHONIOENCODING": "utf-8:backslashreplace",
        }
        if self.libraries:
            known = base.get("LD_LIBRARY_PATH", "")
            env["LD_LIBRARY_PATH"] = os.pathsep.join([*self.libraries, *([known] if known else [])])
        return env


@dataclass(frozen=True)
class EnvironmentStatus:
    """Whether models can run here.

    Attributes:
        ready: they can.
        python: the interpreter that runs them; "" when there is none yet.
        path: the folder of the made environment; "" when none is made.
        packages: name → version of what is installed there (of what matters, where nothing was made).
        bytes: what it takes on the disk; 0 when nothing is made.
        problem: what is wrong and how to mend it, as a sentence; "" when it is ready.
    """

    ready: bool
    python: str
    path: str
    packages: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Plan:
    """What `make` would do.

    Attributes:
        path: the folder it fills.
        requirements: what is installed there, in pip's form; nothing when this python has everything.
        exact: the same as exact versions with all that they bring; nothing where pip chooses them.
        bytes: about what that takes on the disk.
        kept: name → version of the WebUI's packages that are used as they are.
    """

    path: str
    requirements: tuple[str, ...]
    bytes: int
    kept: Mapping[str, str]
    exact: tuple[str, ...] = ()


def environment(base: Mapping[str, str] | None = None) -> Environment:
    """The environment to use.

    Raises UserError when the interpreter that was named does not exist; that another one cannot run models is
    said by its `command()`.
    """
    variables = os.environ if base is None else base
    named = _named(variables)
    if named:
        return Environment(python=named, path=(str(_ROOT),))
    host = ask()
    made = environment_make.read(folder(variables))
    if made is not None and not environment_make.outdated(made, host):
        return Environment(
            python=made["python"],
            path=(str(_ROOT), *made["path"]),
            libraries=_libraries(host, made),
            apart=True,
        )
    return Environment(
        python=sys.executable, path=(str(_ROOT),), problem=_problem(host, made, folder(variables))
    )


def folder(variables: Mapping[str, str] | None = None) -> Path:
    """Where the environment beside the WebUI's is, or would be."""
    data = (os.environ if variables is None else variables).get(DATA, "")
    return Path(os.path.abspath(data), "worker-env") if data else _ROOT / ".venv-worker"


def ask(python: str | None = None, folders: Sequence[str] | None = None) -> Host:
    """Which of the worker's packages a WebUI's python (default: this one) has.

    Raises UserError when that python does not answer.
    """
    try:
        host = probe(environment_needs.asked_about(), python, folders)
    except (OSError, ValueError) as error:
        raise UserError(f"The WebUI's python cannot be asked ({error}): correct its path.") from error
    if host.cuda and (os.environ.get(CPU_ONLY) or not cuda_driver()):
        return replace(host, cuda="")  # a torch built for CUDA that runs on the CPU
    return host


def status(path: Path | None = None, host: Host | None = None) -> EnvironmentStatus:
    """Whether models can run, and in what. Takes some tens of milliseconds; never raises.

    Args:
        path: the folder of the made environment (default: `folder()`).
        host: the python it belongs to (default: this one, and then `PROMPT_EXTEND_WORKER_PYTHON` counts).
    """
    if host is None:
        try:
            named = _named(os.environ)
        except UserError as error:
            return EnvironmentStatus(False, "", "", problem=str(error))
        if named:
            return EnvironmentStatus(True, named, "")
    here = ask() if host is None else host
    where = folder() if path is None else path
    made = environment_make.read(where)
    if made is not None:
        problem = _problem(here, made, where) if environment_make.outdated(made, here) else ""
        return EnvironmentStatus(
            not problem, made["python"], str(where), made["packages"], int(made["bytes"]), problem
        )
    problem = _problem(here, None, where)
    return EnvironmentStatus(not problem, "" if problem else here.python, "", here.packages, problem=problem)


def plan(path: Path | None = None, host: Host | None = None) -> Plan:
    """What `make` would install, and about how much. Nothing is downloaded to find out."""
    here = ask() if host is None else host
    wanted, pinned = environment_needs.needs(here), environment_needs.exact(here)
    names = {n.requirement.partition(">")[0].partition("[")[0] for n in wanted}
    return Plan(
        str(folder() if path is None else path),
        tuple(n.requirement for n in wanted),
        environment_lists.size(pinned, here.minor) if pinned else sum(n.bytes for n in wanted),
        {name: v for name, v in here.packages.items() if name not in names},
        tuple(p.exact for p in pinned if p.applies(here.minor)),
    )


def make(
    progress: OnProgress | None = None,
    stop: threading.Event | None = None,
    *,
    path: Path | None = None,
    host: Host | None = None,
) -> EnvironmentStatus:
    """Make the environment, or finish one that is half-made; at once when it is there already.

    Args:
        progress: called as `progress(line, done_bytes, total_bytes)`; the total is an estimate.
        stop: set it (from any thread) to end at once.

    Raises UserError or StorageError with the mend, Stopped when `stop` was set.
    """
    return _make(progress, stop, path, host, anew=False)


def repair(
    progress: OnProgress | None = None,
    stop: threading.Event | None = None,
    *,
    path: Path | None = None,
    host: Host | None = None,
) -> EnvironmentStatus:
    """Delete the environment and make it again. Raises like `make`."""
    return _make(progress, stop, path, host, anew=True)


def remove(path: Path | None = None) -> None:
    """Delete the environment, if there is one. Raises UserError when it is in use."""
    environment_make.remove(folder() if path is None else path)


def _make(
    progress: OnProgress | None,
    stop: threading.Event | None,
    path: Path | None,
    host: Host | None,
    *,
    anew: bool,
) -> EnvironmentStatus:
    here = ask() if host is None else host
    where = folder() if path is None else path
    environment_make.make(where, here, progress, stop or threading.Event(), anew=anew)
    return status(where, here)


def _named(variables: Mapping[str, str]) -> str:
    named = variables.get(OVERRIDE, "")
    if named and not Path(named).is_file():
        raise UserError(f"{OVERRIDE} names {named}, which does not exist: correct it or unset it.")
    return named


def _problem(host: Host, made: Mapping[str, Any] | None, where: Path) -> str:
    """Why models cannot run in this python or in the made environment."""
    if made is not None:
        return f"The models' environment no longer fits ({environment_make.outdated(made, host)}): repair it."
    words = environment_needs.missing(host)
    if not words:
        return ""
    if (where / environment_make.LOG).exists():
        return "The models' environment was not finished: make it again, it goes on from what was downloaded."
    return (
        f"The models' environment is not made yet ({words[0]} in this python): make it in the Prompt Extend tab; "
        "without a WebUI, start with install.py."
    )


def _libraries(host: Host, made: Mapping[str, Any]) -> tuple[str, ...]:
    """Folders of CUDA's libraries among the packages: onnxruntime looks beside itself only, but torch's own
    are the WebUI's."""
    if sys.platform != "linux" or not host.cuda:
        return ()
    beside = [str(p) for p in Path(made["python"]).parent.parent.glob("lib/python*/site-packages")]
    return tuple(
        str(p)
        for at in (*made["path"], *beside, *host.folders)
        for p in sorted(Path(at, "nvidia").glob("*/lib"))
    )
