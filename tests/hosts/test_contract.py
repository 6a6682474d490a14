"""What our Host objects rely on, read in the WebUIs' own sources; and which Host takes a WebUI for its own.

    PROMPT_EXTEND_HOST_SOURCES=/src/neo:/src/classic pytest tests/hosts/test_contract.py

Each folder is a WebUI's root. Nothing of them is run.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from lib_extend.host import webuis
from lib_extend.host.webuis.webui import COMMON, Host, Reliance

SOURCES = [Path(p) for p in os.environ.get("PROMPT_EXTEND_HOST_SOURCES", "").split(os.pathsep) if p]
HERE = Path(__file__).parent

FAMILIES = {
    "AUTOMATIC1111": ("modules/hypernetworks",),
    "Forge": ("modules/hypernetworks", "backend/memory_management", "modules_forge/main_thread"),
    "Forge neo": ("backend/memory_management", "modules_forge/presets"),
    "reForge": ("modules/hypernetworks", "ldm_patched/modules/model_management"),
    "Forge classic": ("ldm_patched/modules/model_management",),
}
"""What each has of what tells them apart."""


def has(root: Path, module: str) -> bool:
    path = root.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def host_of(root: Path) -> Host | None:
    return webuis.recognised(lambda module: has(root, module))


def definition(tree: ast.Module, name: str) -> ast.AST | None:
    """A function or class of a file by its name, a method as `Class.method`."""
    here: ast.AST | None = tree
    for part in name.split("."):
        here = next(
            (
                node
                for node in getattr(here, "body", ())
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                and node.name == part
            ),
            None,
        )
    return here


def broken(root: Path, reliance: Reliance) -> str:
    """What a WebUI lacks of what is relied on, "" for nothing."""
    path = root / reliance.file
    if not path.is_file():
        return f"{reliance.file} is missing"
    if not reliance.name:
        return ""
    found = definition(ast.parse(path.read_text(encoding="utf-8")), reliance.name)
    if found is None:
        return f"{reliance.file} has no {reliance.name}"
    if reliance.takes:
        arguments = found.args if isinstance(found, ast.FunctionDef) else None
        names = (
            {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
            if arguments
            else set()
        )
        if missing := set(reliance.takes) - names:
            return f"{reliance.file}: {reliance.name} takes no {', '.join(sorted(missing))}"
    scope = found
    if reliance.sets and isinstance(found, ast.FunctionDef) and "." in reliance.name:
        # attributes may be set by another method of the class, or stand in its body
        tree = ast.parse(path.read_text(encoding="utf-8"))
        scope = definition(tree, reliance.name.split(".")[0]) or found
    used = {node.attr for node in ast.walk(scope) if isinstance(node, ast.Attribute)}
    used |= {node.target.id for node in ast.walk(scope) if _is_field(node)}  # type: ignore[attr-defined]
    used |= {
        t.id
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign)
        for t in node.targets
        if isinstance(t, ast.Name)
    }
    if missing := set(reliance.sets) - used:
        return f"{reliance.file}: {reliance.name} has no {', '.join(sorted(missing))}"
    return ""


def _is_field(node: ast.AST) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)


@pytest.mark.parametrize("root", SOURCES, ids=lambda root: root.name)
def test_a_real_hosts_sources_have_what_is_relied_on(root: Path) -> None:
    host = host_of(root)
    assert host is not None, f"{root} is taken for no WebUI"
    faults = [fault for reliance in (*COMMON, *host.reliances) if (fault := broken(root, reliance))]
    assert not faults, f"{host.name}:\n" + "\n".join(faults)


def test_sources_are_given() -> None:
    if not SOURCES:
        pytest.skip("PROMPT_EXTEND_HOST_SOURCES is not given")
    assert all((root / "modules").is_dir() for root in SOURCES)


@pytest.mark.parametrize(("name", "files"), FAMILIES.items())
def test_each_family_is_taken_for_itself_alone(tmp_path: Path, name: str, files: tuple[str, ...]) -> None:
    for file in files:
        path = tmp_path / f"{file}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    taking = [host.name for host in webuis.all_hosts() if host.recognises(lambda m: has(tmp_path, m))]
    assert taking == [name]


def test_the_reading_sees_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "class A:\n    size: int = 3\n    def f(self, x, *, y=1):\n        self.step = 0\ndef g(*, z): pass\n",
        encoding="utf-8",
    )
    for reliance, fault in (
        (Reliance("a.py"), ""),
        (Reliance("b.py"), "b.py is missing"),
        (Reliance("a.py", "A.f", takes=("x", "y"), sets=("step", "size")), ""),
        (Reliance("a.py", "g", takes=("z",)), ""),
        (Reliance("a.py", "A.h"), "a.py has no A.h"),
        (Reliance("a.py", "A.f", takes=("w",)), "a.py: A.f takes no w"),
        (Reliance("a.py", "A.f", sets=("stop",)), "a.py: A.f has no stop"),
    ):
        assert broken(tmp_path, reliance) == fault
