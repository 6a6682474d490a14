"""Writing captions anew from stored analyses: no model runs.

    python -m benchmarks recompose [--json] [--count 1000] [--format newbie]

A folder's analyses (80 scored tags each) are stored once; then the threshold changes twice, or with --format the style
from plain to that one and back. Beside it, in the same run, the least any program could do: write the same texts with
plain `write_text`, nothing kept, nothing safe.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from lib_extend.captions.thresholds import Thresholds
from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import TAGS, ModelKeys, Recipe
from lib_extend.datasets.state import Part, State
from lib_extend.files.scan import scan
from lib_extend.jobs.tagging import TagJob
from lib_extend.tag_table import TagTable

TAGS_EACH = 80


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks recompose")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--format", default="", help="switch between plain and this style")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        result = measure(Path(scratch), args.count, args.format)
    print(f"{args.count:,} captions from stored analyses: {result['seconds']:.2f} s")
    print(f"the same texts by plain write_text:     {result['plain_seconds']:.2f} s")
    if args.json:
        print(json.dumps(result))
    return 0


def measure(root: Path, count: int, format: str = "") -> dict[str, float]:
    """Median seconds of three re-compositions, and of three plain writings."""
    for i in range(count):
        (root / f"{i:06d}.png").write_bytes(b"x")
    config = TagConfig(tagger="stored")
    _store(root, config)
    ours, plain = [], []
    changes: list[dict[str, float | str]] = [{"threshold": t} for t in (0.5, 0.3, 0.6)]
    if format:
        changes = [{"format": f} for f in (format, "plain", format)]
        for _ in TagJob(Dataset(root), config).events():
            pass
    for change in changes:
        began = time.perf_counter()
        for _ in TagJob(Dataset(root), config.with_(**change)).events():
            pass
        ours.append(time.perf_counter() - began)
        texts = {p: p.read_text(encoding="utf-8") for p in root.glob("*.txt")}
        began = time.perf_counter()
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        plain.append(time.perf_counter() - began)
    return {"count": count, "seconds": sorted(ours)[1], "plain_seconds": sorted(plain)[1]}


def _store(root: Path, config: TagConfig) -> None:
    rng = random.Random(0)
    state = State(Dataset(root).state_file, root)
    Recipe.of(config).with_models(ModelKeys("stored", "", Thresholds())).remember_in(state)
    rows = []
    for found in scan(root):
        names = [f"some_tag_{rng.randrange(9999)}" for _ in range(TAGS_EACH)]
        tags = TagTable(names, [rng.randrange(1_000_000) for _ in names], {})
        rows.append((found, TAGS, "stored", Part(512, 512, tags.to_json())))
    with state.transaction():
        state.store_parts(rows)
    state.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
