"""The part "answers": what the vision-language model answers to the questions that a picture's tags call for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lib_extend.parts import persons
from lib_extend.parts.part import KeyInputs, Part, digest
from lib_extend.questions.asking import of_persons, signature
from lib_extend.records import Answer

if TYPE_CHECKING:
    from lib_extend.analysis.making import Maker, Workplace


class Answers(Part):
    """Values are tuples of `Answer`, in the order in which the questions were asked."""

    name = "answers"
    needs = ("tags", "persons")
    models = ("vlm", "tagger", "detector")

    def wanted(self, inputs: KeyInputs) -> bool:
        """Whether there are questions to ask."""
        return bool(inputs.questions)

    def key(self, inputs: KeyInputs) -> str:
        """The models, the questions, when they are asked, and (without a tagger) the caption's tags."""
        config = inputs.config
        texts = [
            inputs.vlm,
            inputs.tagger,
            signature(inputs.questions),
            f"{config.question_threshold:g}",
            str(config.max_pixels),
            "" if inputs.tagger else " ".join(sorted(t.name for t in inputs.known)),
        ]
        if config.people and of_persons(inputs.questions):
            texts += [persons.PART.key(inputs), str(config.person_tag_threshold)]
        return digest(texts)

    def uses(self, inputs: KeyInputs) -> tuple[str, ...]:
        """Persons only where there are questions about each of them."""
        return self.needs if inputs.config.people and of_persons(inputs.questions) else ("tags",)

    def to_json(self, value: Sequence[Answer]) -> Any:
        return [a.to_json() for a in value]

    def from_json(self, data: Any) -> tuple[Answer, ...]:
        return tuple(Answer.from_json(a) for a in data)

    def maker(self, workplace: Workplace) -> Maker | None:
        if workplace.vlm is None:
            return None
        from lib_extend.analysis.answer_making import AnswerMaker

        return AnswerMaker(workplace.vlm, workplace)


PART = Answers()
