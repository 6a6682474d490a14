"""Several taggers as one: every tagger tags the picture, and the table has the scores of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_extend.records import Tag
from lib_extend.tagger_agreement import Limits, merged

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Tagger

Array = np.ndarray[Any, Any]


class SeveralTaggers:
    """The `Tagger` port over several taggers by their names.

    An input is a row of objects, one input a tagger. Its tables have the scores of each tagger; `tagger_agreement`
    combines them by the settings.

    Attributes:
        limits: each tagger's own thresholds.
    """

    def __init__(self, taggers: Mapping[str, Tagger]) -> None:
        if len(taggers) < 2:
            raise ValueError("several taggers are two or more")
        self._taggers = dict(taggers)
        some = list(taggers.values())
        self.key = "several1-" + "+".join(t.key for t in some)
        self.side = max(t.side for t in some)
        self.batch = min(t.batch for t in some)
        self.device = ", ".join(dict.fromkeys(t.device for t in some))
        self.threshold = sum(t.threshold for t in some) / len(some)
        self.character_threshold = sum(t.character_threshold for t in some) / len(some)
        self.tag_thresholds: dict[str, float] = {}
        self.limits = {
            name: Limits(t.threshold, t.character_threshold, t.tag_thresholds) for name, t in taggers.items()
        }
        self._known = {name: frozenset(getattr(t, "vocabulary", ())) for name, t in taggers.items()}
        self.vocabulary = tuple(dict.fromkeys(n for t in some for n in getattr(t, "vocabulary", ())))

    def prepare(self, image: Image.Image) -> Array:
        """Each tagger's input for one image."""
        row = np.empty(len(self._taggers), object)
        for i, tagger in enumerate(self._taggers.values()):
            row[i] = tagger.prepare(image)
        return row

    def tag(self, batch: Sequence[Array], floor: float) -> Sequence[Sequence[Tag]]:
        """For each prepared input the tags to which any tagger gives a score ≥ `floor`."""
        said = [
            tagger.tag([row[i] for row in batch], floor) for i, tagger in enumerate(self._taggers.values())
        ]
        return [
            merged(dict(zip(self._taggers, tags, strict=True)), self._known)
            for tags in zip(*said, strict=True)
        ]

    def close(self) -> None:
        """Give memory back; the object is not used afterwards."""
        for tagger in self._taggers.values():
            tagger.close()
