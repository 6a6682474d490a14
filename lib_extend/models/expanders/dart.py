"""dart: tags to more tags, with a token for each tag. v1 is an OPT (ONNX or safetensors), v2 a Mistral or a Mixtral.

Its own tokenizer code is not run: `tokenizer.json` says all that is needed.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from lib_extend.errors import ModelError
from lib_extend.models.expanders import dart_format as form
from lib_extend.models.expanders.expander_options import ExpanderOptions, ExpanderPlace
from lib_extend.models.expanders.language_model import LanguageModel, context_of, load_weights
from lib_extend.models.expanders.onnx_reading import OnnxModel, OnnxReader
from lib_extend.models.expanders.tag_drafting import TagModel, write_tags
from lib_extend.models.expanders.written_draft import TAGS, Plan
from lib_extend.models.family import EARLY, Family
from lib_extend.prompt_expansion import Draft, Tell, Wanted, Wish, told_to_nobody
from lib_extend.vocabulary.tag_names import KAOMOJI

ONNX_FILES = ("model.onnx", "model_quantized.onnx")
_MARK = re.compile(r"</?[a-z]+>|<\|.*\|>")
_SECOND = "<|length:long|>"
"""A token that only v2 has."""


class Dart:
    """See `Expander`."""

    def __init__(self, model: TagModel, options: ExpanderOptions, device: str, finetuned: bool) -> None:
        self._model, self._finetuned = model, finetuned
        self._second = _SECOND in model.ids
        self.name, self.device = options.name, device

    def expand(self, wish: Wish, tell: Tell = told_to_nobody) -> list[Draft]:
        if wish.task or wish.wanted is not Wanted.TAGS:
            raise ModelError(f"{self.name} writes tags only: ask for tags, or take a TIPO model.")
        shown, length = wish.shown, wish.length
        prompt = form.v2(shown, length, self._finetuned) if self._second else form.v1(shown, length)
        least, most = (form.COUNTS_V2 if self._second else form.COUNTS_V1)[length]
        return write_tags(
            self._model, Plan("", (TAGS,), len(wish.given.tags), least, most), prompt, wish, tell
        )


def _recognises(place: ExpanderPlace) -> bool:
    return {"<general>", form.GENERAL_END} <= place.tokens


def _load(place: ExpanderPlace, options: ExpanderOptions) -> Dart:
    ids = _token_ids(place.path)
    ends = frozenset(ids[t] for t in (form.GENERAL_END, form.TEXT_END) if t in ids)
    onnx = next((f for name in ONNX_FILES if (f := place.path / name).is_file()), None)
    never = frozenset(i for text, i in ids.items() if _is_mark(text)) - ends
    label = place.path.name
    if onnx is not None and not (place.path / "model.safetensors").is_file():
        model = OnnxModel(onnx, options.device)
        read = partial(OnnxReader, model)
        context, device = model.context, model.device
        tags = TagModel(ids, ends, never, read, context, label)
    else:
        weights = load_weights(place.path, options.device)
        language = LanguageModel(weights, None, label, context_of(weights))
        tags = TagModel(ids, ends, never, language.reader, language.context, label)
        device = options.device
    return Dart(tags, options, device, finetuned="base" not in f"{options.name} {label}".lower())


def _is_mark(text: str) -> bool:
    """Whether a token is no tag: `<general>`, `<|long|>`, `rating:sfw`."""
    return text not in KAOMOJI and (_MARK.fullmatch(text) is not None or text.startswith("rating:"))


def _token_ids(folder: Path) -> dict[str, int]:
    """The id of each token. Raises ModelError."""
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:
        raise ModelError(f"{file} cannot be read ({str(error)[:200]}): copy it anew.") from error
    return {str(text): int(i) for text, i in tokenizer.get_vocab(with_added_tokens=True).items()}


FAMILY = Family(_recognises, _load, EARLY)
