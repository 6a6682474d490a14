"""How a picture's description is made: asked for, held against what is known, and asked for again once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib_extend.analysis.decode import reduced
from lib_extend.analysis.making import Maker, Picture, Workplace
from lib_extend.captions.prose_asking import TOKENS, request
from lib_extend.captions.prose_check import Contradiction, contradictions
from lib_extend.captions.prose_known import Known, known_of
from lib_extend.captions.prose_replies import CORRECTIONS, EMPTY, ENDLESS, TROUBLE, Read, read_reply
from lib_extend.errors import ImageError, ModelError
from lib_extend.records import Prompt, Prose
from lib_extend.vocabulary.replies import sees_nothing, spoken

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Look, Vlm

_REPLY_TROUBLE = {"answer_empty": EMPTY, "answer_cut": ENDLESS}
"""What a server's errors about one answer mean here."""


class ProseMaker(Maker):
    """Asks for a description behind the questions, on the picture as it is encoded for them.

    Args:
        vlm: the model. workplace: how descriptions are wanted, and which tags and answers are sure.
    """

    lane = "questions"
    failure = "The picture could not be described"
    optional = True

    def __init__(self, vlm: Vlm, workplace: Workplace) -> None:
        self._vlm, self._workplace = vlm, workplace
        self._name = workplace.vlm_name or vlm.key
        self.threads = max(1, vlm.parallel)

    def size(self, picture: Picture) -> tuple[int | None, int | None]:
        return None, self._vlm.pixels

    def prepare(self, picture: Picture, image: Image.Image) -> Image.Image:
        return reduced(image, self._vlm.pixels)

    def make(self, pictures: Sequence[Picture], inputs: Sequence[Image.Image]) -> list[Prose]:
        return [self._describe(picture, image) for picture, image in zip(pictures, inputs, strict=True)]

    def _describe(self, picture: Picture, image: Image.Image) -> Prose:
        place = self._workplace
        known = known_of(
            picture.all_tags(),
            picture.value("answers") or (),
            picture.value("persons") or (),
            threshold=place.question_threshold,
            person_threshold=place.person_tag_threshold,
        )
        look = picture.taken_look() or self._vlm.look(image)
        try:
            return self._asked(look, known)
        finally:
            look.close()

    def _asked(self, look: Look, known: Known) -> Prose:
        """The description; of two that both have something wrong the one with less.

        Raises ImageError where there is none, ModelError where the model sees no pictures.
        """
        first, wrong = self._once(look, known, ())
        if first.text and not wrong:
            return Prose(first.text, self._name)
        corrections = [f"Correct this: {c.reason}." for c in wrong] or [CORRECTIONS[first.trouble]]
        second, still_wrong = self._once(look, known, corrections)
        if not first.text and not second.text:
            raise ImageError(f"{TROUBLE[second.trouble]}, twice.", code=second.trouble)
        better = second.text and (not first.text or len(still_wrong) < len(wrong))
        return Prose(second.text if better else first.text, self._name, asked=2)

    def _once(self, look: Look, known: Known, corrections: Sequence[str]) -> tuple[Read, list[Contradiction]]:
        wishes = self._workplace.prose
        text = request(known.facts(), wishes, corrections)
        try:
            reply = look.ask([Prompt(text, max_new_tokens=TOKENS[wishes.length])])[0]
        except ImageError as error:
            if error.code not in _REPLY_TROUBLE:
                raise
            return Read(trouble=_REPLY_TROUBLE[error.code]), []
        self._workplace.beat()
        said = spoken(reply.raw)
        if sees_nothing(said, text):
            raise ModelError(
                f"The vision-language model sees no pictures (it says “{said[:100]}”): take one that does, or look "
                "whether its server was started with the model's vision part.",
                code="model_blind",
            )
        read = read_reply(reply.raw)
        return read, contradictions(read.text, known, wishes)
