"""A causal language model and its tokenizer from a folder in transformers' layout, or from a GGUF file.

torch and transformers are imported when a model is loaded.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_extend.errors import ModelError
from lib_extend.models.expanders.token_reading import CachedReader, Reader

if TYPE_CHECKING:
    import torch

_TOKENIZER_PACKAGES = {"tokenizer.model": ("sentencepiece", "google.protobuf")}
_LOADING_ERRORS = (OSError, ValueError, KeyError, RuntimeError, ImportError)
_GGUF_PACKAGES = ("gguf", "accelerate")


@dataclass(frozen=True)
class LanguageModel:
    """A loaded model.

    Attributes:
        model: `PreTrainedModel` for causal language modelling. tokenizer: `PreTrainedTokenizer`.
        label: what it is called in a message. context: tokens of prompt and answer together, at the most.
    """

    model: Any
    tokenizer: Any
    label: str
    context: int

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    @cached_property
    def end(self) -> int:
        """The id of the token that ends a text."""
        return int(self.tokenizer.eos_token_id)

    @cached_property
    def _pieces(self) -> list[str]:
        texts = self.tokenizer.convert_ids_to_tokens(list(range(len(self.tokenizer))))
        byte = {f"<0x{n:02X}>": chr(n) for n in range(128)}
        return [byte.get(text or "", text or "") for text in texts]

    @cached_property
    def new_lines(self) -> frozenset[int]:
        """The ids of tokens with a new line in them."""
        return self.with_any("\n")

    @cached_property
    def commas(self) -> frozenset[int]:
        """The ids of tokens with a comma in them."""
        return self.with_any(",")

    @cached_property
    def stops(self) -> frozenset[int]:
        """The ids of tokens with what ends a sentence in them."""
        return self.with_any(".!?")

    @cached_property
    def never(self) -> frozenset[int]:
        """The ids of special tokens, which are never drawn; that which ends a text is not among them."""
        special = {*self.tokenizer.all_special_ids, *getattr(self.tokenizer, "added_tokens_decoder", ())}
        return frozenset(int(i) for i in special) - {self.end}

    def with_any(self, characters: str) -> frozenset[int]:
        """The ids of tokens in which one of the characters is."""
        return frozenset(i for i, text in enumerate(self._pieces) if any(c in text for c in characters))

    def encode(self, text: str) -> list[int]:
        """The ids of a prompt, with the token that begins a text. Raises ModelError when it is too long."""
        ids = [int(i) for i in self.tokenizer(text, add_special_tokens=False).input_ids]
        begin = self.tokenizer.bos_token_id
        ids = [int(begin), *ids] if begin is not None and ids[:1] != [begin] else ids
        if len(ids) >= self.context:
            raise ModelError(
                f"The prompt has {len(ids):,} tokens and {self.label} reads {self.context:,}: shorten it."
            )
        return ids

    def encode_within(self, text: str) -> list[int]:
        """The ids of a text that follows another: no token begins it, and no space."""
        before = self.tokenizer("a", add_special_tokens=False).input_ids
        both = self.tokenizer(f"a{text}", add_special_tokens=False).input_ids
        return [int(i) for i in both[len(before) :]]

    def decode(self, ids: Sequence[int]) -> str:
        """Their text, without special tokens."""
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)

    def reader(self, prompt: list[int], rows: int) -> Reader:
        """What reads the ids of a prompt and goes on with as many drafts."""
        return CachedReader(self.model, self.cache_argument, prompt, rows)

    @cached_property
    def cache_argument(self) -> str:
        """What the forward function calls the keys and values of what it has read."""
        takes = inspect.signature(self.model.forward).parameters
        return "cache" if "cache" in takes else "past_key_values"


def load(place: Path, device: str, activation: str = "") -> LanguageModel:
    """The model of a folder, or of a `.gguf` file, with its tokenizer.

    Args:
        device: as torch names it ("cpu", "cuda"); half precision is used where it is no CPU.
        activation: the one between the layers, where the file cannot say it; "" for what it says.

    Raises:
        ModelError: it cannot be read, is no causal language model, or a package that it needs is missing.
    """
    from transformers import AutoTokenizer

    gguf = {"gguf_file": place.name} if place.suffix == ".gguf" else {}
    folder = place.parent if gguf else place
    _need_packages(folder, place, bool(gguf))
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **gguf)
    except _LOADING_ERRORS as error:
        raise _unreadable(place, error) from error
    model = load_weights(place, device)
    if activation:
        _activate(model, activation)
    if tokenizer.eos_token_id is None:
        raise ModelError(f"The expander {place} has no token that ends a text: it is no model for tags.")
    return LanguageModel(model, tokenizer, place.stem if gguf else place.name, context_of(model))


def load_weights(place: Path, device: str) -> Any:
    """The model of a folder or a `.gguf` file, without a tokenizer. Raises ModelError."""
    import torch
    from transformers import AutoModelForCausalLM

    from lib_extend.models.vlms.local import no_bars, precision_argument

    gguf = {"gguf_file": place.name} if place.suffix == ".gguf" else {}
    try:
        precision = torch.float32 if device == "cpu" else torch.float16
        with no_bars():
            model, info = AutoModelForCausalLM.from_pretrained(
                place.parent if gguf else place,
                attn_implementation="sdpa",
                trust_remote_code=False,
                use_safetensors=None if gguf else True,
                output_loading_info=True,
                **{precision_argument(): precision},
                **gguf,
            )
        model = model.to(device).eval()
    except _LOADING_ERRORS as error:
        raise _unreadable(place, error) from error
    if missing := sorted(info["missing_keys"]):
        raise ModelError(
            f"The expander {place} is incomplete: {len(missing)} of its weights are missing, {missing[0]} for one."
        )
    return model


def context_of(model: Any) -> int:
    """How many tokens a model of transformers reads."""
    return int(getattr(model.config, "max_position_embeddings", 0) or 2048)


def _activate(model: Any, activation: str) -> None:
    from transformers.activations import ACT2FN

    model.config.hidden_act = activation
    for layer in model.model.layers:
        layer.mlp.act_fn = ACT2FN[activation]


def _unreadable(place: Path, error: Exception) -> ModelError:
    reason = str(error).strip().partition("\n")[0][:300]
    return ModelError(f"The expander {place} cannot be loaded: {reason}")


def _need_packages(folder: Path, place: Path, gguf: bool) -> None:
    """Raises ModelError with the true reason: transformers asks for tiktoken where sentencepiece is missing."""
    needed: tuple[str, ...] = ()
    if gguf:
        needed = _GGUF_PACKAGES
    elif not (folder / "tokenizer.json").is_file():
        if not (folder / "tokenizer.model").is_file():
            raise ModelError(f"{folder} has neither tokenizer.json nor tokenizer.model: copy it there too.")
        needed = _TOKENIZER_PACKAGES["tokenizer.model"]
    for name in needed:
        try:
            there = importlib.util.find_spec(name) is not None
        except ModuleNotFoundError:
            there = False
        if not there:
            package = {"google.protobuf": "protobuf"}.get(name, name)
            raise ModelError(
                f"{place.name} needs the Python package {package}, which the models' Python does not have: run "
                f"`{sys.executable} -m pip install {package}`."
            )
