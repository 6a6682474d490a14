"""The worker's own environment inside a WebUI: made, checked, repaired, removed.

A venv of the WebUI's python that sees the WebUI's packages through a `.pth` file, so that torch is not
downloaded twice, with only those packages installed into it that are missing or too old there. Where no venv
can be made (Python's embeddable build, some Linux distributions), a folder filled by `pip install --target`
does the same. Nothing of the WebUI's own environment is written.

The file `made.json` is written last: without it an environment is half-made, whatever it holds, and is made
anew (what was downloaded comes from pip's cache).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lib_extend.errors import StorageError, UserError
from lib_extend.worker import environment_lists
from lib_extend.worker.environment_needs import constraints, exact, needs, serves
from lib_extend.worker.environment_pip import Command, Downloads, OnProgress, failure, variables
from lib_extend.worker.environment_probe import Host

MADE, LOCK, LOG = "made.json", "lock", "log.txt"
VENV, PACKAGES = "env", "packages"
HOST_PTH = "webui-packages.pth"
VERSION = 1

_CHECK = """
import importlib, importlib.util, json
from importlib.metadata import distributions
for name in ("numpy", "PIL", "filelock", "httpx", "tqdm", "tomlkit", "safetensors", "huggingface_hub",
             "onnxruntime", "tokenizers", "transformers"):
    try:
        importlib.import_module(name)
    except Exception as error:
        sys.exit(f"{name}: {error}")
if importlib.util.find_spec("torch"):
    try:
        # the first module that shows when torch is too old for it
        from transformers.modeling_utils import PreTrainedModel
    except Exception as error:
        sys.exit(f"transformers: {error}")
