"""Makes `environment_lists.json`, the exact versions that the worker's environment installs.

    python -m lib_extend.worker.environment_lists_making [--uv PROGRAM]

For whoever maintains Prompt Extend: `uv` (a package of its own) chooses the newest versions within the ranges of
`environment_needs` for every Python and system at once, and gives the hashes of their files. Before the result is
kept, make the environment with it and tag something.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError
from lib_extend.worker.environment_lists import GENERATIONS, HOSTS_OWN, LISTS, PYTHONS, Pinned, key
from lib_extend.worker.environment_needs import OPTIONAL, REQUIRED, RUNTIME_RANGES, upper

_ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\\n]+?))?\s*\\?$"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def combinations() -> Iterator[tuple[str, str, list[str]]]:
    """(generation of torch, build of onnxruntime, requirements) for each list."""
    for torch in (f"{a}.{b}" for a, b in GENERATIONS):
        base = [
            f"{r.name}>={r.low}{upper(r, torch)}" for r in REQUIRED if r.name not in ("torch", "onnxruntime")
        ]
        for runtime, asked in RUNTIME_RANGES.items():
            # The first torch for CUDA 13 is 2.9.
            if runtime != "cuda13" or torch == f"{GENERATIONS[-1][0]}.{GENERATIONS[-1][1]}":
                yield torch, runtime, [*base, *OPTIONAL, asked]


def resolve(uv: str, requirements: Sequence[str]) -> list[Pinned]:
    """What `uv` chooses. Raises UserError with its words when it finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "asked.in")
        asked.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        command = [uv, "pip", "compile", str(asked), "--universal", "--generate-hashes", "--quiet"]
        command += ["--only-binary", ":all:", "--no-header", "--no-annotate"]
        command += ["--python-version", ".".join(map(str, PYTHONS[0]))]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise UserError(f"uv chose no versions for {', '.join(requirements)}: {done.stderr.strip()[-500:]}")
    return pins(done.stdout)


def pins(text: str) -> list[Pinned]:
    """The entries of a requirements file with hashes. Raises UserError for one that has none."""
    found: list[Pinned] = []
    hashes: list[str] = []
    begun: re.Match[str] | None = None

    def end() -> None:
        if begun is None:
            return
        if not hashes:
            raise UserError(f"uv gave no hashes for {begun['name']}: is the index a complete one?")
        found.append(
            Pinned(
                begun["name"].lower().replace("_", "-"),
                begun["version"],
                begun["marker"] or "",
                tuple(sorted(hashes)),
            )
        )

    for line in text.splitlines():
        if entry := _ENTRY.match(line.strip()):
            end()
            begun, hashes = entry, []
        hashes += _HASH.findall(line)
    end()
    return found


def table(lists: dict[str, list[Pinned]]) -> dict[str, Any]:
    """The lists as JSON values, each file's hashes once."""
    files = {p.exact: list(p.hashes) for some in lists.values() for p in some}
    rows = {
        name: [f"{p.exact} ; {p.marker}" if p.marker else p.exact for p in some]
        for name, some in lists.items()
    }
    return {"files": dict(sorted(files.items())), "lists": rows}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--uv", default="uv", help="the program (default: the one on the path)")
    parser.add_argument("--out", type=Path, default=LISTS, help="the file to write")
    args = parser.parse_args(arguments)
    uv = shutil.which(args.uv)
    if uv is None:
        print(
            f"There is no program {args.uv}: install the package uv, or name it with --uv.", file=sys.stderr
        )
        return 2
    lists: dict[str, list[Pinned]] = {}
    try:
        for torch, runtime, requirements in combinations():
            print(key(torch, runtime), flush=True)
            lists[key(torch, runtime)] = [
                p for p in resolve(uv, requirements) if p.name not in HOSTS_OWN - {"numpy", "pillow"}
            ]
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    args.out.write_text(json.dumps(table(lists), indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
