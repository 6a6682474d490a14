"""Who has which, on drawn scenes of unseen seeds with 1–5 persons, overlaps up to 40 % included.

    python -m benchmarks separation [--json] [--count 300] [--seed 777]

Scored are pairs of person and tag: found persons are matched to true ones by their boxes (intersection over
union ≥ 0.5), and a pair counts as right when that person truly has the tag. Every pair of a picture that is not
separated counts as missed. The reference algorithm (our own writing of the original system's rules, with the same
detector and tagger) runs beside it. Tags that all persons have count for each of them on both sides, though the
reference itself only throws them together with the rest.

Two comparisons are printed. Over all scenes, single persons and boys count as well, which the reference leaves out by the
rules of its dataset script, not because it could not: there it says how many pictures get no separation. On the reference's
own ground, girls only and two to four of them, it says whose pairs are right.

Prints f1 and the share of pictures handled of both, the same on the pictures handled, and the detector's AP50.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extend.analysis.decode import decode
from lib_extend.analysis.person_finder import SIDE
from lib_extend.analysis.separation import Separator, load_separator
from lib_extend.config import TagConfig
from lib_extend.people.geometry import iou, left_to_right
from lib_extend.records import Box, Person
from lib_extend.sketch.detector_scores import evaluate_detector
from lib_extend.sketch.folder import draw_folder

Pairs = set[tuple[int, str]]

PEOPLE_THRESHOLD = 0.8
REFERENCE_THRESHOLD = 0.4


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks separation")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=300, help="scenes")
    parser.add_argument("--seed", type=int, default=777)
    parser.add_argument("--reasons", action="store_true", help="also why pictures were not separated")
    args = parser.parse_args(argv)
    config = TagConfig(pair_characters=True)
    separator = load_separator("sketch", "sketch", offline=True, config=config)
    ours, reference = Score(), Score()
    ours_there, reference_there = Score(), Score()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = draw_folder(folder, args.count, args.seed, namespace="eval", persons=(1, 5), max_overlap=0.4)
        for row in rows:
            there = on_the_references_ground(row)
            judge(
                folder / row["file"],
                row,
                separator,
                (ours, ours_there) if there else (ours,),
                (reference, reference_there) if there else (reference,),
            )
        ap50 = evaluate_detector(folder).ap50
    result = {
        "f1": round(ours.f1, 4),
        "handled": round(ours.handled, 4),
        "reference_f1": round(reference.f1, 4),
        "reference_handled": round(reference.handled, 4),
        "f1_where_handled": round(ours.f1_where_handled, 4),
        "reference_f1_where_handled": round(reference.f1_where_handled, 4),
        "there_scenes": ours_there.pictures,
        "there_f1": round(ours_there.f1, 4),
        "there_handled": round(ours_there.handled, 4),
        "there_reference_f1": round(reference_there.f1, 4),
        "there_reference_handled": round(reference_there.handled, 4),
        "ap50": round(ap50, 4),
        "scenes": len(rows),
    }
    print(f"{len(rows)} scenes of 1–5 persons; person detector AP50 {ap50:.3f}")
    for title, both in (
        (f"All {len(rows)} scenes", (ours, reference)),
        (f"The {ours_there.pictures} scenes of two to four girls and no boy", (ours_there, reference_there)),
    ):
        print(f"{title}:")
        print("               F1     handled   F1 of those handled")
        for name, s in zip(("ours", "reference"), both, strict=True):
            print(f"  {name:<10} {s.f1:6.1%}    {s.handled:6.1%}    {s.f1_where_handled:6.1%}")
    if args.reasons:
        for name, s in (("ours", ours), ("reference", reference)):
            for reason, n in s.reasons.most_common():
                print(f"  {name}: {n} × {reason}")
    if args.json:
        print(json.dumps(result))
    return 0


@dataclass
class Score:
    """Pairs of person and tag over all pictures."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    missed_unhandled: int = 0
    pictures: int = 0
    separated: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, truth: Pairs, found: Pairs | None, reason: str = "") -> None:
        self.pictures += 1
        if found is None:
            self.missed_unhandled += len(truth)
            self.reasons[reason] += 1
            return
        self.separated += 1
        self.right += len(truth & found)
        self.wrong += len(found - truth)
        self.missed += len(truth - found)

    @property
    def f1(self) -> float:
        judged = 2 * self.right + self.wrong + self.missed + self.missed_unhandled
        return 2 * self.right / max(1, judged)

    @property
    def f1_where_handled(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)

    @property
    def handled(self) -> float:
        return self.separated / max(1, self.pictures)


