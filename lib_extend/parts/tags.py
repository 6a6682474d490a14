"""The part "tags": what the tagger names in a picture, each with its score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lib_extend.parts.part import KeyInputs, Part
from lib_extend.records import Tag
from lib_extend.tag_table import tags_from_json, tags_to_json

if TYPE_CHECKING:
    from lib_extend.analysis.making import Maker, Workplace


class Tags(Part):
    """Values are sequences of `Tag`, best first: those with score ≥ `SCORE_FLOOR`, and all ratings."""

    name = "tags"
    models = ("tagger",)

    def wanted(self, inputs: KeyInputs) -> bool:
        """Whether there is a tagger."""
        return inputs.config.tagger != "none"

    def key(self, inputs: KeyInputs) -> str:
        """The tagger's key."""
        return inputs.tagger

    def to_json(self, value: Sequence[Tag]) -> Any:
        return tags_to_json(value)

    def from_json(self, data: Any) -> Sequence[Tag]:
        return tags_from_json(data)

    def maker(self, workplace: Workplace) -> Maker | None:
        if workplace.tagger is None:
            return None
        from lib_extend.analysis.tag_making import TagMaker

        return TagMaker(workplace.tagger, workplace.beat)


PART = Tags()
