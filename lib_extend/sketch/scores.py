"""Measures answers against a folder's `truth.jsonl`: tags by F1, questions by how many are right."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib_extend.sketch.folder import read_truth
from lib_extend.sketch.tagger_data import SIDE, prepare

SHIPPED_TAGGER = Path(__file__).parent / "weights" / "tagger"

Question = tuple[str, str]
"""(question, object): ("count", "cake"), ("color", "cake"), ("floor", ""), ("door", "")."""


@dataclass(frozen=True)
class Hits:
    """How often something was rightly named, wrongly named and overlooked."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Hits) -> Hits:
        return Hits(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        """0…1; 1 where there was nothing to find and nothing was named."""
        judged = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / judged if judged else 1.0


@dataclass(frozen=True)
class TagScores:
    """`micro` is over all tags of all pictures, `by_tag` per tag that occurred."""

    pictures: int
    micro: Hits
    by_tag: Mapping[str, Hits] = field(default_factory=dict)

    def table(self, worst: int = 12) -> str:
        """A few lines to print: the whole, then the `worst` tags."""
        m = self.micro
        lines = [
            f"{self.pictures} pictures: F1 {m.f1:.4f}, precision {m.precision:.4f}, recall {m.recall:.4f}"
        ]
        for name, hits in sorted(self.by_tag.items(), key=lambda item: item[1].f1)[:worst]:
            seen = f"{hits.right} right, {hits.wrong} wrong, {hits.missed} missed"
            lines.append(f"  {name:20} F1 {hits.f1:.3f}  ({seen})")
        return "\n".join(lines)


def tag_scores(expected: Sequence[Collection[str]], found: Sequence[Collection[str]]) -> TagScores:
    """The scores of tag sets `found`, picture by picture, against those `expected`."""
    by_tag: dict[str, Hits] = {}
    for want, have in zip(expected, found, strict=True):
        for name in {*want, *have}:
            hit = Hits(name in want and name in have, name not in want, name not in have)
            by_tag[name] = by_tag.get(name, Hits()) + hit
    return TagScores(len(found), sum(by_tag.values(), Hits()), by_tag)


def expected_answers(row: Mapping[str, Any]) -> dict[Question, str]:
    """What the questions about a truth row should be answered.

    Counts are digits, colors are names; floor (indoors only) and door (indoors only) are the
    material and the color, or "" where there is none.
    """
    answers: dict[Question, str] = {}
    answers.update({("count", kind): str(n) for kind, n in row["counts"].items()})
    answers.update({("color", kind): color for kind, color in row["colors"].items()})
    if "indoors" in row["tags"]:
        answers["floor", ""] = row["floor"] or ""
        answers["door", ""] = row["door"] or ""
    return answers


def answer_scores(
    rows: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[Question, str]]
) -> dict[str, tuple[int, int]]:
    """Question → (right, asked) for answers in the form of `expected_answers`, row by row.

    A question that has no answer is a wrong one; answers to what the truth does not know are left
    out.
    """
    totals: dict[str, tuple[int, int]] = {}
    for row, given in zip(rows, answers, strict=True):
        for key, want in expected_answers(row).items():
            right, asked = totals.get(key[0], (0, 0))
            totals[key[0]] = right + (given.get(key) == want), asked + 1
    return totals


def answer_table(totals: Mapping[str, tuple[int, int]]) -> str:
    """One line a question."""
    return "\n".join(
        f"  {name:10} {right / max(1, asked):6.1%}  ({right} of {asked})"
        for name, (right, asked) in totals.items()
    )


def evaluate(
    directory: Path | str, model_dir: Path | str = SHIPPED_TAGGER, threshold: float = 0.35
) -> TagScores:
    """The tag scores of a WD-layout tagger in `model_dir` on a drawn folder; ratings are left out."""
    rows = read_truth(directory)
    names, found = [], []
    with (Path(model_dir) / "selected_tags.csv").open(encoding="utf-8", newline="") as f:
        names = [(row["name"], row["category"]) for row in csv.DictReader(f)]
    pictures = [Path(directory) / row["file"] for row in rows]
    for probabilities in _probabilities(pictures, Path(model_dir) / "model.onnx"):
        above = [n for n, p in zip(names, probabilities, strict=True) if p > threshold]
        found.append([name for name, category in above if category != "9"])
    return tag_scores([row["tags"] for row in rows], found)


def _probabilities(pictures: Sequence[Path], model: Path, batch: int = 8) -> Iterator[list[float]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for start in range(0, len(pictures), batch):
        chosen = pictures[start : start + batch]
        pixels = np.empty((len(chosen), SIDE, SIDE, 3), dtype=np.float32)
        for i, path in enumerate(chosen):
            pixels[i] = np.asarray(prepare(on_white(path)))[:, :, ::-1]
        yield from session.run(None, {name: pixels})[0].tolist()


def on_white(path: Path) -> Image.Image:
    """The picture as RGB, what is transparent in it as white."""
    with Image.open(path) as image:
        rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")
