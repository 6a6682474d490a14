"""All questions about a picture on one shared beginning: the picture is encoded once.

The prompts of one picture agree up to the end of the picture. That *trunk* is run once and its keys and
values are kept. Everything behind it grows as a tree (`Tail`): each question is a branch of its own, an
answer of several tokens branches off the end of its question, decoded text grows token by token. One
forward pass takes any number of new tokens of any branches: a 4-D mask lets each see the trunk, its
ancestors and itself, and its position is that of its place in its own prompt. The results are those
of running each prompt alone, to rounding (`tests/models/test_vlm_prefix.py` compares the logits).

For Qwen2-VL, Qwen2.5-VL and Qwen3-VL, on transformers 4.49 to 5.x. Positions are computed here and never
taken from the model's `rope_deltas`, which belongs to whatever picture it saw last.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from lib_extend.models.vlms.choices import Path
from lib_extend.models.vlms.plain import PlainEngine, check_numbers, end_tokens, scored
from lib_extend.models.vlms.tree import Tail, Trunk, positions
from lib_extend.records import Prompt, Reply

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Look
    from lib_extend.models.vlms.chat import Chat, Tensors

T = TypeVar("T")

ARCHITECTURES = {"qwen2_vl": "Qwen2-VL", "qwen2_5_vl": "Qwen2.5-VL", "qwen3_vl": "Qwen3-VL"}
"""The `model_type`s whose positions `positions` knows."""

ROWS = 64
"""Next-token scores computed at once at the most: bounds their memory (ROWS × vocabulary)."""


def choose_engine(model: Any, chat: Chat, temperature: float) -> tuple[PlainEngine, str]:
    """The fastest engine a model can take, and in words how it asks and why."""
    reason = obstacle(model, chat)
    if reason:
        return PlainEngine(model, chat, temperature), f"{PlainEngine.name}: {reason}"
    return PrefixEngine(model, chat, temperature), PrefixEngine.name


def obstacle(model: Any, chat: Chat) -> str:
    """Why a model cannot share its prefix, "" when it can."""
    kind = model.config.model_type
    if kind not in ARCHITECTURES:
        return f"the shared prefix is not made for models of the kind {kind!r}"
    text = getattr(model.config, "text_config", model.config)
    for config in (model.config, text):
        attention = getattr(config, "_attn_implementation", None) or "eager"
        if attention not in ("sdpa", "eager"):
            return f"{attention} takes no mask of our own"
    if getattr(text, "use_sliding_window", False) or "sliding_attention" in (
        getattr(text, "layer_types", None) or ()
    ):
        return "its attention looks back a limited way only"
    end = model.config.vision_end_token_id
    parts = [_split(chat, end, question) for question in ("What is it?", "Is it red? Say yes or no.")]
    if None in parts or parts[0][0] != parts[1][0]:  # type: ignore[index]
        return "its chat template puts the question before the picture"
    return ""


def _split(chat: Chat, end: int, question: str) -> tuple[Path, Path] | None:
    """The prompt's tokens up to the end of the picture (its placeholder one token), and behind it."""
    ids = chat.tokenizer(chat.render(question), add_special_tokens=False)["input_ids"]
    if end not in ids:
        return None
    cut = ids.index(end) + 1
    return tuple(ids[:cut]), tuple(ids[cut:])


