"""The rooms of `lib_extend` and who may import whom: the one table, read by the import test and by the documents."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lib_extend"


@dataclass(frozen=True)
class Room:
    """One room.

    Attributes:
        name: a folder of `lib_extend`, or a file of it without `.py`.
        what: what is in it, for CONTRIBUTING's table.
        imports: the rooms it may import.
        packages: packages besides the standard library that it may import, at any place in its files.
    """

    name: str
    what: str
    imports: str = ""
    packages: str = ""

    @property
    def rooms(self) -> set[str]:
        return set(self.imports.split())

    @property
    def may_use(self) -> set[str]:
        return set(self.packages.split())


BASE = "json_record records errors tag_table tagger_agreement"
PURE = f"{BASE} guarded_regex config vocabulary questions people captions"
ENGINE = f"{PURE} curation files parts datasets"

ROOMS: tuple[Room, ...] = (
    Room("json_record", "records as JSON values and back, by the types of their fields"),
    Room("records", "the nouns that cross pipes and files", "json_record"),
    Room("errors", "the kinds of trouble"),
    Room("tag_table", "a picture's tags in columns", "records"),
    Room(
        "tagger_agreement", "what several taggers say of a picture, made one", "json_record records tag_table"
    ),
    Room(
        "guarded_regex", "regular expressions that a user typed: bounded in time and size", "errors", "regex"
    ),
    Room(
        "config",
        "the settings: one dataclass a group, the command line's options made from them",
        "errors vocabulary",
    ),
    Room(
        "vocabulary",
        "what words mean: the look-up of tags; people counts, colors, objects, plurals, names",
        BASE,
    ),
    Room(
        "prompt_expansion",
        "what an expander of prompts is asked for, and what it gives",
        f"{BASE} vocabulary",
    ),
    Room("questions", "what to ask, and how to read an answer", f"{BASE} config vocabulary"),
    Room("people", "whose tag is whose", f"{BASE} config vocabulary questions"),
    Room("captions", "from tags to text and back: reading, editing, composing", f"{PURE}"),
    Room(
        "curation",
        "what a caption leaves out and why: one file a step, core tags of characters",
        PURE,
    ),
    Room(
        "files",
        "on disk: scanning, encodings, atomic writes, locks, downloads; knows no application",
        BASE,
        "filelock httpx",
    ),
    Room(
        "datasets",
        "a dataset: its state, recipe, index and filters for browsing",
        f"{PURE} curation files parts worker",
        "filelock PIL",
    ),
    Room(
        "models",
        "one file a family of models; the registry; downloads",
        f"{BASE} vocabulary prompt_expansion files",
        "torch transformers onnxruntime huggingface_hub safetensors tokenizers numpy PIL pillow_avif httpx cykooz_resizer "
        "tqdm filelock bitsandbytes accelerate jinja2 gguf xllamacpp",
    ),
    Room(
        "analysis",
        "from a picture to what is in it, many pictures at once",
        f"{PURE} files models",
        "torch onnxruntime numpy PIL pillow_avif",
    ),
    Room(
        "expanding",
        "from a user's prompt to an expander and back: fields, what must not come, the function that does it",
        f"{PURE} prompt_expansion models",
    ),
    Room(
        "parts",
        "one file a kind of what models say about a picture: its key, its record, what makes it in the worker",
        f"{BASE} config questions people analysis models",
        "numpy PIL",
    ),
    Room(
        "worker",
        "the inference process: environment, protocol, kinds of tasks, server, client",
        f"{PURE} prompt_expansion expanding files models parts analysis sketch",
        "numpy PIL filelock tqdm",
    ),
    Room("preparation", "buckets, and what becomes of pictures in them", f"{BASE} files", "PIL"),
    Room(
        "export",
        "one file a trainer: how it reads a folder, what of it would break there, and the folder made for it",
        f"{ENGINE} analysis preparation generation",
        "PIL tomlkit",
    ),
    Room(
        "jobs", "a recipe over a dataset: plan, run, journal, resume, undo", f"{ENGINE} worker", "tqdm pandas"
    ),
    Room(
        "generation",
        "cast to prompts, regions to masks, the attention, LoRAs, infotext; knows no host",
        f"{PURE} prompt_expansion files",
        "torch safetensors numpy PIL httpx filelock",
    ),
    Room(
        "host",
        "all that touches a WebUI",
        f"{ENGINE} generation worker",
        "modules backend modules_forge torch gradio",
    ),
    Room(
        "services",
        "what the front ends offer",
        f"{ENGINE} prompt_expansion expanding export jobs generation host worker",
        "PIL",
    ),
    Room(
        "api",
        "the HTTP routes",
        f"{BASE} config questions prompt_expansion expanding files datasets export jobs generation host services web",
        "starlette",
    ),
    Room("web", "the page: modules, styles, texts"),
    Room("ui", "the page in Gradio, and alone", f"{BASE} host api services web", "gradio fastapi uvicorn"),
    Room("cli", "the command line", f"{ENGINE} preparation export jobs services worker ui", "tqdm"),
    Room(
        "sketch",
        "drawn scenes with known truth, and the small models trained on them",
        f"{PURE} prompt_expansion files models",
        "torch transformers onnx onnxruntime numpy PIL safetensors tokenizers sentencepiece tqdm",
    ),
)
BY_NAME = {room.name: room for room in ROOMS}


def room_of(path: Path) -> str:
    """The room of a file of the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


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
        elif not isinstance(node, ast.expr):  # no import stands in an expression
            yield from imports(node, top_only=top_only)


