"""The sdist and the wheel, built and used where nothing else of the repository is."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
IGNORED = (
    ".git", ".venv*", ".test", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "build",
    "*.egg-info", "demo", "scratch", ".prompt-extend",
)  # fmt: skip
BIN = "Scripts" if os.name == "nt" else "bin"
WITHOUT_MODELS = ("tqdm", "filelock")
"""What the commands that run no model import besides the standard library, as far as they are asked here."""


def run(*command: str | Path, cwd: Path, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PROMPT_EXTEND_WORKER_PYTHON")}
    env |= more
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def build(kind: str, tree: Path, out: Path) -> Path:
    """`setuptools` itself, in a process of its own; the file it made."""
    code = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(out)!r}))"
    run(sys.executable, "-c", code, cwd=tree)
    (made,) = [p for p in out.iterdir() if p.name.endswith(".whl" if kind == "wheel" else ".tar.gz")]
    return made


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of an sdist that was made from a copy of this repository."""
    at = tmp_path_factory.mktemp("sdist")
    shutil.copytree(ROOT, at / "copy", ignore=shutil.ignore_patterns(*IGNORED))
    (at / "out").mkdir()
    with tarfile.open(build("sdist", at / "copy", at / "out")) as archive:
        archive.extractall(at / "unpacked")
    (tree,) = (at / "unpacked").iterdir()
    return tree


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the unpacked sdist."""
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


def environment(at: Path, python: str, wheel: Path, seen: Path) -> Path:
    """A new environment of `python` with the wheel, and the packages in the folder `seen`; its bin folder."""
    run(python, "-m", "venv", "--without-pip", at, cwd=at.parent)
    (site,) = at.glob("Lib/site-packages" if os.name == "nt" else "lib/python3*/site-packages")
    # a folder named in a .pth is searched after the environment's own, and its own .pth files are not read
    (site / "dependencies.pth").write_text(f"{seen}\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", at / BIN / "python", "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", wheel, cwd=at.parent)
    return at / BIN


def test_the_sdist_has_what_it_takes_to_test_it(unpacked: Path) -> None:
    """Some fast tests of it, run in it."""
    for name in (
        "install.py",
        "metadata.ini",
        "style.css",
        "samples/truth.jsonl",
        "docs/promises.md",
        ".ci/run",
    ):
        assert (unpacked / name).is_file(), name
    tests = ("tests/captions/test_text.py", "tests/test_imports.py", "tests/web")
    run(sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests, cwd=unpacked)


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [n for n in names if n.endswith(".dist-info/METADATA")]
        said = Parser().parsestr(archive.read(metadata).decode("utf-8"))
    assert said["License-Expression"] == "MIT" and said["Author"] == "The Prompt Extend developers"
    assert said.get_all("Project-URL") and "Typing :: Typed" in said.get_all("Classifier", [])
    assert any(r.startswith("torch") and "==" not in r for r in said.get_all("Requires-Dist", []))
    licences = [n.rpartition("/licenses/")[2] for n in names if "/licenses/" in n]
    assert {"LICENSE", "THIRD-PARTY.md"} <= set(licences)
    assert "lib_extend/py.typed" in names and "lib_extend/web/app/app.mjs" in names
    assert any(n.endswith("share/prompt-extend/style.css") for n in names)
    assert not [n for n in names if n.startswith(("tests/", "benchmarks/", "samples/"))]
    packaged = {n for n in names if n.startswith("lib_extend/")}
    missing = [
        name
        for path in (ROOT / "lib_extend").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
        if (name := path.relative_to(ROOT).as_posix()) not in packaged
    ]
    assert not missing, "pyproject.toml's package-data leaves these out"


def other_pythons() -> list[str]:
    """The oldest and the newest python as far as they are here: a path, else the version alone."""
    found = []
    for version in ("3.10", "3.13"):
        installed = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python{version}"))
        for python in (*map(str, installed), shutil.which(f"python{version}")):
            said = python and subprocess.run([python, "-V"], capture_output=True, text=True).stdout
            if python and said and said.startswith(f"Python {version}"):
                found.append(python)
                break
        else:
            found.append(version)
    return found


@pytest.mark.parametrize("python", other_pythons())
def test_the_wheel_in_the_oldest_and_newest_python(python: str, wheel: Path, tmp_path: Path) -> None:
    """Commands that run no model, without Gradio, torch and the rest."""
    if not Path(python).is_absolute():
        pytest.skip(f"no python{python} here")
    bin = environment(tmp_path / "venv", python, wheel, tmp_path)
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        bin / "python",
        "install",
        "--quiet",
        "--only-binary",
        ":all:",
    )
    if run(*pip, *WITHOUT_MODELS, cwd=tmp_path, check=False).returncode:
        pytest.skip("no packages for that python can be fetched here")
    command = bin / "prompt-extend"
    version = run(command, "--version", cwd=tmp_path).stdout
    assert version.startswith("prompt-extend 0.") and f"Python {Path(python).name[6:]}" in version
    assert "--port" in run(command, "serve", "--help", cwd=tmp_path).stdout
    assert "--tagger" in run(command, "tag", "--help", cwd=tmp_path).stdout
    page = run(command, "serve", cwd=tmp_path, check=False)
    assert page.returncode == 2 and "prompt-extend[serve]" in page.stderr and "Traceback" not in page.stderr
    doctor = run(command, "doctor", cwd=tmp_path, check=False)
    assert doctor.returncode == 1 and "is missing in this python" in doctor.stdout, doctor.stderr


def test_the_demo_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """The models' packages are this environment's; the package itself is the wheel's alone."""
    pytest.importorskip("torch")
    seen = Path(importlib.import_module("tqdm").__file__ or "").parents[1]
    bin = environment(tmp_path / "venv", sys.executable, wheel, seen)
    where = run(bin / "python", "-c", "import lib_extend; print(lib_extend.__file__)", cwd=tmp_path).stdout
    assert str(tmp_path) in where
    # named, because a python is asked only for the packages of its own folder
    worker = {"PROMPT_EXTEND_WORKER_PYTHON": str(bin / "python")}
    done = run(bin / "prompt-extend", "demo", "pictures", cwd=tmp_path, **worker)
    pictures = [p for p in (tmp_path / "pictures").iterdir() if p.suffix in (".png", ".jpg", ".webp")]
    assert len(pictures) == 12 and all(p.with_suffix(".txt").is_file() for p in pictures), done.stdout
    assert "brown cake" in (tmp_path / "pictures" / "classroom.txt").read_text(encoding="utf-8")
    style = "from lib_extend.ui import standalone; print('min-height' in standalone._head())"
    if importlib.util.find_spec("gradio"):
        assert run(bin / "python", "-c", style, cwd=tmp_path).stdout.strip() == "True"


@pytest.mark.skipif(os.name == "nt", reason="no pipe of a shell")
@pytest.mark.parametrize("words", ["tag --help", "models", "models list --json", "doctor"])
def test_a_reader_that_leaves_is_no_error(words: str) -> None:
    """`| head -1`: one line, and no word about a broken pipe."""
    with subprocess.Popen(
        [sys.executable, "-m", "lib_extend", *words.split()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()  # before anything is written
        assert "pipe" not in process.stderr.read().lower()