class PrefixEngine(PlainEngine):
    """Asks Qwen's models, a picture's questions together.

    Attributes:
        name: how questions are asked, in words.
    """

    name = "all questions of a picture at once"

    def __init__(self, model: Any, chat: Chat, temperature: float = 1.0) -> None:
        """`model` must be one that `obstacle` has nothing against."""
        super().__init__(model, chat, temperature)
        self._ends = end_tokens(model, chat.tokenizer)
        # The text model is `model.model` up to about 4.51; from then on that holds both halves.
        inner = model.model
        self._whole = inner if hasattr(inner, "language_model") else None
        self._text = inner.language_model if self._whole is not None else inner
        self._head = model.get_output_embeddings()
        self.suffix = lru_cache(maxsize=4096)(self._suffix)

    def look(self, image: Image.Image) -> Look:
        """Takes an RGB picture; it is encoded with the first question."""
        return PrefixLook(self, image)

    def encode(self, images: Sequence[Image.Image]) -> list[Trunk]:
        """The trunks of RGB pictures. Raises ImageError for one the processor does not take."""
        return [self._encode(self.chat.inputs(image, "")) for image in images]

    def _encode(self, inputs: Tensors) -> Trunk:
        from transformers import DynamicCache

        config = self.model.config
        ids = inputs["input_ids"][0]
        ids = ids[: int((ids == config.vision_end_token_id).nonzero()[0, 0]) + 1]
        merge = config.vision_config.spatial_merge_size
        frames, rows, columns = inputs["image_grid_thw"][0].tolist()
        assert frames == 1
        places, follow = positions(ids, config.image_token_id, rows // merge, columns // merge)
        cache = DynamicCache()
        given = self.moved(
            {
                "input_ids": ids[None],
                # Given even though all are ones: without it some releases take a picture's equal time
                # positions for the beginnings of packed sequences.
                "attention_mask": torch.ones_like(ids)[None],
                "position_ids": places[:, None],
            }
        )
        picture = self.moved({k: inputs[k] for k in ("pixel_values", "image_grid_thw")})
        with torch.inference_mode():
            if self._whole is not None:
                self._call(self._whole, cache, **given, **picture)
            else:
                ids = given.pop("input_ids")
                embedded = self._text.embed_tokens(ids)
                seen = self.model.visual(picture["pixel_values"], grid_thw=picture["image_grid_thw"])
                where = (ids == config.image_token_id)[..., None].expand_as(embedded)
                embedded = embedded.masked_scatter(where, seen.to(embedded.dtype))
                self._call(self._text, cache, inputs_embeds=embedded, **given)
        return Trunk(cache, places.shape[1], follow)

    def grow(self, cache: Any, ids: Tensor, places: Tensor, sees: Tensor) -> list[Tensor]:
        """Runs new tokens behind what is in `cache`, which keeps them.

        Args:
            ids: (new,).
            places: (new,), their rotary positions.
            sees: bool (new, tail), which tokens of the tail each sees, the new ones last. All see what is
                before the tail.

        Returns:
            The last hidden states, (hidden,) each.
        """
        device, dtype = self.model.device, self.model.dtype
        new, tail = sees.shape
        before = cache.get_seq_length() + new - tail
        mask = torch.zeros((1, 1, new, before + tail), dtype=dtype, device=device)
        mask[0, 0, :, before:].masked_fill_(~sees.to(device), torch.finfo(dtype).min)
        with torch.inference_mode():
            return list(
                self._call(
                    self._text,
                    cache,
                    inputs_embeds=self._text.get_input_embeddings()(ids[None].to(device)),
                    attention_mask=mask,
                    position_ids=places.to(device).expand(3, 1, -1),
                )[0]
            )

    def head(self, states: Tensor) -> Tensor:
        """Next-token logits (n, vocabulary) float32 of hidden states (n, hidden)."""
        with torch.inference_mode():
            parts = [states[i : i + ROWS] for i in range(0, len(states), ROWS)]
            return torch.cat([self._head(part).float() for part in parts])

    def _call(self, part: Any, cache: Any, **given: Any) -> Tensor:
        """Last hidden states (1, tokens, hidden) of a part of the model that fills `cache`."""
        if "cache_position" in inspect.signature(part.forward).parameters:  # 4.x
            past = cache.get_seq_length()
            new = given["position_ids"].shape[-1]
            given["cache_position"] = torch.arange(past, past + new, device=self.model.device)
        states: Tensor = part(**given, past_key_values=cache, use_cache=True).last_hidden_state
        return states

    def _suffix(self, question: str) -> Path:
        """The tokens of a question's prompt behind the picture."""
        parts = _split(self.chat, self.model.config.vision_end_token_id, question)
        assert parts is not None, "`obstacle` has seen the template"
        return parts[1]

    def answer(self, trunk: Trunk, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order; what is computed stays in the trunk's cache."""
        tail = Tail(trunk, self.grow)
        ends = [tail.add(-1, self.suffix(p.text)) for p in prompts]
        replies: dict[int, Reply] = {}
        closed = [i for i, p in enumerate(prompts) if p.choices]
        for start in range(0, len(closed), ROWS):
            replies |= self._closed(tail, prompts, ends, closed[start : start + ROWS])
        free = [i for i, p in enumerate(prompts) if not p.choices]
        replies |= self._free(tail, prompts, ends, free)
        return [replies[i] for i in range(len(prompts))]

    def _closed(
        self, tail: Tail, prompts: Sequence[Prompt], ends: Sequence[int], which: Sequence[int]
    ) -> dict[int, Reply]:
        """The replies to closed prompts: one forward pass, and one more for answers of several tokens."""
        roots = self.head(tail.states([ends[i] for i in which])).log_softmax(-1)
        asked = []
        for i, root in zip(which, roots, strict=True):
            check_numbers(root)
            choices = self.book.choices(prompts[i].choices)
            # The nodes of all questions are added before the first of them is run.
            asked.append(
                (i, choices, root, {p: tail.add(ends[i], p) for p in choices.inner(root, self.temperature)})
            )
        replies = {}
        for i, choices, root, nodes in asked:
            at: dict[Path, Tensor] = {(): root}
            if nodes:
                at |= zip(nodes, self.head(tail.states(list(nodes.values()))).log_softmax(-1), strict=True)
            replies[i] = scored(
                choices.names, choices.probabilities(at, self.book.boundary, self.temperature)
            )
        return replies

    def _free(
        self, tail: Tail, prompts: Sequence[Prompt], ends: Sequence[int], which: Sequence[int]
    ) -> dict[int, Reply]:
        """The replies to free prompts, decoded greedily side by side, one forward pass a token."""
        written: dict[int, list[int]] = {i: [] for i in which}
        live = {i: ends[i] for i in which if prompts[i].max_new_tokens > 0}
        while live:
            best = self.head(tail.states(list(live.values()))).argmax(-1).tolist()
            for (i, node), token in zip(list(live.items()), best, strict=True):
                if token in self._ends:
                    del live[i]
                    continue
                written[i].append(token)
                if len(written[i]) == prompts[i].max_new_tokens:
                    del live[i]
                else:
                    live[i] = tail.add(node, [token])
        return {i: Reply(self.chat.decode(ids)) for i, ids in written.items()}


class PrefixLook:
    """One picture whose trunk is kept while it is asked about."""

    def __init__(self, engine: PrefixEngine, image: Image.Image) -> None:
        self._engine = engine
        self._image: Image.Image | None = image
        self._trunk: Trunk | None = None

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order. Raises ImageError for a picture the model does not take."""
        return self._behind_trunk(lambda trunk: self._engine.answer(trunk, prompts))

    def logits(self, questions: Sequence[tuple[str, Path]]) -> Tensor:
        """Logits (questions, vocabulary) float32 of the token behind each question and the tokens of an
        answer's beginning, all in one forward pass."""

        def run(trunk: Trunk) -> Tensor:
            tail = Tail(trunk, self._engine.grow)
            nodes = [tail.add(-1, self._engine.suffix(q) + begun) for q, begun in questions]
            return self._engine.head(tail.states(nodes))

        return self._behind_trunk(run)

    def close(self) -> None:
        """Lets the picture and its trunk go."""
        self._image = self._trunk = None

    def _behind_trunk(self, run: Callable[[Trunk], T]) -> T:
        if self._image is None:
            raise RuntimeError("the look is closed")
        trunk = self._trunk or self._engine.encode([self._image])[0]
        # Forgotten until all went well: a pass that broke off leaves the layers unequally long.
        self._trunk = None
        result = run(trunk)
        surplus = trunk.cache.get_seq_length() - trunk.length
        if surplus > 0:
            trunk.cache.crop(-surplus)  # the one form that every release from 4.49 on takes
        self._trunk = trunk
        return result
