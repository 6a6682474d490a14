"""DanTagGen: tags to more tags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lib_extend.errors import ModelError
from lib_extend.models.expanders import dtg_format as form
from lib_extend.models.expanders.expander_options import ExpanderOptions, ExpanderPlace
from lib_extend.models.expanders.writers import Writer, writer_of
from lib_extend.models.expanders.written_draft import TAGS, Plan
from lib_extend.models.family import LATE, Family
from lib_extend.prompt_expansion import Draft, Tell, Wanted, Wish, told_to_nobody


class DanTagGen:
    """See `Expander`."""

    def __init__(self, writer: Writer, options: ExpanderOptions, quality: bool) -> None:
        self._writer, self._quality = writer, quality
        self.name, self.device = options.name, writer.device

    def expand(self, wish: Wish, tell: Tell = told_to_nobody) -> list[Draft]:
        if wish.task or wish.wanted is not Wanted.TAGS:
            raise ModelError(f"{self.name} writes tags only: ask for tags, or take a TIPO model.")
        shown, length = wish.shown, wish.length
        plan = Plan(
            prompt=form.prompt(shown, length, self._quality),
            parts=(TAGS,),
            counted=len(wish.given.tags),
            least=form.LEAST[length],
            most=form.MOST[length],
        )
        return self._writer.write(plan, wish, tell)


def _recognises(place: ExpanderPlace) -> bool:
    return form.INPUT_END in place.tokens


def _load(place: ExpanderPlace, options: ExpanderOptions) -> DanTagGen:
    # delta and its revision were trained with a line about quality; their files say so nowhere
    model = place.server.model if place.server is not None else place.path.name
    delta = "delta" in f"{options.name} {model}".lower()
    return DanTagGen(writer_of(place, options, _activation(place.path, delta)), options, delta)


def _activation(path: Path, delta: bool) -> str:
    """What a GGUF file cannot say: the activation, which is Mish in delta. A `config.json` beside it decides."""
    if path.suffix != ".gguf":
        return ""
    try:
        said: Any = json.loads((path.parent / "config.json").read_text(encoding="utf-8-sig"))["hidden_act"]
    except (OSError, ValueError, KeyError, TypeError):
        return "mish" if delta else ""
    return str(said)


FAMILY = Family(_recognises, _load, LATE)
