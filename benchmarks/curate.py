"""Curating a folder: from stored tags to decided captions, and what the page asks at every change.

    python -m benchmarks curate [--json] [--count 10000] [--large 100000]

Pictures of 60 tags each that are sure enough, of 40 characters. "decide": core tags counted, all steps, every caption
composed; reading and writing files is not in it. "preview": the whole folder's table after a change of the settings.
Beside them, in the same run, the least any program could do: every caption joined from its tags as they are.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lib_extend.captions.composing import compose
from lib_extend.captions.thresholds import Thresholds
from lib_extend.config import TagConfig
from lib_extend.curation.core_tags import CoreCounter
from lib_extend.curation.folder_summary import summary
from lib_extend.curation.folder_tags import FolderTags
from lib_extend.curation.line_curator import LineCurator
from lib_extend.curation.own_lists import knowledge
from lib_extend.jobs.core_counting import one_character, uncurated
from lib_extend.records import Analysis, Category
from lib_extend.tag_table import MILLION, TagTable
from lib_extend.vocabulary.merging import own
from lib_extend.vocabulary.tag_names import written

TAGS_EACH, CHARACTERS = 60, 40
CONFIG = TagConfig(prune="character_core", tagger="stored")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks curate")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument(
        "--large", type=int, default=0, help="as many again, for the memory (100,000 take a while)"
    )
    args = parser.parse_args(argv)
    result = measure(args.count)
    print(f"{args.count:,} captions of {TAGS_EACH} tags decided: {result['decide']:.2f} s")
    print(f"the same tags joined as they are:       {result['join']:.2f} s")
    print(f"the table of all tags, first:           {result['preview_first']:.2f} s")
    print(f"the table after a change:               {result['preview']:.2f} s")
    if args.large:
        before = peak()
        result["large_decide"] = decide(args.large)
        result["large_memory_mb"] = peak() - before
        print(
            f"{args.large:,} captions decided:               {result['large_decide']:.2f} s, "
            f"{result['large_memory_mb']:,.0f} MB more memory"
        )
    if args.json:
        print(json.dumps(result))
    return 0


def measure(count: int) -> dict[str, Any]:
    """Seconds of each."""
    began = time.perf_counter()
    for _, tags in analyses(count):
        ", ".join(written(name) for name in tags.names)
    made = time.perf_counter() - began
    began = time.perf_counter()
    for _ in analyses(count):
        pass
    join = made - (time.perf_counter() - began)
    first, again = preview(count)
    return {"decide": decide(count), "join": join, "preview_first": first, "preview": again}


def decide(count: int) -> float:
    """Seconds from tags to captions, making the tags not counted."""
    curator = LineCurator(knowledge(CONFIG))
    thresholds = Thresholds()
    counter = CoreCounter()
    seconds = 0.0
    for image, tags in analyses(count):
        began = time.perf_counter()
        found = uncurated(Analysis(512, 512, tags), None, CONFIG, thresholds)
        counted = one_character(curator, found, image)
        if counted is not None:
            counter.add("", *counted)
        seconds += time.perf_counter() - began
    began = time.perf_counter()
    table = counter.table(CONFIG, curator.knowledge.difficulty)
    curator.knowledge = replace(curator.knowledge, core=table)
    seconds += time.perf_counter() - began
    for image, tags in analyses(count):
        began = time.perf_counter()
        compose(Analysis(512, 512, tags), CONFIG, image_key=image, thresholds=thresholds, curator=curator)
        seconds += time.perf_counter() - began
    return seconds


def preview(count: int) -> tuple[float, float]:
    """Seconds of the first table of a folder that is read, and of the third, after two changes."""
    tags = FolderTags()
    for image, table in analyses(count):
        tags.add(image, table.rows())
    tags.close()
    times = []
    for settings in ({}, {"prune": "minimal"}, {"prune": "character_core", "core_threshold": 0.5}):
        known = knowledge(CONFIG.with_(**settings))
        began = time.perf_counter()
        summary(tags, known, lambda name, category: MILLION * 35 // 100, "0.35")
        times.append(time.perf_counter() - began)
    return times[0], times[2]


def analyses(count: int) -> Iterator[tuple[str, TagTable]]:
    """Pictures with their tags, the same at every call: frequent ones far more often, as on real pictures."""
    words = [n for n in own() if own().category(n) in (None, Category.GENERAL)]
    rng = random.Random(0)
    looks = [rng.sample(words[:400], 12) for _ in range(CHARACTERS)]
    for i in range(count):
        rng = random.Random(i)
        character = rng.randrange(CHARACTERS)
        names = dict.fromkeys(["1girl", "solo", *(n for n in looks[character] if rng.random() < 0.9)])
        while len(names) < TAGS_EACH - 1:
            names[words[int(len(words) * rng.random() ** 3)]] = None
        found = [*names, f"character_{character}"]
        scores = [350_000 + rng.randrange(650_000) for _ in found[:-1]]
        yield f"{i:06d}.png", TagTable(found, [*scores, 990_000], {len(found) - 1: Category.CHARACTER})


def peak() -> float:
    """The most memory that this process had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
