"""The kind of task that analyses one picture: any of the parts of `lib_extend.parts`, on one decoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from lib_extend.captions.prose_asking import wishes_of
from lib_extend.parts import part_table
from lib_extend.records import Record, Unmade
from lib_extend.worker.protocol import Task
from lib_extend.worker.task_kinds import Kind, Process, Runner

if TYPE_CHECKING:
    from lib_extend.analysis.pipeline import Outcome, Pipeline

NAME = "analyse_picture"


@dataclass(frozen=True)
class Request(Record):
    """One picture to analyse.

    Attributes:
        path: absolute, as `os.fsdecode` gives it.
        parts: the names of the parts to make. One for which there is no model is left out of the result.
        known: values of parts that are known already (stored ones, or the tags of an existing caption), which those
            to make may need.
    """

    path: str
    parts: tuple[str, ...] = ("tags", "answers")
    known: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "parts": list(self.parts),
            "known": part_table.to_json(self.known),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Request:
        return cls(data["path"], tuple(data["parts"]), part_table.from_json(data["known"]))


@dataclass(frozen=True)
class Result(Record):
    """What was found: `width` and `height` are the upright picture's pixels, `parts` the values that were made.

    `unmade`: why parts could not be made that a caption can do without.
    """

    width: int
    height: int
    parts: Mapping[str, Any] = field(default_factory=dict)
    unmade: Mapping[str, Unmade] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "width": self.width,
            "height": self.height,
            "parts": part_table.to_json(self.parts),
            "unmade": {name: unmade.to_json() for name, unmade in self.unmade.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Result:
        unmade = {name: Unmade.from_json(why) for name, why in data.get("unmade", {}).items()}
        return cls(int(data["width"]), int(data["height"]), part_table.from_json(data["parts"]), unmade)


class AnalysePicture(Kind):
    request, result = Request, Result

    def runner(self, process: Process) -> Runner:
        from PIL import Image

        from lib_extend.analysis.making import Workplace
        from lib_extend.analysis.pipeline import NotAnalysed, Pipeline, cores

        # This process is ours alone: `decode` judges the size itself, after a JPEG's scaling.
        Image.MAX_IMAGE_PIXELS = None
        setup, models = process.setup, process.models
        threads = setup.threads or cores()

        def emit(outcome: Outcome) -> None:
            if isinstance(outcome, NotAnalysed):
                process.failed(outcome.id, outcome.reason)
            else:
                process.done(outcome.id, Result(outcome.width, outcome.height, outcome.parts, outcome.unmade))

        workplace = Workplace(
            tagger=models.tagger,
            vlm=models.vlm,
            detector=models.detector,
            questions=process.questions,
            question_threshold=setup.question_threshold,
            person_tag_threshold=setup.person_tag_threshold,
            prose=wishes_of(setup),
            vlm_name=setup.vlm_model or (setup.vlm if "://" in setup.vlm else PurePath(setup.vlm).name),
            threads=threads,
            device=setup.device,
            offline=setup.offline,
            models_dir=setup.models_dir,
            beat=process.beat,
        )
        made = part_table.makers(workplace)
        return _Pictures(Pipeline(made, emit, threads=threads, beat=process.beat))


class _Pictures:
    """A pipeline as the runner of this kind."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline, self.window = pipeline, pipeline.window

    @property
    def open(self) -> int:
        return self._pipeline.open

    def submit(self, id: str, request: Request) -> None:
        from lib_extend.analysis.making import Picture

        self._pipeline.submit(Picture(id, request.path, frozenset(request.parts), request.known))

    def cancel(self) -> None:
        self._pipeline.cancel()


def task(
    id: str, path: str, parts: Sequence[str] = ("tags", "answers"), known: Mapping[str, Any] | None = None
) -> Task:
    """The task to make `parts` of the picture at `path`; see `Request`."""
    return Task(id, NAME, Request(path, tuple(parts), known or {}))


KIND = AnalysePicture()
