"""What writes drafts for a family: a model of transformers in this process, llama.cpp, or a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lib_extend.errors import ModelError
from lib_extend.models.expanders.drafting import write
from lib_extend.models.expanders.expander_options import ExpanderOptions, ExpanderPlace
from lib_extend.models.expanders.language_model import LanguageModel, load
from lib_extend.models.expanders.text_drafting import write_texts
from lib_extend.models.expanders.text_sources import TextSource, Xllamacpp, has_xllamacpp
from lib_extend.models.expanders.written_draft import Plan
from lib_extend.prompt_expansion import Draft, Tell, Wish

CONTEXT = 2048
"""Tokens that DanTagGen and TIPO read."""


class Writer(Protocol):
    """What writes drafts."""

    @property
    def device(self) -> str:
        """Where it runs, in words."""
        ...

    def write(self, plan: Plan, wish: Wish, tell: Tell) -> list[Draft]:
        """As many drafts as wished. Raises ModelError when the prompt is longer than the model reads."""
        ...


@dataclass(frozen=True)
class TokenWriter:
    """A model whose tokens are drawn here."""

    model: LanguageModel
    device: str

    def write(self, plan: Plan, wish: Wish, tell: Tell) -> list[Draft]:
        return write(self.model, plan, wish, tell)


@dataclass(frozen=True)
class TextWriter:
    """A model that continues texts."""

    source: TextSource

    @property
    def device(self) -> str:
        return self.source.device

    def write(self, plan: Plan, wish: Wish, tell: Tell) -> list[Draft]:
        return write_texts(self.source, plan, wish, tell)


def writer_of(place: ExpanderPlace, options: ExpanderOptions, activation: str = "") -> Writer:
    """The writer for a place; a GGUF file that transformers cannot read goes to xllamacpp. Raises ModelError.

    Args:
        activation: see `language_model.load`.
    """
    if place.server is not None:
        return TextWriter(place.server)
    try:
        return TokenWriter(load(place.path, options.device, activation), options.device)
    except ModelError as error:
        if place.path.suffix != ".gguf":
            raise
        if has_xllamacpp():
            return TextWriter(Xllamacpp(place.path, CONTEXT, options.device))
        raise ModelError(
            f"{str(error).rstrip('.')}. llama.cpp may read it: start `llama-server -m {place.path.name}` and give its "
            "address (http://127.0.0.1:8080) as the expander, or install xllamacpp in the models' Python."
        ) from error
