"""Browsing a folder of many pictures: opening it again, filtering, memory.

    python -m benchmarks browse [--json] [--count 100000]

A folder is made of hard links to one small picture, with captions of about 30 tags from a vocabulary of 12,000 whose
frequencies fall off as they do in real sets. It is looked through once (the first scan); everything else is
measured in a fresh process, as a WebUI that was started anew finds it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lib_extend.datasets.browse import Browsers

TAGS_EACH = 30
VOCABULARY = 12_000
FILTERS = (
    "1girl",
    "hair -hat",
    "tag:tag_000004 or tag:tag_000009",
    "missing:1girl",
    "tag_0001* and not (tag_000003 or tag_000005)",
    'text:"hair, tag"',
    "source:human tokens>75",
    "tags<20 or tags>40",
    "has:caption -has:analysis",
    "unsure",
)
REGEXES = (r"/hair, tag 00001\d/", r"/\d+ (boxes|bags)/", "/^1girl.*hat$/")
OPEN_LIMIT, FILTER_LIMIT, MEMORY_LIMIT = 2.0, 0.2, 150e6


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks browse")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.folder:
        print(json.dumps(_reopened(args.folder)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        result = measure(Path(scratch), args.count)
    print(f"{args.count:,} pictures, first scan:         {result['first_scan_seconds']:.1f} s")
    print(f"open again (list shown):            {result['open_seconds']:.2f} s, at most {OPEN_LIMIT:g}")
    print(f"  and checked for changes:          {result['checked_seconds']:.2f} s")
    print(
        f"filter, 95th percentile:            {result['filter_p95_ms']:.0f} ms, at most {FILTER_LIMIT * 1e3:g}"
    )
    print(f"  slowest: {result['filter_slowest']}")
    print(f"table of tags, 95th percentile:     {result['tags_p95_ms']:.0f} ms")
    print(
        f"regular expression, first / median: {result['regex_first_ms']:.0f} / {result['regex_median_ms']:.0f} ms"
    )
    print(
        f"memory of the index:                {result['memory_bytes'] / 1e6:.0f} MB, at most {MEMORY_LIMIT / 1e6:g}"
    )
    print(f"add a tag to 1,000 captions:        {result['edit_seconds']:.2f} s")
    if args.json:
        print(json.dumps(result))
    return 0


def measure(scratch: Path, count: int) -> dict[str, Any]:
    """All numbers; `scratch` is filled and left to the caller."""
    root = scratch / "pictures"
    build(root, count)
    browsers = Browsers()
    began = time.perf_counter()
    browsers.open(root).wait()
    first = time.perf_counter() - began
    browsers.close()
    command = [sys.executable, "-m", "benchmarks", "browse", "--folder", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"count": count, "first_scan_seconds": first, **result}


def build(root: Path, count: int) -> None:
    """The folder: hard links (copies where there are none) and captions."""
    from PIL import Image

    root.mkdir()
    picture = root.with_name("picture.png")
    Image.new("RGB", (64, 48), "red").save(picture)
    rng = random.Random(0)
    names = ["1girl", "red hair", "black hair", "hat"] + [f"tag {i:06d}" for i in range(VOCABULARY)]
    weights = [1 / (i + 2) ** 0.8 for i in range(len(names))]
    links = True
    for i in range(count):
        target = root / f"{i:06d}.png"
        # a file system allows a file so many names
        if links and i % 30_000 == 29_999:
            picture = Path(shutil.copy(picture, root.with_name(f"picture{i}.png")))
        try:
            os.link(picture, target) if links else shutil.copy(picture, target)
        except OSError:
            links = False
            shutil.copy(picture, target)
        tags = dict.fromkeys(
            rng.choices(names, weights, k=rng.randint(TAGS_EACH // 2, TAGS_EACH * 3 // 2 + 8))
        )
        target.with_suffix(".txt").write_text(", ".join(tags), encoding="utf-8")


def _reopened(root: Path) -> dict[str, Any]:
    before = _memory()
    began = time.perf_counter()
    browser = Browsers().open(root)
    browser.wait()
    rows = browser.images(limit=100)[1]
    opened = time.perf_counter() - began
    assert len(rows) == min(100, len(browser.index))
    browser.settle()
    checked = time.perf_counter() - began
    memory = _memory() - before
    filters = {text: _seconds(lambda text=text: browser.images(text)) for text in FILTERS}
    tables = [_seconds(lambda text=text: browser.tags(f"{text} has:caption")) for text in FILTERS]
    regexes = [_seconds(lambda text=text: browser.images(text)) for text in REGEXES]
    result = {
        "open_seconds": opened,
        "checked_seconds": checked,
        "memory_bytes": memory,
        "filter_p95_ms": _p95(list(filters.values())) * 1e3,
        "filter_slowest": max(filters, key=lambda t: filters[t]),
        "tags_p95_ms": _p95(tables) * 1e3,
        "regex_first_ms": regexes[0] * 1e3,
        "regex_median_ms": sorted(regexes[1:])[len(regexes[1:]) // 2] * 1e3,
    }
    from lib_extend.services.browse_edits import edit
    from lib_extend.services.edit_actions import Edit

    names = browser.names(browser.filtered(""))[:1000]
    began = time.perf_counter()
    edit(browser, Edit("add", ("a new tag",)), names=names)
    result["edit_seconds"] = time.perf_counter() - began
    browser.close()
    return result


def _seconds(ask: Any) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]


def _memory() -> int:
    """Bytes of this process in memory (Linux and where psutil is there; else 0)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
