"""What the pipeline of `pipeline.py` is built from: pictures on their way, and makers of their parts.

A part is one kind of what models say about a picture (its tags, its persons, the answers to questions). A maker
makes one part of many pictures. The pipeline knows no part by name: it gives each picture to the makers of the parts
that are wanted, those that a part needs first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_extend.captions.prose_asking import NO_WISHES, Wishes
from lib_extend.records import Tag, Unmade

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Detector, Look, Tagger, Vlm
    from lib_extend.questions.question import Question


@dataclass(frozen=True)
class Workplace:
    """What makers have to work with: the loaded models, and the settings that say how they are used.

    Attributes:
        tagger, vlm, detector: the models; None where there is none.
        questions: those to put to the pictures.
        question_threshold: score in 0…1 a tag needs for questions to be asked about it.
        person_tag_threshold: likewise on a person's cut-out; None: `question_threshold`.
        prose: how descriptions are wanted. vlm_name: what the user calls the model that writes them.
        threads: how many threads decode pictures.
        device, offline, models_dir: for a maker that loads a model of its own; as in the settings.
        beat: call it after each step, so that nobody takes slow work for a hanging process. Thread-safe.
    """

    tagger: Tagger | None = None
    vlm: Vlm | None = None
    detector: Detector | None = None
    questions: Sequence[Question] = ()
    question_threshold: float = 0.35
    person_tag_threshold: float | None = None
    prose: Wishes = NO_WISHES
    vlm_name: str = ""
    threads: int = 1
    device: str = "auto"
    offline: bool = False
    models_dir: str = ""
    beat: Callable[[], None] = lambda: None


@dataclass
class Picture:
    """A picture on its way through the pipeline.

    Attributes:
        id: the caller's name for it. path: absolute, as `os.fsdecode` gives it.
        wanted: the names of the parts to make. known: values of parts that are known already.
        width, height: pixels of the upright original, once it is decoded.
        inputs: what each maker's `prepare` gave, by the part's name. made: the values made so far.
        unmade: why parts could not be made that the picture can do without, by the part's name.
        turn: counts cancellations before it was submitted.
        look: the whole picture as the vision-language model has it, left open by the maker that asked first.
        dropped: asks whether nobody wants the result any more.
    """

    id: str
    path: str
    wanted: frozenset[str]
    known: Mapping[str, Any] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    inputs: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    unmade: dict[str, Unmade] = field(default_factory=dict)
    turn: int = 0
    dropped: Callable[[], bool] = lambda: False
    look: Look | None = None

    def taken_look(self) -> Look | None:
        """The look that is open, for the caller to close."""
        look, self.look = self.look, None
        return look

    def close(self) -> None:
        """Close the look, where one is open."""
        if (look := self.taken_look()) is not None:
            look.close()

    def value(self, part: str) -> Any:
        """The part as it was just made, else as it was known; None when it is neither."""
        return self.made.get(part, self.known.get(part))

    def all_tags(self) -> list[Tag]:
        """The tags known before and those just made; a name may come twice."""
        return [*self.known.get("tags", ()), *self.made.get("tags", ())]


class Maker:
    """Makes one part of many pictures. Subclasses set the attributes and implement `make`.

    Attributes:
        lane: makers of one lane take turns in its threads, because they use a model that only one thread may use.
        threads: how many threads the lane has, each with pictures of its own; the most of its makers counts.
        batch: how many pictures one call of `make` takes at the most.
        failure: begins the sentence about a picture on which it fails.
        optional: a picture can do without its part: where it fails, the other parts are given all the same.
    """

    lane: str = "own"
    threads: int = 1
    batch: int = 1
    failure: str = "A model failed"
    optional: bool = False

    def size(self, picture: Picture) -> tuple[int | None, int | None]:
        """(side, pixels) of what is of use: the picture may be decoded at a longer side of `side` or at `pixels` pixels.

        The decoder leaves a margin. (None, None): its full size.
        """
        return None, None

    def prepare(self, picture: Picture, image: Image.Image) -> Any:
        """What `make` needs of the decoded image (upright, RGB or RGBA). Thread-safe.

        It is held until `make`: keep no more of the image than is of use.
        """
        return image

    def make(self, pictures: Sequence[Picture], inputs: Sequence[Any]) -> Sequence[Any]:
        """The part's value of each picture; `inputs` are what `prepare` gave. What it raises is reported."""
        raise NotImplementedError

    def close(self) -> None:
        """Give threads and memory back. The models belong to somebody else."""


class FromImage(Maker):
    """A maker of a part that a plain function reads from the decoded image, without a model.

    Args:
        read: image (upright, RGB or RGBA) → the part's value; called by several threads at once.
        side: pixels of the longer side that are enough; None: the full size.
    """

    lane = "images"
    failure = "The picture could not be measured"

    def __init__(self, read: Callable[[Image.Image], Any], *, side: int | None = None) -> None:
        self._read, self._side = read, side

    def size(self, picture: Picture) -> tuple[int | None, int | None]:
        return self._side, None

    def prepare(self, picture: Picture, image: Image.Image) -> Any:
        return self._read(image)

    def make(self, pictures: Sequence[Picture], inputs: Sequence[Any]) -> Sequence[Any]:
        return inputs
