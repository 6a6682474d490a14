"""The plain way of asking: each question with the whole picture, through the model's own forward pass.

Slow and right for every architecture; what the shared-prefix engine is compared with.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lib_extend.errors import ImageError
from lib_extend.models.vlms.choices import ChoiceBook, Path
from lib_extend.records import Prompt, Reply

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Look
    from lib_extend.models.vlms.chat import Chat, Tensors


class PlainEngine:
    """Asks any model of transformers' image-text-to-text kind.

    Attributes:
        name: how questions are asked, in words.
    """

    name = "one question at a time"

    def __init__(self, model: Any, chat: Chat, temperature: float = 1.0) -> None:
        """`temperature` (> 0) divides the scores of closed answers before the softmax."""
        self.model = model
        self.chat = chat
        self.temperature = temperature
        self.book = ChoiceBook(chat.tokenizer)
        self._takes = frozenset(inspect.signature(model.forward).parameters)

    def look(self, image: Image.Image) -> Look:
        """Takes an RGB picture; nothing is computed before the first question."""
        return PlainLook(self, image)

    def moved(self, inputs: Tensors) -> Tensors:
        """`inputs` on the model's device, pixels in its type."""
        if "token_type_ids" not in self._takes:  # some tokenizers make them for models without
            inputs = {k: v for k, v in inputs.items() if k != "token_type_ids"}
        device, dtype = self.model.device, self.model.dtype
        return {
            k: v.to(device, dtype) if v.is_floating_point() else v.to(device)
            for k, v in inputs.items()
            if isinstance(v, Tensor)
        }

    def next_token(self, inputs: Tensors, tail: Path = ()) -> Tensor:
        """Logits (vocabulary,) float32 of the token after the prompt in `inputs` and the tokens `tail`."""
        forget_positions(self.model)
        given = self.moved(_longer(inputs, tail))
        options: dict[str, Any] = {"use_cache": False}
        if "logits_to_keep" in self._takes:  # scores of the last place only, where the release can
            options["logits_to_keep"] = 1
        with torch.inference_mode():
            logits: Tensor = self.model(**given, **options).logits
        return logits[0, -1].float()

    def closed(self, inputs: Tensors, prompt: Prompt) -> Reply:
        """The reply to a closed prompt by the scores of its choices."""
        choices = self.book.choices(prompt.choices)
        at: dict[Path, Tensor] = {(): self.next_token(inputs).log_softmax(-1)}
        check_numbers(at[()])
        for path in choices.inner(at[()], self.temperature):
            at[path] = self.next_token(inputs, path).log_softmax(-1)
        return scored(choices.names, choices.probabilities(at, self.book.boundary, self.temperature))

    def free(self, inputs: Tensors, prompt: Prompt) -> Reply:
        """The reply to a free prompt: greedy decoding, undisturbed by the model's sampling defaults."""
        forget_positions(self.model)
        given = self.moved(inputs)
        start = given["input_ids"].shape[1]
        with torch.inference_mode():
            made = self.model.generate(
                **given,
                max_new_tokens=prompt.max_new_tokens,
                do_sample=False,
                num_beams=1,
                repetition_penalty=1.0,
                temperature=None,
                top_p=None,
                top_k=None,
                eos_token_id=sorted(end_tokens(self.model, self.chat.tokenizer)) or None,
            )
        return Reply(self.chat.decode(made[0, start:].tolist()))


class PlainLook:
    """One picture, asked question by question."""

    def __init__(self, engine: PlainEngine, image: Image.Image) -> None:
        self._engine = engine
        self._image: Image.Image | None = image

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order. Raises ImageError for a picture the model does not take."""
        return [self._ask(p) for p in prompts]

    def _ask(self, prompt: Prompt) -> Reply:
        if self._image is None:
            raise RuntimeError("the look is closed")
        inputs = self._engine.chat.inputs(self._image, prompt.text)
        return (self._engine.closed if prompt.choices else self._engine.free)(inputs, prompt)

    def logits(self, questions: Sequence[tuple[str, Path]]) -> Tensor:
        """Logits (questions, vocabulary) float32 of the token behind each question and the tokens of an
        answer's beginning."""
        assert self._image is not None
        image, chat = self._image, self._engine.chat
        return torch.stack([self._engine.next_token(chat.inputs(image, q), begun) for q, begun in questions])

    def close(self) -> None:
        """Lets the picture go."""
        self._image = None


def check_numbers(scores: Tensor) -> None:
    """Raises ImageError when scores (vocabulary,) are no numbers: an answer made of them would be arbitrary."""
    if bool(torch.isnan(scores).any()):
        raise ImageError(
            "The vision-language model's scores for this picture are no numbers (an overflow in half precision?): "
            "try --device cpu."
        )


def scored(names: Sequence[str], probabilities: tuple[float, ...]) -> Reply:
    """The reply of a closed prompt: the likeliest choice's name, with all probabilities."""
    best = max(range(len(names)), key=probabilities.__getitem__)
    return Reply(names[best], probabilities)


def forget_positions(model: Any) -> None:
    """Clears the position offset that Qwen's models keep from the picture they saw last."""
    # On the top class up to about 4.51, on the model inside it from then on.
    for part in (model, model.model if hasattr(model, "model") else model):
        if getattr(part, "rope_deltas", None) is not None:
            part.rope_deltas = None


def end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """The ids that end an answer: the generation config's and the tokenizer's."""
    ids = model.generation_config.eos_token_id
    found = set(ids if isinstance(ids, list | tuple) else [ids]) | {tokenizer.eos_token_id}
    return frozenset(i for i in found if i is not None)


def _longer(inputs: Tensors, tail: Path) -> Tensors:
    """`inputs` of one row with the tokens `tail` behind its prompt: 1 in masks, 0 (text) in token types."""
    if not tail:
        return inputs
    ids: Tensor = inputs["input_ids"]
    longer = dict(inputs)
    for name, value in inputs.items():
        if isinstance(value, Tensor) and value.shape == ids.shape:
            more = value.new_zeros((1, len(tail)))
            if name == "input_ids":
                more = torch.tensor([tail], dtype=ids.dtype)
            elif name == "attention_mask":
                more += 1
            longer[name] = torch.cat([value, more], 1)
    return longer