def on_the_references_ground(row: Mapping[str, Any]) -> bool:
    """Whether a scene is one that the reference's dataset script takes: two to four girls, no boy."""
    persons = row["persons"]
    return 2 <= len(persons) <= 4 and not any(t.endswith(("boy", "boys")) for t in row["tags"])


def judge(
    path: Path,
    row: Mapping[str, Any],
    separator: Separator,
    ours: Sequence[Score],
    reference: Sequence[Score],
) -> None:
    """Adds one picture to the scores of both."""
    boxes = [Box(*p["box"]) for p in row["persons"]]
    truth: Pairs = {(i, t) for i, p in enumerate(row["persons"]) for t in p["tags"]}
    image = decode(str(path), side=SIDE * separator.tagger.side).image
    looked = separator.look(image)
    result = looked.separation
    if result.reason:
        for score in ours:
            score.add(truth, None, result.reason)
    else:
        shared = {t.name for t in result.shared}
        persons = [(p.box, {t.name for t in p.tags} | shared) for p in result.persons]
        for score in ours:
            score.add(truth, matched(persons, boxes))
    found, reason = reference_separation(image, looked.found, {t.name for t in looked.tags}, separator)
    for score in reference:
        score.add(truth, None if found is None else matched(found, boxes), reason)


def matched(persons: Sequence[tuple[Box, set[str]]], truth: Sequence[Box]) -> Pairs:
    """The pairs, numbered as the true persons; a person that is none of them gets a number of its own."""
    pairs: Pairs = set()
    free = set(range(len(truth)))
    for n, (box, tags) in enumerate(persons):
        best = max(free, key=lambda i: iou(box, truth[i]), default=None)
        if best is not None and iou(box, truth[best]) >= 0.5:
            free.discard(best)
            number = best
        else:
            number = len(truth) + n
        pairs |= {(number, t) for t in tags}
    return pairs


def reference_separation(
    image: Any, found: Sequence[Person], tags: set[str], separator: Separator
) -> tuple[list[tuple[Box, set[str]]] | None, str]:
    """The original system's rules: (box, tags) of each person, or None and why not."""
    persons = left_to_right(found)
    boxes = [p.box for p in persons]
    if len(boxes) <= 1 or len(boxes) >= 5:
        return None, "one person or none, or five and more"
    if any(iou(a, b) > 0.4 for i, a in enumerate(boxes) for b in boxes[:i]):
        return None, "overlap"
    if min(b.area for b in boxes) < max(b.area for b in boxes) / 4:
        return None, "a small person"
    if any(t.endswith(("boy", "boys")) for t in tags):
        return None, "boys"
    crops = [image.crop(tuple(map(round, b.as_list()))) for b in boxes]
    scored = [separator.tagger.tag([separator.tagger.prepare(c)], 0.05)[0] for c in crops]
    for some in scored:
        if any(t.name in ("2girls", "3girls") and (t.score or 0) > PEOPLE_THRESHOLD for t in some):
            return None, "two persons on one cut-out"
    named = [{t.name for t in some if (t.score or 0) >= REFERENCE_THRESHOLD} for some in scored]
    people = {"1girl", "1boy", "solo", "general"}
    common = set.intersection(*named) & tags
    own = [((some - common) & tags) - people for some in named]
    if any(len(some) < 2 for some in own):
        return None, "fewer than two tags"
    # what all have is thrown together with the rest there; here it counts for each
    shared = {t for t in common if t not in people and not t.endswith(("girls", "boys"))}
    shared -= {t for t in shared if t in _PLACES}
    return [(b, some | shared) for b, some in zip(boxes, own, strict=True)], ""


_PLACES = frozenset(
    "indoors outdoors simple_background white_background window sky blue_sky cloud night night_sky grass tree "
    "mountain cake cup book lamp ball balloon box butterfly chair table sofa bookshelf".split()
)
"""Tags that are no person's: what all cut-outs share of them is not held against the reference."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
