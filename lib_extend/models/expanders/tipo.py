"""TIPO: tags to more tags and to prose, in both directions."""

from __future__ import annotations

from lib_extend.models.expanders import tipo_format as form
from lib_extend.models.expanders.drafting import Plan, write
from lib_extend.models.expanders.expander_options import ExpanderOptions, ExpanderPlace
from lib_extend.models.expanders.language_model import LanguageModel, load
from lib_extend.models.family import USUAL, Family
from lib_extend.prompt_expansion import Draft, Wish


class Tipo:
    """See `Expander`."""

    def __init__(self, model: LanguageModel, options: ExpanderOptions) -> None:
        self._model = model
        self.name, self.device = options.name, options.device

    def expand(self, wish: Wish) -> list[Draft]:
        given, length = wish.given, wish.length
        asked = form.prompt(given, length, wish.wanted)
        # the comma is written for the model: what the user wrote last is not continued
        text = asked.text + ("," if asked.parts[0] == "tags" and given.tags else "")
        plan = Plan(
            prompt=text,
            parts=asked.parts,
            there=frozenset(given.tags),
            counted=len(given.tags),
            least=form.LEAST_TAGS[length],
            most=form.MOST_TAGS[length],
            key=asked.key,
            sentences=form.MOST_SENTENCES[length],
        )
        return write(self._model, plan, wish.sampling, wish.drafts, wish.banned)


def _recognises(place: ExpanderPlace) -> bool:
    return "<|tag_to_long|>" in place.tokens


def _load(place: ExpanderPlace, options: ExpanderOptions) -> Tipo:
    return Tipo(load(place.path, options.device), options)


FAMILY = Family(_recognises, _load, USUAL)
