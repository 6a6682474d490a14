"""How often answers are right, and whether their probabilities are honest, on drawn scenes of unseen seeds.

    python -m benchmarks answers [--json] [--count 200] [--seed 4242] [--vlm sketch]

Everything goes the way a user's pictures go: files decoded, the built-in questions chosen by the tags of the truth,
asked through the shared prefix, read. Prints the accuracy of each kind, a reliability table (answers by their
probability, and the share that is right) and the expected calibration error: the mean distance of the two.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lib_extend.analysis.decode import decode
from lib_extend.analysis.functions import ask, load_model
from lib_extend.questions.builtin import BUILTIN
from lib_extend.records import Answer
from lib_extend.sketch.folder import draw_folder

BINS = 10


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks answers")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=200, help="scenes")
    parser.add_argument("--seed", type=int, default=4242)
    parser.add_argument("--vlm", default="sketch")
    args = parser.parse_args(argv)
    model = load_model(args.vlm, offline=args.vlm == "sketch")
    judged: list[tuple[str, float, bool]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for row in draw_folder(scratch, args.count, args.seed, namespace="eval"):
            image = decode(str(Path(scratch) / row["file"]), pixels=model.pixels).image
            judged += judge(row, ask(image, row["tags"], BUILTIN, model=model))
    result = summary(judged)
    print(f"{args.count} scenes, {len(judged):,} answers of {args.vlm} ({model.device})")
    for kind, share in result["accuracy"].items():
        asked = sum(k == kind for k, _, _ in judged)
        print(f"  {kind:<10} {share:6.1%} of {asked:,}")
    print("  probability   right   answers")
    for low, mean, right, n in result["reliability"]:
        print(f"  {low:.1f} … {low + 1 / BINS:.1f}    {right:6.1%}  {n:>6,}   (mean probability {mean:.3f})")
    print(
        f"  expected calibration error {result['calibration_error']:.4f}, counts alone {result['count_error']:.4f}"
    )
    if args.json:
        print(json.dumps(result))
    return 0


def judge(row: Mapping[str, Any], answers: list[Answer]) -> Iterator[tuple[str, float, bool]]:
    """(kind, probability, right) of each answer the truth knows about."""
    for a in answers:
        expected: str
        if a.question == "count" and a.object in row["counts"]:
            kind, expected = "count", str(row["counts"][a.object])
        elif a.question == "color" and a.object in row["colors"]:
            kind, expected = "color", row["colors"][a.object]
        elif a.question == "color" and a.object == "door" and row["door"]:
            kind, expected = "color", row["door"]
        elif a.question == "furniture":
            kind, expected = "yes_no", "yes" if a.object in row["counts"] else "no"
        elif a.question in ("floor", "door"):
            kind, expected = "yes_no", "yes" if row[a.question] else "no"
        elif a.question == "floor_material" and row["floor"]:
            kind, expected = "material", row["floor"]
        else:
            continue
        yield kind, 0.0 if a.probability is None else a.probability, a.answer == expected


def summary(judged: list[tuple[str, float, bool]]) -> dict[str, Any]:
    """Accuracy by kind, the reliability table and the calibration errors."""
    kinds = sorted({k for k, _, _ in judged})
    share = {k: [right for kind, _, right in judged if kind == k] for k in kinds}
    rows = reliability([(p, right) for _, p, right in judged])
    counts = reliability([(p, right) for k, p, right in judged if k == "count"])
    return {
        "accuracy": {k: round(sum(v) / len(v), 4) for k, v in share.items()},
        "calibration_error": round(error(rows), 4),
        "count_error": round(error(counts), 4),
        "reliability": rows,
    }


def reliability(pairs: list[tuple[float, bool]]) -> list[tuple[float, float, float, int]]:
    """(lower edge, mean probability, share right, how many) of each filled bin of width 1/BINS."""
    filled: dict[int, list[tuple[float, bool]]] = {}
    for p, right in pairs:
        filled.setdefault(min(BINS - 1, int(p * BINS)), []).append((p, right))
    return [
        (b / BINS, round(sum(p for p, _ in v) / len(v), 4), round(sum(r for _, r in v) / len(v), 4), len(v))
        for b, v in sorted(filled.items())
    ]


def error(rows: list[tuple[float, float, float, int]]) -> float:
    """Expected calibration error, 0…1 (Guo et al. 2017): |share right − mean probability|, weighed by bin size."""
    total = sum(n for *_, n in rows)
    return sum(abs(right - mean) * n for _, mean, right, n in rows) / max(1, total)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
