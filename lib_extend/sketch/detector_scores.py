"""Measures a person detector against a folder's `truth.jsonl`: AP50, and how it does at its own threshold.

    python -m lib_extend.sketch.detector_scores

draws 300 scenes of unseen seeds with one to five persons, overlaps up to 40 % included, and prints the table.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extend.models.model_loading import load_detector
from lib_extend.models.registry import find_detector
from lib_extend.people.geometry import iou
from lib_extend.records import Box, Detection
from lib_extend.sketch.folder import draw_folder, read_truth

SCENES = 300
SEED = 1
PERSONS, OVERLAP = (1, 5), 0.4

FAINT = 0.01
"""Average precision looks at everything, also at what nobody would believe."""


@dataclass(frozen=True)
class DetectorScores:
    """How well a detector finds persons.

    Attributes:
        pictures, persons: how many there were.
        ap50: average precision at an IoU of 0.5, in 0…1.
        precision, recall: at `threshold`, a person being found where the IoU is 0.5 or more.
        iou: mean IoU of those found.
        counted: share of the pictures with exactly their persons found and nothing else.
    """

    pictures: int
    persons: int
    ap50: float
    threshold: float
    precision: float
    recall: float
    iou: float
    counted: float

    def table(self) -> str:
        """Two lines to print."""
        return (
            f"{self.pictures} pictures, {self.persons} persons: AP50 {self.ap50:.4f}\n"
            f"  at {self.threshold:g}: precision {self.precision:.4f}, recall {self.recall:.4f}, "
            f"mean IoU {self.iou:.3f}, all persons right in {self.counted:.1%} of the pictures"
        )


def evaluate_detector(directory: Path | str, spec: str = "sketch") -> DetectorScores:
    """The scores on a drawn folder of the detector that `spec` names, loaded and fed as users' pictures are."""
    rows = read_truth(directory)
    truth = [[Box(*person["box"]) for person in row["persons"]] for row in rows]
    threshold = find_detector(spec).threshold or 0.3
    detector = load_detector(spec, device="cpu", offline=True, threshold=FAINT)
    found: list[list[Detection]] = []
    try:
        for row in rows:
            with Image.open(Path(directory) / row["file"]) as image:
                image.load()
                found += detector.detect([detector.prepare(image)], [image.size])
    finally:
        detector.close()
    return detector_scores(found, truth, threshold)


def detector_scores(
    found: Sequence[Sequence[Detection]], truth: Sequence[Sequence[Box]], threshold: float
) -> DetectorScores:
    """The scores of what was found, picture by picture, against the persons' boxes."""
    believed = [[d for d in some if d.score >= threshold] for some in found]
    matched = [matches(some, boxes) for some, boxes in zip(believed, truth, strict=True)]
    right = [covered for some in matched for covered in some if covered]
    persons = sum(map(len, truth))
    exact = [all(m) and len(m) == len(boxes) for m, boxes in zip(matched, truth, strict=True)]
    return DetectorScores(
        pictures=len(truth),
        persons=persons,
        ap50=average_precision(found, truth),
        threshold=threshold,
        precision=len(right) / max(1, sum(map(len, believed))),
        recall=len(right) / max(1, persons),
        iou=sum(right) / max(1, len(right)),
        counted=sum(exact) / max(1, len(exact)),
    )


def average_precision(
    found: Sequence[Sequence[Detection]], truth: Sequence[Sequence[Box]], limit: float = 0.5
) -> float:
    """The area under the precision-recall curve, interpolated at all points (as Pascal VOC since 2010).

    Everything found in all pictures is gone through by falling score; precision at a recall is the best that any
    recall as high or higher reaches. 0…1; 0 where there is nobody to find.
    """
    persons = sum(map(len, truth))
    hits = [
        (d.score, covered > 0)
        for some, boxes in zip(found, truth, strict=True)
        for d, covered in zip(some, matches(some, boxes, limit), strict=True)
    ]
    if not hits or not persons:
        return 0.0
    hits.sort(key=lambda hit: -hit[0])
    right = np.cumsum([hit for _, hit in hits])
    recall = right / persons
    precision = right / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * best))


def matches(found: Sequence[Detection], boxes: Sequence[Box], limit: float = 0.5) -> list[float]:
    """For each of one picture's detections the IoU with the person it is right about, else 0.

    The surest chooses first: of the persons nobody chose, the one it covers best, if the IoU is `limit` or more.
    """
    result = [0.0] * len(found)
    free = list(boxes)
    for i in sorted(range(len(found)), key=lambda i: -found[i].score):
        best = max(free, key=lambda box: iou(found[i].box, box), default=None)
        if best is not None and (covered := iou(found[i].box, best)) >= limit:
            result[i] = covered
            free.remove(best)
    return result


def main(spec: str = "sketch") -> None:
    """Draws the scenes and prints the table."""
    with tempfile.TemporaryDirectory() as scratch:
        draw_folder(scratch, SCENES, SEED, namespace="eval", persons=PERSONS, max_overlap=OVERLAP)
        print(evaluate_detector(scratch, spec).table())


if __name__ == "__main__":
    main(*sys.argv[1:2])
