"""Find out a python's version, its package folders and its packages.

Also a program of its own: `python environment_probe.py NAME…` prints the same as JSON, so that any python
can be asked. Hence the standard library only, and nothing of this package.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import Distribution
from pathlib import Path

ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Host:
    """A python and what is installed for it.

    Attributes:
        python: the interpreter's path.
        version: its version, such as "3.10.6".
        folders: where its packages are, in the order in which they are searched.
        packages: name (lower case, dashes) → version, of the packages asked about that are there.
        cuda: the CUDA version torch was built for, such as "12.1"; "" for none, or where nothing can run on it.
    """

    python: str
    version: str
    folders: tuple[str, ...]
    packages: Mapping[str, str] = field(default_factory=dict)
    cuda: str = ""

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


def probe(names: Sequence[str], python: str | None = None, folders: Sequence[str] | None = None) -> Host:
    """Ask `python` (default: this one, without starting a process) for the packages `names`.

    Args:
        folders: look here instead of in the python's own package folders.

    Raises OSError or ValueError when that python cannot be started or does not answer.
    """
    if python is None or python == sys.executable:
        return look(names, folders)
    done = subprocess.run(
        [python, "-E", str(Path(__file__).resolve()), *names],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=ANSWER_SECONDS,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    try:
        # A start-up file of that python may print too: the answer is the last line.
        told = json.loads(done.stdout.strip().splitlines()[-1])
        host = Host(python, told["version"], tuple(told["folders"]), told["packages"], told["cuda"])
    except (ValueError, IndexError, KeyError, TypeError):
        words = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise ValueError(f"{python} does not answer ({words})") from None
    if folders is None:
        return host
    return Host(python, host.version, tuple(folders), versions(names, folders), torch_cuda(folders))


def look(names: Iterable[str], folders: Sequence[str] | None = None) -> Host:
    """This very python."""
    where = package_folders() if folders is None else list(folders)
    return Host(
        sys.executable,
        ".".join(map(str, sys.version_info[:3])),
        tuple(where),
        versions(names, where),
        torch_cuda(where),
    )


def package_folders() -> list[str]:
    """This python's own package folders: what extensions put on `sys.path` is not among them."""
    paths = sysconfig.get_paths()
    found = [paths["purelib"], paths["platlib"]]
    if getattr(site, "ENABLE_USER_SITE", False):
        found.insert(0, site.getusersitepackages())
    # Not everywhere: some environments bring a `site` module of their own.
    found += getattr(site, "getsitepackages", list)()
    there: list[str] = []
    for folder in map(os.path.abspath, found):
        if folder not in there and os.path.isdir(folder):
            there.append(folder)
    return there


def versions(names: Iterable[str], folders: Sequence[str]) -> dict[str, str]:
    """The installed versions; the first folder wins, as in an import."""
    found: dict[str, str] = {}
    for name in names:
        for distribution in Distribution.discover(name=name, path=list(folders)):
            # An uninstallation that did not finish leaves a folder without metadata.
            version = distribution.metadata["Version"] if distribution.metadata else None
            if version:
                found[name] = version
                break
    return found


def torch_cuda(folders: Iterable[str]) -> str:
    """The CUDA version of the torch in `folders`, read from its files: importing it takes seconds."""
    for folder in folders:
        try:
            text = Path(folder, "torch", "version.py").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found = re.search(r"^cuda(?:\s*:[^=]*)?\s*=\s*['\"]([\d.]+)['\"]", text, re.MULTILINE)
        return found[1] if found else ""
    return ""


def cuda_driver() -> bool:
    """Whether something can run on CUDA here: NVIDIA's driver is there, and its cards are not hidden."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _main(names: Sequence[str]) -> None:
    host = look(names)
    told = {
        "version": host.version,
        "folders": host.folders,
        "packages": dict(host.packages),
        "cuda": host.cuda,
    }
    print(json.dumps(told))  # ASCII, whatever the folders are called


if __name__ == "__main__":
    _main(sys.argv[1:])