@cache
def tree_of(path: Path) -> ast.Module:
    """A file's syntax tree, read once."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its full name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = path
    return found


@cache
def graph() -> dict[str, set[str]]:
    """Which module imports which, wherever the import stands; a package's own face is left out."""
    known = modules()
    result = {}
    for name, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        result[name] = {
            m for m in imports(tree) if m in known and m != name and known[m].name != "__init__.py"
        }
    return result


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of two and more that import each other, directly or around (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            group, stack[at:] = stack[at:], []
            if len(group) > 1:
                found.append(sorted(group))

    for node in edges:
        if node not in index:
            visit(node)
    return found


def room_graph() -> dict[str, set[str]]:
    """Which room imports which, as the files do it today."""
    rooms: dict[str, set[str]] = {room.name: set() for room in ROOMS}
    for name, others in graph().items():
        here = room_of(modules()[name])
        if here in rooms:
            rooms[here] |= {room_of(modules()[o]) for o in others} - {here}
    return rooms


def reduced(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """The arrows that are needed to know who stands on whom: those that another way implies are left out."""

    def reach(node: str) -> set[str]:
        found: set[str] = set()
        todo = list(edges.get(node, ()))
        while todo:
            other = todo.pop()
            if other not in found:
                found.add(other)
                todo += edges.get(other, ())
        return found

    below = {node: reach(node) for node in edges}
    return {
        n: {o for o in others if not any(o in below[x] for x in others - {o})} for n, others in edges.items()
    }


def table() -> str:
    """The rooms as a Markdown table."""
    rows = ["| room of `lib_extend` | what is in it | may import |", "|---|---|---|"]
    for room in ROOMS:
        pure = set(PURE.split())
        rest = [
            name
            for name in room.imports.split()
            if name != room.name and not (pure <= room.rooms and name in pure)
        ]
        names = (["the pure rooms"] if pure <= room.rooms else []) + [f"`{name}`" for name in rest]
        may = ", ".join(names) or "the standard library only"
        rows.append(f"| `{room.name}` | {room.what} | {may} |")
    return "\n".join(rows)


def diagram() -> str:
    """The rooms and their arrows for Mermaid, made from the imports."""
    lines = ["```mermaid", "flowchart TD"]
    for name, others in reduced(room_graph()).items():
        lines += [f"    {name} --> {other}" for other in sorted(others)]
    return "\n".join([*lines, "```"])


def filled(text: str, mark: str, content: str) -> str:
    """`text` with what stands between `<!-- mark -->` and `<!-- /mark -->` replaced."""
    block = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    assert len(block.findall(text)) == 1, f"no block {mark!r}"
    return block.sub(lambda m: f"{m[1]}{content}\n{m[2]}", text)


def pages() -> dict[Path, str]:
    """The pages that hold something made from the code, as they should be."""
    contributing, architecture = ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"
    return {
        contributing: filled(contributing.read_text(encoding="utf-8"), "rooms", table()),
        architecture: filled(architecture.read_text(encoding="utf-8"), "diagram", diagram()),
    }


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
