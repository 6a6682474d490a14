"""The table of `docs/sketch.md`: how right the sketch models are on 300 scenes of unseen seeds.

`prompt-extend sketch score` prints it for the models in the repository, `sketch train` for those it built.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from lib_extend.sketch.detector_scores import OVERLAP, PERSONS, evaluate_detector
from lib_extend.sketch.expander_scores import possible_scenes
from lib_extend.sketch.folder import draw_folder, read_truth
from lib_extend.sketch.scores import evaluate
from lib_extend.sketch.vlm_scores import evaluate_vlm

SCENES = 300
SEED = 1
TAGGED_AT = 0.34
"""The sketch tagger's own threshold."""

SHIPPED = Path(__file__).parent / "weights"

_YES_NO = ("present", "floor", "door")


def table(models: Path = SHIPPED, only: Collection[str] = ("tagger", "detector", "vlm", "expander")) -> str:
    """The table in Markdown.

    Args:
        models: folder with `tagger`, `detector`, `vlm` and `expander`.
        only: which of them to measure.
    """
    return "\n".join(
        ["| | right |", "|---|---|", *(f"| {what} | {right} |" for what, right in _rows(models, only))]
    )


def _rows(models: Path, only: Collection[str]) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if {"tagger", "vlm"} & set(only):
            draw_folder(folder, SCENES, SEED, namespace="eval")
        if "tagger" in only:
            micro = evaluate(folder, models / "tagger", TAGGED_AT).micro
            yield f"tags (micro-F1 at threshold {TAGGED_AT:g})", f"{micro.f1:.3f}"
        if "vlm" in only:
            yield from _answers(models / "vlm", folder)
    if "expander" in only:
        possible = possible_scenes(models / "expander")
        yield (
            f"prompts of one to three tags that become possible scenes, of {possible.drafts}",
            f"{possible.share:.1%}",
        )
    if "detector" in only:
        with tempfile.TemporaryDirectory() as scratch:
            draw_folder(scratch, SCENES, SEED, namespace="eval", persons=PERSONS, max_overlap=OVERLAP)
            found = evaluate_detector(scratch, str(models / "detector"))
        yield "persons, one to five, overlaps up to 40 %: AP50", f"{found.ap50:.3f}"
        yield (
            f"all persons found and nothing else, at a threshold of {found.threshold:g}",
            f"{found.counted:.1%}",
        )


def _answers(model: Path, folder: Path) -> Iterator[tuple[str, str]]:
    scores = evaluate_vlm(model, read_truth(folder), folder, packed=True)
    totals = scores.accuracy()

    def share(*kinds: str) -> str:
        right, asked = (sum(totals.get(k, (0, 0))[i] for k in kinds) for i in (0, 1))
        return f"{right / max(1, asked):.1%} of {asked:,}"

    yield "colors", share("color")
    yield "furniture, floor, door: yes or no", share(*_YES_NO)
    yield "floor materials", share("material")
    yield "counts 1–6, exactly", share("count")
    yield "things that are not there: no count, no color", share("count (absent)", "color (absent)")
    yield "expected calibration error", f"{scores.calibration_error():.4f} at temperature {scores.heat:g}"
