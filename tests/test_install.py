"""install.py: harmless under the WebUI, clear by hand. (Its environments are made by whoever runs these tests.)"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def install(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", str(ROOT / "install.py"), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_webui_start_does_nothing(tmp_path: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in ROOT.iterdir() if p.is_file()}
    began = time.monotonic()
    # the WebUI's working folder and path are its own; -S hides every installed package
    done = install(cwd=tmp_path)
    assert time.monotonic() - began < 5
    assert done.returncode == 0 and done.stderr == ""
    assert len(done.stdout.splitlines()) == 1 and "nothing to install" in done.stdout
    assert not list(tmp_path.iterdir())
    assert {p.name: p.stat().st_mtime_ns for p in ROOT.iterdir() if p.is_file()} == before


def test_dependencies_are_bounded_by_what_was_tried() -> None:
    """Each has an upper bound, and what is installed here lies within; mend pyproject.toml when a new one is tried."""
    import tomlkit
    from packaging.requirements import Requirement

    project = tomlkit.parse((ROOT / "pyproject.toml").read_text(encoding="utf-8")).unwrap()["project"]
    extras = project["optional-dependencies"].values()
    wanted = [Requirement(text) for text in [*project["dependencies"], *(t for some in extras for t in some)]]
    assert {"torch", "transformers", "gradio", "ruff"} <= {r.name for r in wanted}
    for one in wanted:
        assert {s.operator for s in one.specifier} & {"<", "=="}, f"{one} has no upper bound"
        version = metadata.version(one.name)
        assert one.specifier.contains(version), f"{one.name} {version} is installed"


def test_wrong_words(tmp_path: Path) -> None:
    done = install("frobnicate", cwd=tmp_path)
    assert done.returncode == 2 and "python install.py demo" in done.stderr


def test_demo_keeps_what_a_person_wrote(tmp_path: Path) -> None:
    """The demo's own code on a copy of the samples: a caption that is there stays a person's."""
    sys.path.insert(0, str(ROOT))
    try:
        import install as module
    finally:
        sys.path.pop(0)
    demo = tmp_path / "demo"
    demo.mkdir()
    (demo / "classroom.txt").write_text("mine", encoding="utf-8")
    commands: list[list[str]] = []
    saved = module.DEMO, module.environment, module.run
    module.DEMO, module.environment = demo, lambda extra: sys.executable
    module.run = lambda command: commands.append(command) or 0
    try:
        assert module.demo() == 0
    finally:
        module.DEMO, module.environment, module.run = saved
    assert len([p for p in demo.iterdir() if p.suffix != ".txt"]) == 12
    assert (demo / "classroom.txt").read_text() == "mine"
    (command,) = commands
    assert command[0] == sys.executable and "--offline" in command and os.fspath(demo) in command


def test_serve_hands_its_arguments_on() -> None:
    sys.path.insert(0, str(ROOT))
    try:
        import install as module
    finally:
        sys.path.pop(0)
    commands: list[list[str]] = []
    extras: list[str] = []
    saved = module.environment, module.run
    module.environment = lambda extra: extras.append(extra) or sys.executable
    module.run = lambda command: commands.append(command) or 0
    try:
        assert module.main(["serve", "--device", "cpu", "--port", "1"]) == 0
    finally:
        module.environment, module.run = saved
    assert extras == ["serve"]
    card = [sys.executable, "-m", "lib_extend", "card", "--install", "--device", "cpu"]
    assert commands == [card, [sys.executable, "-m", "lib_extend", "serve", "--port", "1"]]


def test_the_webui_start_with_nobody_listening(tmp_path: Path) -> None:
    """The WebUI's launcher may have closed the pipe: that is not worth a traceback in its log."""
    with open(os.devnull) as unwritable:
        done = subprocess.run(
            [sys.executable, "-S", "-u", str(ROOT / "install.py")],
            cwd=tmp_path,
            stdout=unwritable,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0 and "Traceback" not in done.stderr
