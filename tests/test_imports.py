"""Who may import whom: the house rules of the design, checked from the imports themselves."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lib_extend"
HEAVY = {"torch", "transformers", "onnxruntime", "onnx", "tokenizers"}
PURE = ("captions", "questions", "people")
BASE = ("records", "config", "errors")
FRONT_ENDS = {"ui", "api", "cli", "cli_output"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(tree: ast.AST, *, top_only: bool = False) -> Iterator[str]:
    """Full names of imported modules; `top_only` leaves out those inside functions and TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{a.name}" for a in node.names)
        elif top_only and (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        ):
            continue
        else:
            yield from imports(node, top_only=top_only)


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def ours(names: Iterator[str]) -> set[str]:
    return {n.split(".")[1] for n in names if n.startswith("lib_extend.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_house_rules(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    here = room(path)
    every, top = set(imports(tree)), set(imports(tree, top_only=True))
    tops = {n.split(".")[0] for n in every}
    rooms = ours(iter(every))
    if here in BASE:
        assert tops <= set(sys.stdlib_module_names) | {"lib_extend"}
        assert rooms <= set(BASE)
    if here in PURE:
        assert tops <= set(sys.stdlib_module_names) | {"lib_extend"}
        assert rooms <= {*BASE, *PURE}
        assert not tops & {"os", "pathlib", "io", "shutil", "threading", "socket", "subprocess", "sqlite3"}
    if here not in ("models", "analysis", "sketch") and path.name != "attention.py":
        assert not tops & HEAVY, "inference packages belong to the worker's rooms"
    if here in {"batch", *FRONT_ENDS}:
        assert not rooms & {"models", "analysis", "sketch"}, "models are reached through the worker only"
    if here not in FRONT_ENDS | {"__main__"}:
        assert not rooms & FRONT_ENDS, "nothing imports a front end"
    if here != "host":
        assert "modules" not in tops
    if here not in ("host", "ui"):
        assert "gradio" not in tops
    if here in ("worker",) and path.name not in ("server.py", "commands.py", "separating.py"):
        assert not ours(iter(top)) & {"models", "analysis", "sketch"}, "the WebUI imports the client"


def test_the_rules_see_imports_inside_functions() -> None:
    tree = ast.parse("def f():\n    import torch\n    from lib_extend.models import ports\n")
    assert {"torch", "lib_extend.models"} <= set(imports(tree))
    assert not set(imports(tree, top_only=True))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_pickle_and_no_shell(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tops = {n.split(".")[0] for n in imports(ast.parse(text))}
    assert not tops & {"pickle", "marshal", "shelve", "dill", "joblib"}
    assert "shell=True" not in text and "os.system" not in text
    assert "trust_remote_code=True" not in text