found = {d.metadata["Name"]: d.version for d in distributions(path=[sys.argv[1]]) if d.metadata}
print("\\n" + json.dumps(found))
"""


def make(
    folder: Path, host: Host, progress: OnProgress | None, stop: threading.Event, *, anew: bool
) -> dict[str, Any]:
    """Make the environment in `folder` for `host`; returns what `made.json` says.

    Args:
        anew: also when there is one that fits.

    Raises:
        UserError: another WebUI is making it, pip failed, or a package cannot be loaded; the sentence says what to do.
        StorageError: the disk is full, or the folder cannot be written.
        Stopped: `stop` was set; the half-made environment is recognised as such.
    """
    with _locked(folder):
        made = read(folder)
        if made is not None and not anew and not outdated(made, host):
            return made
        try:
            discard(folder)
            return _make(folder, host, progress, stop)
        except OSError as error:
            raise StorageError(
                f"{folder} cannot be written ({error.strerror or error}): make room or choose another folder with "
                "PROMPT_EXTEND_DATA, then make the environment again."
            ) from error


def remove(folder: Path) -> None:
    """Delete the environment. Raises UserError when it is in use or cannot be deleted."""
    if not folder.exists():
        return
    with _locked(folder):
        try:
            discard(folder)
        except OSError as error:
            raise UserError(
                f"{folder} cannot be deleted ({error.strerror or error}): end the running job, then try again."
            ) from error
    # The lock is released before its file is deleted: another process may hold it by now, and then the folder stays.
    with contextlib.suppress(OSError):
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()


def read(folder: Path) -> dict[str, Any] | None:
    """What `made.json` says; None when there is no whole environment."""
    try:
        made = json.loads((folder / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(made, dict) or made.get("version") != VERSION:
        return None
    return made if Path(str(made.get("python", ""))).is_file() else None


def outdated(made: Mapping[str, Any], host: Host) -> str:
    """Why an environment no longer fits the host, in words; "" when it does."""
    if made["host"] != ".".join(map(str, host.minor)):
        return f"it was made for Python {made['host']}, and this is {host.version}"
    if made["folders"] != list(host.folders):
        return "it was made for packages in another place"
    new = [n.requirement for n in needs(host) if not serves(n.requirement, made["requirements"])]
    return f"{', '.join(new)} is needed now" if new else ""


def discard(folder: Path) -> None:
    """Delete everything except the lock; `made.json` first."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MADE).unlink(missing_ok=True)
    for item in folder.iterdir():
        if item.name == LOCK:
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(str(folder / LOCK))
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            f"Another WebUI is just making the models' environment in {folder}: wait until it is done."
        ) from None
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written ({error.strerror or error}): choose another folder with "
            "PROMPT_EXTEND_DATA."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _make(folder: Path, host: Host, progress: OnProgress | None, stop: threading.Event) -> dict[str, Any]:
    wanted = needs(host)
    requirements, pinned = [n.requirement for n in wanted], exact(host)
    takes = environment_lists.size(pinned, host.minor) if pinned else sum(n.bytes for n in wanted)
    downloads = Downloads(progress, takes // 3)  # wheels are compressed
    command = Command(folder / LOG, stop)
    env = variables(os.environ)
    kept = folder / "constraints.txt"
    kept.write_text("\n".join(constraints(host)) + "\n", encoding="utf-8")
    listed = folder / "exact.txt"
    listed.write_text("".join(one.line() + "\n" for one in pinned), encoding="utf-8")

    downloads.say("Making an environment beside the WebUI's")
    site = _venv(folder / VENV, host, command, env)
    if site is not None:
        python, target = str(_python(folder / VENV)), None
    else:
        downloads.say("No venv can be made here: using a folder of packages instead")
        python, target = host.python, folder / PACKAGES
        target.mkdir()
        site = target
    if requirements:
        pip = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        pip += ["--only-binary", ":all:", "--no-warn-script-location", "--no-warn-conflicts"]
        pip += ["--retries", "2", "--timeout", "20", "--progress-bar", _bar(python, command, env)]
        pip += [] if target is None else ["--target", str(target)]
        if pinned:  # the list has all dependencies too, so pip must not choose any
            pip += ["--no-deps", "--require-hashes", "-r", str(listed)]
        else:
            pip += ["-c", str(kept), *requirements]
        if command.run(pip, env, downloads.line) != 0:
            raise failure(list(command.lines), folder / LOG)
    downloads.say("Loading every package once")
    path = [] if target is None else [str(target)]
    packages = _check(command, python, path, site, env)
    downloads.say("Done")
    made = {
        "version": VERSION,
        "python": python,
        "path": path,
        "host": ".".join(map(str, host.minor)),
        "folders": list(host.folders),
        "requirements": requirements,
        "packages": packages,
        "bytes": _size(folder),
    }
    partial = folder / (MADE + ".part")
    partial.write_text(json.dumps(made, indent=1), encoding="utf-8")
    os.replace(partial, folder / MADE)
    return made


def _venv(where: Path, host: Host, command: Command, env: Mapping[str, str]) -> Path | None:
    """Make a venv that sees the host's packages; its own package folder, or None when it cannot be made."""
    if command.run([host.python, "-E", "-m", "venv", str(where)], env) != 0 or not _python(where).is_file():
        shutil.rmtree(where, ignore_errors=True)
        return None
    version = ".".join(map(str, host.minor))
    site = where / ("Lib/site-packages" if os.name == "nt" else f"lib/python{version}/site-packages")
    (site / HOST_PTH).write_text("".join(_pth(f) + "\n" for f in host.folders), encoding="ascii")
    return site


def _pth(folder: str) -> str:
    """A line that puts `folder` on the path. Which encoding the file is read in depends on python and system,
    so that a name which is not ASCII goes in as an escaped literal."""
    return folder if folder.isascii() else f"import sys; sys.path.append({folder!a})"


def _python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _bar(python: str, command: Command, env: Mapping[str, str]) -> str:
    """pip's progress form: "raw" tells bytes, but older versions do not know it."""
    shown = command.run([python, "-m", "pip", "--version"], env) == 0 and command.lines
    words = command.lines[-1].split() if shown else []
    with contextlib.suppress(ValueError, IndexError):
        major, minor = (int(n) for n in words[1].split(".")[:2])
        if (major, minor) >= (24, 1):
            return "raw"
    return "off"


def _check(
    command: Command, python: str, path: Sequence[str], site: Path, env: Mapping[str, str]
) -> dict[str, str]:
    """Import everything where it will run; the environment's own packages with their versions."""
    # The paths go in by name: a python with a `._pth` file beside it does not read PYTHONPATH.
    program = f"import sys\nsys.path[:0] = {list(path)!a}\n" + _CHECK
    if command.run([python, "-c", program, str(site)], env) != 0:
        last = command.lines[-1] if command.lines else "it ended without a word"
        raise UserError(
            f"The models' environment was made, but does not load ({last[:200]}): repair it, or look at "
            f"{command.log}."
        )
    found = json.loads(next(line for line in reversed(command.lines) if line.startswith("{")))
    return dict(sorted(found.items(), key=lambda item: str(item[0]).lower()))


def _size(folder: Path) -> int:
    """Bytes of all files below `folder`."""
    total = 0
    for at, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(at, name)).st_size
    return total
