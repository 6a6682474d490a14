"""Who may import whom: the house rules, checked from the imports themselves."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from tests.house import BY_NAME, PACKAGE, ROOMS, circles, graph, imports, modules, room_of, tree_of

HEAVY = {"torch", "transformers", "onnxruntime", "onnx", "tokenizers"}
PURE = {"records", "errors", "tag_table", "config", "vocabulary", "captions", "questions", "people"}
TOUCHES_THE_WORLD = {"os", "pathlib", "io", "shutil", "threading", "socket", "subprocess", "sqlite3"}
TENSORS = {
    "attention.py",
    "regional_lora.py",
    "lora_hooks.py",
    "lora_text_hooks.py",
    "lora_deltas.py",
    "lora_weights.py",
}
"""Files of `generation` that compute with torch: imported only where a UNet is at work."""
OUTSIDE_THE_TABLE = {"__init__", "__main__"}
IN_THE_PROCESS = {"serving_process.py", "commands.py", "separate_command.py"}
"""Files of the worker that only its own process imports."""
ROOM_CIRCLES: list[list[str]] = []
FILE_CIRCLES: list[list[str]] = []
"""Circles that still stand. A new one fails, and so does one that is gone: it leaves the list."""


def _tops(names: set[str]) -> set[str]:
    return {n.split(".")[0] for n in names}


def _rooms(names: set[str]) -> set[str]:
    return {n.split(".")[1] for n in names if n.startswith("lib_extend.") and n.split(".")[1] in BY_NAME}


def test_every_file_keeps_the_rules_of_its_room() -> None:
    broken = []
    for path in modules().values():
        here = room_of(path)
        if here in OUTSIDE_THE_TABLE:
            continue
        if here not in BY_NAME:
            broken.append(f"{path.relative_to(PACKAGE)}: no room of the table")
            continue
        tree = tree_of(path)
        every, top = set(imports(tree)), set(imports(tree, top_only=True))
        room = BY_NAME[here]
        where = path.relative_to(PACKAGE)
        if extra := _rooms(every) - room.rooms - {here}:
            broken.append(f"{where} imports {sorted(extra)}")
        if packages := _tops(every) - set(sys.stdlib_module_names) - {"lib_extend"} - room.may_use:
            broken.append(f"{where} imports the package {sorted(packages)}")
        if here in PURE - {"vocabulary", "config"} and _tops(every) & TOUCHES_THE_WORLD:
            broken.append(f"{where} is pure, but touches files or threads")
        if here == "generation" and path.name not in TENSORS and _tops(every) & HEAVY:
            broken.append(f"{where}: inference packages belong to the worker's rooms")
        if (
            here in ("worker", "parts")
            and path.name not in IN_THE_PROCESS
            and _rooms(top) & {"models", "analysis", "sketch"}
        ):
            broken.append(f"{where} is imported by the WebUI, but imports models")
    assert not broken, "\n".join(broken)


def test_no_circle_between_rooms_or_files() -> None:
    edges = graph()
    assert sorted(circles(edges)) == FILE_CIRCLES
    rooms: dict[str, set[str]] = {}
    for name, others in edges.items():
        here = room_of(modules()[name])
        rooms.setdefault(here, set()).update(room_of(modules()[o]) for o in others)
    assert circles({r: o - {r} for r, o in rooms.items()}) == ROOM_CIRCLES


def test_the_table_has_no_circle_but_those_that_stand() -> None:
    assert circles({room.name: room.rooms - {room.name} for room in ROOMS}) == ROOM_CIRCLES


def test_the_rules_see_imports_inside_functions() -> None:
    tree = ast.parse("def f():\n    import torch\n    from lib_extend.models import ports\n")
    assert {"torch", "lib_extend.models"} <= set(imports(tree))
    assert not set(imports(tree, top_only=True))
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_no_pickle_and_no_shell() -> None:
    broken = []
    for path in modules().values():
        text = path.read_text(encoding="utf-8")
        tops = _tops(set(imports(tree_of(path))))
        unsafe = tops & {"pickle", "marshal", "shelve", "dill", "joblib"}
        unsafe |= {w for w in ("shell=True", "os.system", "trust_remote_code=True") if w in text}
        if unsafe:
            broken.append(f"{path.relative_to(PACKAGE)}: {sorted(unsafe)}")
    assert not broken, "\n".join(broken)


def test_a_file_name_says_what_is_in_it_once_in_the_house() -> None:
    seen: dict[str, list[Path]] = {}
    for path in modules().values():
        if path.name not in ("__init__.py", "__main__.py"):
            seen.setdefault(path.name, []).append(path.relative_to(PACKAGE))
    repeated = {name.removesuffix(".py") for name, paths in seen.items() if len(paths) > 1}
    assert not repeated
