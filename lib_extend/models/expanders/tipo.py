"""TIPO: tags to more tags and to prose, in both directions."""

from __future__ import annotations

from lib_extend.errors import ModelError
from lib_extend.models.expanders import tipo_format as form
from lib_extend.models.expanders.expander_options import ExpanderOptions, ExpanderPlace
from lib_extend.models.expanders.writers import Writer, writer_of
from lib_extend.models.expanders.written_draft import TAGS, Plan
from lib_extend.models.family import USUAL, Family
from lib_extend.prompt_expansion import Draft, Tell, Wish, told_to_nobody


class Tipo:
    """See `Expander`."""

    def __init__(self, writer: Writer, options: ExpanderOptions) -> None:
        self._writer = writer
        self.name, self.device = options.name, writer.device

    def expand(self, wish: Wish, tell: Tell = told_to_nobody) -> list[Draft]:
        return self._writer.write(plan_of(wish), wish, tell)


def plan_of(wish: Wish) -> Plan:
    """What is to be written. Raises ModelError when there is no such task."""
    if wish.task and wish.task not in form.TASKS:
        raise ModelError(f"TIPO has no task {wish.task!r}: take one of {', '.join(form.TASKS)}.")
    shown, length = wish.shown, wish.length
    asked = form.prompt(shown, length, wish.wanted, wish.task)
    # the comma is written for the model: what the user wrote last is not continued
    comma = "," if shown.tags else ""
    return Plan(
        prompt=asked.text + (comma if asked.parts[0] == TAGS else ""),
        parts=asked.parts,
        counted=len(wish.given.tags),
        least=form.LEAST_TAGS[length],
        most=form.MOST_TAGS[length],
        leads={part: lead + (comma if part == TAGS else "") for part, lead in asked.leads.items()},
        sentences={
            form.SHORT: (1, form.SHORT_SENTENCES),
            form.LONG: (form.LEAST_SENTENCES[length], form.MOST_SENTENCES[length]),
        },
    )


def _recognises(place: ExpanderPlace) -> bool:
    return "<|tag_to_long|>" in place.tokens


def _load(place: ExpanderPlace, options: ExpanderOptions) -> Tipo:
    return Tipo(writer_of(place, options), options)


FAMILY = Family(_recognises, _load, USUAL)
