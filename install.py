"""The WebUI's install hook; by hand: `python install.py demo | serve | test`.

Standard library only: this runs before anything is installed, with whatever python there is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SAMPLES = ROOT / "samples"
DEMO = ROOT / "demo"
OLDEST, NEWEST = (3, 10), (3, 13)
TORCH = "torch==2.13.0"
"""What `demo` and `test` are tried with: the built-in models answer the same everywhere."""

USAGE = """usage: python install.py demo    set up .venv and tag the sample folder with the built-in models
       python install.py serve   set up .venv, for the graphics card that is there, and open the page in a browser
                                 (--device cpu: without the card)
       python install.py test    set up .venv and run all checks and tests (--fast: those of a minute)"""


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    if not arguments:
        # The WebUI calls us at every start. Its environment is not ours to change.
        with contextlib.suppress(OSError, ValueError):  # nobody may be reading
            print("Prompt Extend: nothing to install into the WebUI; its tab sets up what models need.")
        return 0
    command, rest = arguments[0], arguments[1:]
    if command == "demo" and not rest:
        return demo()
    if command == "serve":
        return serve(rest)
    if command == "test":
        return test(rest)
    print(USAGE, file=sys.stderr)
    return 2


def demo() -> int:
    """Tag a copy of the sample folder, offline, with the models in this repository."""
    python = environment(extra="")
    if python is None:
        return 1
    DEMO.mkdir(exist_ok=True)
    for sample in sorted(SAMPLES.iterdir()):
        target = DEMO / sample.name
        # what is already there stays: a person may have edited captions of an earlier demo
        if sample.suffix != ".jsonl" and not target.exists():
            shutil.copyfile(sample, target)
    print(f"Tagging {DEMO} with the built-in sketch models (they know drawn scenes only).", flush=True)
    return run(
        [
            python,
            *("-m", "lib_extend", "tag", str(DEMO)),
            *("--tagger", "sketch", "--vlm", "sketch", "--offline", "--show"),
        ]
    )


def serve(arguments: list[str]) -> int:
    """The standalone page, on the graphics card. Arguments but `--device` go to `prompt-extend serve`."""
    device = "auto"
    if "--device" in arguments:
        at = arguments.index("--device")
        device = "".join(arguments[at + 1 : at + 2])
        arguments = [*arguments[:at], *arguments[at + 2 :]]
    python = environment(extra="serve")
    if python is None:
        return 1
    if run([python, "-m", "lib_extend", "card", "--install", "--device", device]) != 0:
        return 1
    return run([python, "-m", "lib_extend", "serve", *arguments])


def test(arguments: list[str]) -> int:
    """Style, types and tests. Arguments go to pytest; with any but --fast, only pytest runs."""
    python = environment(extra="test")
    if python is None:
        return 1
    if arguments in ([], ["--fast"]):
        # two at a time: much of the time goes into waiting for processes and browsers; three are no faster on two cores
        at_once = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
        arguments = [*arguments, *at_once, "--durations", "20"]
        checks = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["oxlint", "--quiet"]]
        for program, *what in checks:
            print("$", program, *what, flush=True)
            if run([str(Path(python).with_name(program)), *what]) != 0:
                return 1
    return run([python, "-m", "pytest", *arguments])


def environment(extra: str) -> str | None:
    """The python of `.venv` with this package and `extra` installed, or None after saying what is wrong."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        print(
            f"Prompt Extend needs Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}, and this is "
            f"{sys.version.split()[0]}: start install.py with another one.",
            file=sys.stderr,
        )
        return None
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = VENV / f".installed{'-' + extra if extra else ''}"
    wanted = hashlib.sha256(
        (ROOT / "pyproject.toml").read_bytes() + TORCH.encode() + sys.version.encode() + str(ROOT).encode()
    ).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    if not python.exists():
        print(f"Making {VENV} …", flush=True)
        if run([sys.executable, "-m", "venv", "--clear", str(VENV)]) != 0:
            print(
                f"The environment {VENV} could not be made: on Debian and Ubuntu install the package "
                "python3-venv, then start again.",
                file=sys.stderr,
            )
            return None
    print(
        "Installing into .venv: about 1.5 GB on the disk, 6 GB where torch brings CUDA's libraries "
        "(the first time this takes some minutes) …",
        flush=True,
    )
    what = f"{ROOT}[{extra}]" if extra else str(ROOT)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", what]
    if extra != "serve":
        pip.append(TORCH)
    if run(pip) != 0:
        print(
            "The installation did not finish: look at pip's last lines above (no network, or a full disk?), "
            "then start again; it continues where it stopped.",
            file=sys.stderr,
        )
        return None
    stamp.write_text(wanted)
    return str(python)


def run(command: list[str]) -> int:
    """Run `command` in the repository, showing its output; returns its exit code."""
    try:
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
