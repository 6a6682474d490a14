"""The ports of the models: what a tagger, a detector and a vision-language model must offer.

A family is one file in `taggers/`, `detectors/` or `vlms/families/` whose models implement a port (see `family.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from lib_extend.records import Detection, Prompt, Reply, Tag

Progress = Callable[[str, int, int], None]
"""Called as `progress(what, done_bytes, total_bytes)` while files arrive; total 0 when unknown."""


class Tagger(Protocol):
    """An image tagger.

    Attributes:
        key: identity of the weights and of the preprocessing, stable across machines; analyses are
            stored under it, so it changes whenever the scores could.
        side: pixels of the (square) input; a decoder may hand in any image at least twice as large
            without loss.
        batch: how many images one call takes (1 where the file's batch dimension is fixed at 1).
        device: where it really runs, in words, with the reason for a fallback ("CPU: ...").
        threshold: the model's own default threshold for general tags, in 0…1.
        character_threshold: likewise for character tags.
        tag_thresholds: per-tag thresholds by canonical name where the model ships them, else empty.

    A tagger may also have `vocabulary`, the canonical names of all its tags.
    """

    key: str
    side: int
    batch: int
    device: str
    threshold: float
    character_threshold: float
    tag_thresholds: dict[str, float]

    def prepare(self, image: Image.Image) -> np.ndarray[Any, Any]:
        """The model's input for one upright image of any mode, without the batch axis. Thread-safe."""
        ...

    def tag(self, batch: Sequence[np.ndarray[Any, Any]], floor: float) -> Sequence[Sequence[Tag]]:
        """For each prepared input the tags with score ≥ `floor` (0…1), best first.

        Rating tags are always all returned. Names are canonical (underscores, no escapes). Large vocabularies are best
        given as `TagTable`s, which are cheap to store and to send.
        """
        ...

    def close(self) -> None:
        """Give memory back; the object is not used afterwards."""
        ...


class Detector(Protocol):
    """A detector of persons, heads or faces.

    Attributes:
        key: identity of the weights, of the preprocessing and of the thresholds; what was found is stored under
            it, so it changes whenever that could.
        side: pixels of the longer side of the input; a decoder may hand in any image whose shorter side is at
            least twice as long without loss.
        batch: how many images one call takes (1 where the file's batch dimension is fixed at 1).
        device: where it really runs, in words, with the reason for a fallback ("CPU: ...").
        labels: what it knows, by class number.
    """

    key: str
    side: int
    batch: int
    device: str
    labels: tuple[str, ...]

    def prepare(self, image: Image.Image) -> np.ndarray[Any, Any]:
        """The model's input for one upright image of any mode, without the batch axis. Thread-safe."""
        ...

    def detect(
        self, batch: Sequence[np.ndarray[Any, Any]], sizes: Sequence[tuple[int, int]]
    ) -> list[list[Detection]]:
        """For each prepared input its detections, best first.

        Args:
            batch: what `prepare` gave.
            sizes: (width, height) of the upright originals, in whose pixels the boxes are. Boxes are cut at
                the picture's edges; what has no area there is left out.
        """
        ...

    def close(self) -> None:
        """Give memory back; the object is not used afterwards."""
        ...


class Look(Protocol):
    """One image held by a vision-language model while questions are asked about it.

    The questions of one `ask` are independent of each other; later rounds may follow up. An implementation may encode
    the image once for all of them.
    """

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order."""
        ...

    def close(self) -> None: ...


class Vlm(Protocol):
    """A vision-language model.

    Attributes:
        key: identity of the weights and of the way of asking; answers are stored under it.
        pixels: the most pixels of an image that the model can use.
        device: where it runs, in words, with the reason for any fallback.
        parallel: how many images to have open at once, each in its own thread (1 on the CPU, more
            on a graphics card and for a server).
    """

    key: str
    pixels: int
    device: str
    parallel: int

    def look(self, image: Image.Image) -> Look:
        """Take one upright image of any mode and size."""
        ...

    def close(self) -> None: ...
