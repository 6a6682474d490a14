"""Finding tags while somebody types, among 200,000.

    python -m benchmarks vocabulary [--json] [--count 200000] [--file danbooru.csv]

The names are made of our own words in new combinations, with numbers of pictures that fall off as on a site and another
word for every fifth; or they are a file's. Queries are the beginnings of words, of one letter and more.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

from lib_extend.datasets.tag_list_files import read_tag_list
from lib_extend.records import Category
from lib_extend.vocabulary.merging import merged
from lib_extend.vocabulary.name_index import NameIndex
from lib_extend.vocabulary.own_data import own_list
from lib_extend.vocabulary.tag_list import TagList, TagRow

LIMIT_MS = 30
QUERIES = 2000
_SHOWN = 20


def main(argv: list[str]) -> int:
    """Measure and print; exit code 1 where a query takes too long."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks vocabulary")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--file", type=Path)
    args = parser.parse_args(argv)
    result = measure(read_tag_list(args.file) if args.file else made_list(args.count))
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{result['tags']:,} tags, {result['places']:,} beginnings of words")
        print(f"lists put together:       {result['merge_seconds']:.1f} s")
        print(f"index made:               {result['index_seconds']:.1f} s")
        print(f"memory of both:           {result['bytes'] / 1e6:.0f} MB")
        print(f"query, median:            {result['p50_ms']:.2f} ms")
        print(f"query, 95th percentile:   {result['p95_ms']:.2f} ms, at most {LIMIT_MS}")
        print(f"query, longest:           {result['max_ms']:.1f} ms")
    return 0 if float(result["p95_ms"]) <= LIMIT_MS else 1


def made_list(count: int) -> TagList:
    """So many tags, always the same."""
    chance = random.Random(1)
    words = sorted({word for row in own_list().rows for word in row.name.split("_") if word.isalnum()})
    names: dict[str, None] = {}
    while len(names) < count:
        names["_".join(chance.choices(words, k=chance.randint(1, 4)))] = None
    rows = [
        TagRow(
            name,
            Category.GENERAL,
            6_000_000 // (place + 1),
            False,
            (f"{name}s_too",) if not place % 5 else (),
        )
        for place, name in enumerate(names)
    ]
    return TagList("made", rows)


def measure(tags: TagList) -> dict[str, float]:
    """Seconds, bytes and milliseconds."""
    started = time.perf_counter()
    vocabulary = merged([tags, own_list()]).vocabulary
    merge_seconds = time.perf_counter() - started
    started = time.perf_counter()
    index = NameIndex(vocabulary)
    index_seconds = time.perf_counter() - started
    times = sorted(_timed(index, text) for text in _queries(vocabulary.columns.names))
    places = len(index)
    del vocabulary, index
    # measured apart, because watching memory is slow
    tracemalloc.start()
    again = merged([tags, own_list()]).vocabulary
    kept = (again, NameIndex(again))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {
        "tags": len(kept[0]),
        "places": places,
        "merge_seconds": merge_seconds,
        "index_seconds": index_seconds,
        "bytes": taken,
        "p50_ms": 1000 * times[len(times) // 2],
        "p95_ms": 1000 * times[int(len(times) * 0.95)],
        "max_ms": 1000 * times[-1],
    }


def _queries(names: Sequence[str]) -> list[str]:
    chance = random.Random(2)
    found: list[str] = []
    while len(found) < QUERIES:
        word = chance.choice(chance.choice(names).split("_"))
        found += [word[:length] for length in range(1, min(len(word), 6) + 1)]
    return found[:QUERIES]


def _timed(index: NameIndex, text: str) -> float:
    started = time.perf_counter()
    index.find(text, _SHOWN)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
