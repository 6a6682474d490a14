"""How a picture's tags are made: many pictures at once, through a buffer that is allocated once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lib_extend.analysis.making import Maker, Picture
from lib_extend.records import SCORE_FLOOR, Tag

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Tagger

TAGGER_LANE = "tagger"
"""The lane of all makers that use the tagger."""

Array = np.ndarray[Any, Any]


class TagMaker(Maker):
    """Tags pictures in batches of the tagger's size."""

    lane = TAGGER_LANE
    failure = "The tagger failed"

    def __init__(self, tagger: Tagger, beat: Callable[[], None] = lambda: None) -> None:
        self._tagger, self._beat = tagger, beat
        self.batch = max(1, tagger.batch)
        self._buffer: Array | None = None

    def size(self, picture: Picture) -> tuple[int | None, int | None]:
        return self._tagger.side, None

    def prepare(self, picture: Picture, image: Image.Image) -> Array:
        return self._tagger.prepare(image)

    def make(self, pictures: Sequence[Picture], inputs: Sequence[Array]) -> Sequence[Sequence[Tag]]:
        first = inputs[0]
        if any(i.shape != first.shape or i.dtype != first.dtype for i in inputs):
            return self._tagger.tag(inputs, SCORE_FLOOR)
        if self._buffer is None or self._buffer.shape[1:] != first.shape or self._buffer.dtype != first.dtype:
            self._buffer = np.empty((self.batch, *first.shape), first.dtype)
        for i, prepared in enumerate(inputs):
            self._buffer[i] = prepared
        batch = cast("Sequence[Array]", self._buffer[: len(inputs)])
        return self._tagger.tag(batch, SCORE_FLOOR)
