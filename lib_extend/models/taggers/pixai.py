"""PixAI Tagger v0.9, in the ONNX form of `deepghs/pixai-tagger-v0.9-onnx`.

- `model.onnx`, `selected_tags.csv` (`name`, `category` 0 general or 4 character, `ips`: the series a
  character belongs to, as JSON; one name is empty), `preprocess.json`, `thresholds.csv`, `categories.json`.
  [card]
- Follows `preprocess.json`; without it: stretched to 448 × 448 BILINEAR, RGB −1…1, channels first. [card]
- The output `prediction` holds probabilities; `logits` and `embedding` are others. Thresholds 0.30 and
  0.85. [card]
"""

from __future__ import annotations

from lib_extend.models.family import EARLY, Family
from lib_extend.models.files import ModelFiles
from lib_extend.models.taggers import animetimm
from lib_extend.models.taggers.base import OnnxTagger, Options
from lib_extend.models.taggers.stages import Step

VERSION = 1
STEPS: tuple[Step, ...] = (
    {"type": "resize", "size": [448, 448], "interpolation": "bilinear"},
    {"type": "to_tensor"},
    {"type": "normalize", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
)


def recognises(files: ModelFiles) -> bool:
    """Whether a folder looks like this family: the table has the column `ips`."""
    return "ips" in files.columns("selected_tags.csv")


def load(files: ModelFiles, options: Options) -> OnnxTagger:
    """The tagger in `files`. Raises ModelError."""
    return animetimm.load_steps(
        files,
        f"pixai{VERSION}",
        STEPS,
        options,
        otherwise=(0.30, 0.85),
    )


FAMILY = Family(recognises, load, EARLY)
