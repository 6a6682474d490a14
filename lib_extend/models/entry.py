"""The record of a named model: where its files are and what they need. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HubFile:
    """One file of a hub repository; one that is not `required` may be missing there."""

    repo: str
    path: str
    required: bool = True

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Entry:
    """One model.

    Attributes:
        name: what a user types.
        kind: "tagger", "detector" or "vlm".
        family: file of `taggers/` or `detectors/`, or the model class of a vision-language model.
        repo: hub repository ("" when built in).
        files: what is needed of it; empty for a vision-language model, whose folder is needed whole.
        revision: branch, tag or commit.
        bytes: size of the download, 0 when unknown.
        weights: bytes of a vision-language model's weights in 16 bits, rounded, 0 when unknown. [memory]
        threshold, character_threshold: the model's own; None leaves them to the family.
        iou: likewise, how much two boxes of a detector may overlap (intersection over union).
        needs: least version of transformers, "" for the others.
        licence: as the model's own page names it, "" when unknown.
        gated: the hub requires an account that accepted the licence.
        folder: where a built-in model lies.
        note: one phrase for the list.
    """

    name: str
    kind: str
    family: str
    repo: str = ""
    files: tuple[HubFile, ...] = ()
    revision: str = "main"
    bytes: int = 0
    weights: int = 0
    threshold: float | None = None
    character_threshold: float | None = None
    iou: float | None = None
    needs: str = ""
    licence: str = ""
    gated: bool = False
    folder: Path | None = None
    note: str = ""
