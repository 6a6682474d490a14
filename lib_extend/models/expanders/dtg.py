"""DanTagGen: tags to more tags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lib_extend.errors import ModelError
from lib_extend.models.expanders import dtg_format as form
from lib_extend.models.expanders.drafting import write
from lib_extend.models.expanders.expander_options import ExpanderOptions, ExpanderPlace
from lib_extend.models.expanders.language_model import LanguageModel, load
from lib_extend.models.expanders.written_draft import TAGS, Plan
from lib_extend.models.family import LATE, Family
from lib_extend.prompt_expansion import Draft, Tell, Wanted, Wish, told_to_nobody


class DanTagGen:
    """See `Expander`."""

    def __init__(self, model: LanguageModel, options: ExpanderOptions, quality: bool) -> None:
        self._model, self._quality = model, quality
        self.name, self.device = options.name, options.device

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
        return write(self._model, plan, wish, tell)


def _recognises(place: ExpanderPlace) -> bool:
    return form.INPUT_END in place.tokens


def _load(place: ExpanderPlace, options: ExpanderOptions) -> DanTagGen:
    # delta and its revision were trained with a line about quality; their files say so nowhere
    delta = "delta" in f"{options.name} {place.path.name}".lower()
    return DanTagGen(load(place.path, options.device, _activation(place.path, delta)), options, delta)


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
