"""The record of a question. Questions are data, so that a new one needs no code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lib_extend.records import Prompt


class Kind(str, Enum):
    """The kinds of answers."""

    COUNT = "count"
    COLOR = "color"
    YES_NO = "yes_no"
    ONE_OF = "one_of"
    SOME_OF = "some_of"  # asked as one yes/no prompt for each allowed answer
    FREE = "free"


@dataclass(frozen=True)
class Question:
    """One entry of the question table.

    Attributes:
        name: unique; also what `--ask` lists, unless `group` names another.
        kind: how the reply is read.
        ask: the template. Fields: `{object}` and `{objects}` (its English plural) for questions that
            are put to each of several objects, `{answer}` for SOME_OF.
        group: the name under which `--ask` selects it ("" = its own name). Follow-ups share a group.
        when: tags that must all be present (canonical); empty: always.
        unless: tags none of which may be present.
        each: objects it is put to, one prompt an object: those of these tag names that are present.
        each_answer: names of questions whose positive answers are objects too (furniture → color).
        after: name of a YES_NO question that must have been answered yes.
        answers: allowed answers by name (ONE_OF, SOME_OF; COLOR and COUNT bring their own).
        tag: template of the tag it yields, from `{answer}`, `{object}`, `{objects}`; "" yields none.
        plain: answers that become a tag as they are, without the template (carpet).
        rephrased: a second phrasing of `ask`, averaged with the first where given.
        of_person: it is put to each person's cut-out, with that person's tags, not to the whole image.
        unless_any: templates of tags none of which may be present (`red_{object}`).
    """

    name: str
    kind: Kind
    ask: str
    group: str = ""
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    each_answer: tuple[str, ...] = ()
    after: str = ""
    answers: tuple[str, ...] = ()
    tag: str = ""
    plain: tuple[str, ...] = ()
    rephrased: str = ""
    of_person: bool = False
    unless_any: tuple[str, ...] = ()

    @property
    def selected_by(self) -> str:
        """The word in `--ask` that selects it."""
        return self.group or self.name


@dataclass(frozen=True)
class Asked:
    """A question about one object (or about the whole image), ready to be sent."""

    question: Question
    object: str  # canonical tag name, "" where the question is about the whole image
    prompt: Prompt
    rephrased: Prompt | None = None

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """All that is sent for it; `read` takes one reply for each."""
        return (self.prompt,) if self.rephrased is None else (self.prompt, self.rephrased)
