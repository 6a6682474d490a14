"""The part "prose": the picture described in sentences by the vision-language model, grounded in what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_extend.parts import answers, persons
from lib_extend.parts.part import KeyInputs, Part, digest
from lib_extend.records import Prose as Value

if TYPE_CHECKING:
    from lib_extend.analysis.making import Maker, Workplace

WAY = 1
"""Counts changes to how a model is asked and how its descriptions are held against what is known."""


class Prose(Part):
    """Values are `lib_extend.records.Prose`."""

    name = "prose"
    needs = ("tags", "persons", "answers")
    models = ("vlm", "tagger", "detector")

    def wanted(self, inputs: KeyInputs) -> bool:
        """Whether descriptions are asked for, and there is a model to ask."""
        return inputs.config.prose and inputs.config.vlm != "none"

    def key(self, inputs: KeyInputs) -> str:
        """The model, what the user wants, and all that the description is grounded in."""
        config = inputs.config
        texts = [
            str(WAY),
            inputs.vlm,
            config.prose_length,
            config.prose_instruction,
            config.prose_trigger,
            *config.prose_banned,
            answers.PART.key(inputs),
        ]
        if config.people:
            texts += [persons.PART.key(inputs), str(config.person_tag_threshold)]
        return digest(texts)

    def uses(self, inputs: KeyInputs) -> tuple[str, ...]:
        """What is made at all with these settings."""
        made = {"tags": True, "persons": inputs.config.people, "answers": bool(inputs.questions)}
        return tuple(name for name in self.needs if made[name])

    def to_json(self, value: Value) -> Any:
        return value.to_json()

    def from_json(self, data: Any) -> Value:
        return Value.from_json(data)

    def maker(self, workplace: Workplace) -> Maker | None:
        if workplace.vlm is None:
            return None
        from lib_extend.analysis.prose_making import ProseMaker

        return ProseMaker(workplace.vlm, workplace)


PART = Prose()
