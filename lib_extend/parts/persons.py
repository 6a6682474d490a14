"""The part "persons": who is in a picture, each with all that the tagger names on the person's cut-out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lib_extend.parts.part import KeyInputs, Part, digest
from lib_extend.people.geometry import CUTTING
from lib_extend.records import Person
from lib_extend.tag_table import tags_from_json, tags_to_json

if TYPE_CHECKING:
    from lib_extend.analysis.making import Maker, Workplace


class Persons(Part):
    """Values are tuples of `Person`, left to right."""

    name = "persons"
    models = ("detector", "tagger")

    def wanted(self, inputs: KeyInputs) -> bool:
        """Whether the settings tell people apart."""
        return inputs.config.people

    def key(self, inputs: KeyInputs) -> str:
        """The models, the score a person needs and the way of cutting persons out."""
        threshold = inputs.config.person_threshold
        return digest([inputs.detector, inputs.tagger, str(threshold), str(CUTTING)])

    def to_json(self, value: Sequence[Person]) -> Any:
        return [{**replace(p, tags=()).to_json(), "tags": tags_to_json(p.tags)} for p in value]

    def from_json(self, data: Any) -> tuple[Person, ...]:
        return tuple(
            replace(Person.from_json({**p, "tags": ()}), tags=tags_from_json(p["tags"])) for p in data
        )

    def maker(self, workplace: Workplace) -> Maker | None:
        if workplace.detector is None or workplace.tagger is None:
            return None
        from lib_extend.analysis.person_finder import PersonMaker

        return PersonMaker(workplace.detector, workplace.tagger, workplace.threads, workplace.beat)


PART = Persons()
