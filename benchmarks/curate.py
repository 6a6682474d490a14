"""Curating a folder: from stored tags to decided captions, and what the page asks at every change.

    python -m benchmarks curate [--json] [--count 10000] [--large 100000]

Pictures of 60 tags each that are sure enough, of 40 characters. "decide": core tags counted, all steps, every caption
composed; reading and writing files is not in it. "preview": the whole folder's table after a change of the settings.
Beside them, in the same run, the least any program could do: every caption joined from its tags as they are.

Seconds are those of a clock, and in brackets those that the processor worked on it: on a machine with other work (its load
is printed) the first say little.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

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

TAGS_EACH, CHARACTERS, CHUNK = 60, 40, 256
CONFIG = TagConfig(prune="character_core", tagger="stored")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks curate")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument(
        "--large", type=int, default=0, help="as many again, for the memory (100,000 take a while)"
    )
    args = parser.parse_args(argv)
    print(f"load: {', '.join(f'{x:.1f}' for x in os.getloadavg())} on {os.cpu_count()} processors")
    result = measure(args.count)
    print(f"{args.count:,} captions of {TAGS_EACH} tags decided: {result['decide']}")
    print(f"the same tags joined as they are:       {result['join']}")
    print(f"the table of all tags, first:           {result['preview_first']}")
    print(f"the table after a change:               {result['preview']}")
    if args.large:
        before = peak()
        result["large_decide"] = decide(args.large)
        more = peak() - before
        print(
            f"{args.large:,} captions decided:               {result['large_decide']}, {more:,.0f} MB more memory"
        )
    if args.json:
        print(json.dumps({name: vars(watch) for name, watch in result.items()}))
    return 0


@dataclass
class Watch:
    """Seconds of a clock and of the processor, spent within `with watch:`."""

    clock: float = 0.0
    processor: float = 0.0

    def __enter__(self) -> None:
        self.clock -= time.perf_counter()
        self.processor -= time.process_time()

    def __exit__(self, *error: object) -> None:
        self.clock += time.perf_counter()
        self.processor += time.process_time()

    def __str__(self) -> str:
        return f"{self.clock:.2f} s ({self.processor:.2f} s)"


def measure(count: int) -> dict[str, Watch]:
    """The time of each."""
    join = Watch()
    for some in chunks(count):
        with join:
            for _, tags in some:
                ", ".join(written(name) for name in tags.names)
    first, again = preview(count)
    return {"decide": decide(count), "join": join, "preview_first": first, "preview": again}


def decide(count: int) -> Watch:
    """The time from tags to captions, making the tags not counted."""
    curator = LineCurator(knowledge(CONFIG))
    thresholds = Thresholds()
    counter = CoreCounter()
    watch = Watch()
    for some in chunks(count):
        with watch:
            for _, tags in some:
                found = uncurated(Analysis(512, 512, tags), None, CONFIG, thresholds)
                counted = one_character(curator, found)
                if counted is not None:
                    counter.add("", *counted)
    with watch:
        table = counter.table(CONFIG, curator.knowledge.difficulty)
        curator.knowledge = replace(curator.knowledge, core=table)
    for some in chunks(count):
        with watch:
            for image, tags in some:
                analysis = Analysis(512, 512, tags)
                compose(analysis, CONFIG, image_key=image, thresholds=thresholds, curator=curator)
    return watch


def preview(count: int) -> tuple[Watch, Watch]:
    """The time of the first table of a folder that is read, and of the third, after two changes."""
    tags = FolderTags()
    for image, table in analyses(count):
        tags.add(image, table.rows())
    tags.close()
    watches = []
    for settings in ({}, {"prune": "minimal"}, {"prune": "character_core", "core_threshold": 0.5}):
        watches.append(watch := Watch())
        known = knowledge(CONFIG.with_(**settings))
        with watch:
            summary(tags, known, lambda name, category: MILLION * 35 // 100, "0.35")
    return watches[0], watches[2]


def chunks(count: int) -> Iterator[list[tuple[str, TagTable]]]:
    """As `analyses`, a few hundred at a time."""
    made = analyses(count)
    while some := list(itertools.islice(made, CHUNK)):
        yield some


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
