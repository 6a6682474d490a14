"""How the answers about a picture are made: the questions that its tags call for, round by round."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lib_extend.analysis.decode import reduced
from lib_extend.analysis.making import Maker, Picture, Workplace
from lib_extend.analysis.person_finder import SIDE, cut_out
from lib_extend.errors import ModelError
from lib_extend.questions.answer_reading import read
from lib_extend.questions.asking import next_round, of_persons, of_pictures
from lib_extend.questions.question import Asked
from lib_extend.records import Answer, Category, Person, Reply, Tag
from lib_extend.vocabulary.replies import sees_nothing, spoken

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Vlm
    from lib_extend.questions.question import Question

_MAX_ROUNDS = 32  # of questions about one picture; a table that asks for more goes round in circles


BLIND = 3
"""Pictures in a row of which a model says that it sees none, from which on it is not asked any more."""


class AnswerMaker(Maker):
    """Asks about as many pictures at once as the vision-language model can use.

    Args:
        vlm: the model. workplace: the questions, the scores that call for them, and the tagger if there is one.
    """

    lane = "questions"
    failure = "The questions could not be asked"
    optional = True

    def __init__(self, vlm: Vlm, workplace: Workplace) -> None:
        self._vlm, self._beat = vlm, workplace.beat
        self.threads = max(1, vlm.parallel)
        self._questions = of_pictures(workplace.questions)
        self._person_questions = of_persons(workplace.questions)
        self._threshold = workplace.question_threshold
        own = workplace.person_tag_threshold
        self._person_threshold = self._threshold if own is None else own
        self._blind, self._blind_sentence = 0, ""
        self._taught: frozenset[str] | None = getattr(vlm, "objects", None)
        """The only things the model was taught; None where it may be asked about all."""
        self._sharp = None if workplace.tagger is None else SIDE * workplace.tagger.side

    def size(self, picture: Picture) -> tuple[int | None, int | None]:
        return (self._sharp if self._needs_persons(picture) else None), self._vlm.pixels

    def prepare(self, picture: Picture, image: Image.Image) -> Image.Image:
        # What waits for its questions is kept small.
        return image if self._needs_persons(picture) else reduced(image, self._vlm.pixels)

    def make(self, pictures: Sequence[Picture], inputs: Sequence[Image.Image]) -> list[tuple[Answer, ...]]:
        return [self._ask(picture, image) for picture, image in zip(pictures, inputs, strict=True)]

    def _needs_persons(self, picture: Picture) -> bool:
        return "persons" in picture.wanted or bool(self._person_questions and picture.known.get("persons"))

    def _ask(self, picture: Picture, image: Image.Image) -> tuple[Answer, ...]:
        tags = likely(picture.all_tags(), self._threshold)
        answers = self._put(self._questions, tags, image, picture, keep="prose" in picture.inputs)
        if self._person_questions:
            persons: Sequence[Person] = picture.value("persons") or ()
            boxes = [p.box for p in persons]
            for i, person in enumerate(persons):
                own = likely(person.tags, self._person_threshold)
                if own and self._next(self._person_questions, own, []):
                    alone = cut_out(image, (picture.width, picture.height), boxes, i)
                    about = self._put(self._person_questions, own, alone, picture)
                    answers += [replace(a, person=i + 1) for a in about]
        return tuple(answers)

    def _put(
        self,
        questions: Sequence[Question],
        tags: Mapping[str, float],
        image: Image.Image,
        picture: Picture,
        *,
        keep: bool = False,
    ) -> list[Answer]:
        """The answers to the questions that `tags` call for, follow-ups included, about one image.

        `keep`: the model's look at it stays open for the maker that comes next.
        """
        answers: list[Answer] = []
        asked = self._next(questions, tags, answers)
        if not asked:
            return answers
        if self._blind >= BLIND:
            raise ModelError(self._blind_sentence, code="model_blind")
        look = self._vlm.look(reduced(image, self._vlm.pixels))
        try:
            for _ in range(_MAX_ROUNDS):
                said = look.ask([p for a in asked for p in a.prompts])
                self._check_eyes(asked, said)
                replies = iter(said)
                answers += [read(a, *itertools.islice(replies, len(a.prompts))) for a in asked]
                self._beat()
                asked = self._next(questions, tags, answers)
                if not asked or picture.dropped():
                    picture.look = look if keep else None
                    return answers
        finally:
            if picture.look is not look:
                look.close()
        raise RuntimeError("the questions follow one another in a circle")

    def _next(
        self, questions: Sequence[Question], tags: Mapping[str, float], answers: Sequence[Answer]
    ) -> list[Asked]:
        """The next questions, without those about things that the model was never taught."""
        asked = next_round(questions, tags, answers)
        if self._taught is None:
            return asked
        return [a for a in asked if not a.object or a.object in self._taught]

    def _check_eyes(self, asked: Sequence[Asked], replies: Sequence[Reply]) -> None:
        """Raises ModelError when the model says to what it was asked that it sees no picture.

        Replies that are one of the allowed answers are left out: a model that is held to them can say nothing else.
        """
        free, blind = 0, []
        for prompt, reply in zip((p for a in asked for p in a.prompts), replies, strict=True):
            said = spoken(reply.raw)
            if not any(said.lower() in (c.lower() for c in choice) for choice in prompt.choices):
                free += 1
                if sees_nothing(said, prompt.text):
                    blind.append(" ".join(said.split())[:100])
        if not blind or 2 * len(blind) < free:
            self._blind = 0 if free else self._blind
            return
        self._blind += 1
        # The same words for every picture, so that they are said once.
        self._blind_sentence = self._blind_sentence or (
            f"The vision-language model sees no pictures (it says “{blind[0]}”): take one that does, or look whether "
            "its server was started with the model's vision part."
        )
        raise ModelError(self._blind_sentence, code="model_blind")


def likely(tags: Sequence[Tag], threshold: float) -> dict[str, float]:
    """Score by name of the tags that questions may be about: no ratings, none below `threshold`."""
    scores: dict[str, float] = {}
    for tag in tags:
        score = 1.0 if tag.score is None else tag.score
        if score >= threshold and tag.category is not Category.RATING:
            scores[tag.name] = max(score, scores.get(tag.name, 0.0))
    return scores
