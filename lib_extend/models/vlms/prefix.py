"""All questions about a picture on one shared beginning: the picture is encoded once.

The prompts of one picture agree up to the end of the picture. That *trunk* is run once and its keys and
values are kept. Everything behind it grows as a tree (`Tails`): each question is a branch of its own, an
answer of several tokens branches off the end of its question, decoded text grows token by token. One
forward pass takes any number of new tokens of any branches: a 4-D mask lets each see the trunk, its
ancestors and itself, and its position is that of its place in its own prompt. Several pictures run side by
side as rows, the shorter ones filled up behind with tokens that nothing sees. The results are those of running
each prompt alone, to rounding (`tests/models/test_vlm_prefix.py` and `test_vlm_batch.py` compare the logits).

For Qwen2-VL, Qwen2.5-VL and Qwen3-VL, on transformers 4.49 to 5.x. Positions are computed here and never
taken from the model's `rope_deltas`, which belongs to whatever picture it saw last.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lib_extend.models.vlms.answering import ROWS, Asked, alike, answer
from lib_extend.models.vlms.batcher import Batcher
from lib_extend.models.vlms.choices import Path
from lib_extend.models.vlms.plain import PlainEngine, end_tokens
from lib_extend.models.vlms.tree import Tails, Trunk, positions, split
from lib_extend.records import Prompt, Reply

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.vlms.chat import Chat, Tensors


def split_prompt(chat: Chat, end: int, question: str) -> tuple[Path, Path] | None:
    """The prompt's tokens up to the end of the picture (its placeholder one token), and behind it."""
    ids = chat.tokenizer(chat.render(question), add_special_tokens=False)["input_ids"]
    if end not in ids:
        return None
    cut = ids.index(end) + 1
    return tuple(ids[:cut]), tuple(ids[cut:])


@dataclass(frozen=True)
class Picture:
    """A picture as the model takes it, with the beginning of its prompt.

    Attributes:
        ids: (tokens,), up to the end of the picture.
        places: (3, tokens), their rotary positions.
        follow: rotary position of the token behind them.
        pixels: `pixel_values` and `image_grid_thw`.
    """

    ids: Tensor
    places: Tensor
    follow: int
    pixels: Tensors


@dataclass
class _Round:
    """One picture's prompts of one round; `picture` is None where the trunk is there."""

    asked: list[Asked]
    picture: Picture | None
    trunk: Trunk | None

    @property
    def new(self) -> int:
        return sum(len(a.suffix) for a in self.asked)

    @property
    def size(self) -> int:
        """Tokens of the picture's prompt and of all questions."""
        length = len(self.picture.ids) if self.picture is not None else 0
        return self.new + (self.trunk.length if self.trunk is not None else length)


class PrefixEngine(PlainEngine):
    """Asks Qwen's models, a picture's questions together and several pictures side by side.

    Attributes:
        name: how questions are asked, in words.
        ends: the ids that end an answer.
        batcher: joins what is asked from several threads; sizes are tokens. It runs one picture at a time
            until it is told to take more.
    """

    name = "all questions of a picture at once"

    def __init__(self, model: Any, chat: Chat, temperature: float = 1.0) -> None:
        """`model` must be one that `engines.obstacle` has nothing against."""
        super().__init__(model, chat, temperature)
        self.ends = end_tokens(model, chat.tokenizer)
        # The text model is `model.model` up to about 4.51; from then on that holds both halves.
        inner = model.model
        self._whole = inner if hasattr(inner, "language_model") else None
        self._text = inner.language_model if self._whole is not None else inner
        self._head = model.get_output_embeddings()
        self.suffix = lru_cache(maxsize=4096)(self._suffix)
        self._words = threading.Lock()  # processors and tokenizers are not made for several threads
        self.batcher: Batcher[_Round, list[Reply]] = Batcher(self._together)

    def look(self, image: Image.Image) -> PrefixLook:
        """Takes an RGB picture; it is encoded with the first question."""
        return PrefixLook(self, image)

    def prepare(self, image: Image.Image) -> Picture:
        """An RGB picture as the model takes it. Raises ImageError for one the processor does not take."""
        config = self.model.config
        with self._words:
            inputs = self.chat.inputs(image, "")
        ids = inputs["input_ids"][0]
        ids = ids[: int((ids == config.vision_end_token_id).nonzero()[0, 0]) + 1]
        merge = config.vision_config.spatial_merge_size
        frames, rows, columns = inputs["image_grid_thw"][0].tolist()
        assert frames == 1
        places, follow = positions(ids, config.image_token_id, rows // merge, columns // merge)
        return Picture(ids, places, follow, {k: inputs[k] for k in ("pixel_values", "image_grid_thw")})

    def encode(self, pictures: Sequence[Picture]) -> list[Trunk]:
        """The trunks of pictures, in one forward pass."""
        from transformers import DynamicCache

        lengths = [len(p.ids) for p in pictures]
        longest = max(lengths)
        # Filled up behind, where the causal mask hides it from all that counts; with no picture's token.
        ids = torch.full((len(pictures), longest), self.model.config.vision_end_token_id)
        mask, places = torch.zeros_like(ids), torch.zeros((3, *ids.shape), dtype=torch.long)
        for row, (picture, length) in enumerate(zip(pictures, lengths, strict=True)):
            ids[row, :length] = picture.ids
            places[:, row, :length] = picture.places
            # Given even where all are ones: without it some releases take a picture's equal time
            # positions for the beginnings of packed sequences.
            mask[row, :length] = 1
        given = self.moved({"input_ids": ids, "attention_mask": mask, "position_ids": places})
        cache = DynamicCache()
        with torch.inference_mode():
            if self._whole is not None:
                seen = {k: torch.cat([p.pixels[k] for p in pictures]) for k in pictures[0].pixels}
                self._call(self._whole, cache, **given, **self.moved(seen))
            else:
                embedded = self._embedded(given.pop("input_ids"), pictures)
                self._call(self._text, cache, inputs_embeds=embedded, **given)
        layers = split(cache, lengths)
        return [Trunk(own, n, p.follow) for own, n, p in zip(layers, lengths, pictures, strict=True)]

    def _embedded(self, ids: Tensor, pictures: Sequence[Picture]) -> Tensor:
        """Embeddings of prompts with their pictures in them, for releases whose model takes them so."""
        embedded: Tensor = self._text.embed_tokens(ids)
        parts = []
        for picture in pictures:
            # One by one: these releases mask all patches against all, which grows with the square.
            pixels = self.moved(picture.pixels)
            parts.append(self.model.visual(pixels["pixel_values"], grid_thw=pixels["image_grid_thw"]))
        where = (ids == self.model.config.image_token_id)[..., None].expand_as(embedded)
        return embedded.masked_scatter(where, torch.cat(parts).to(embedded.dtype))

    def grow(self, cache: Any, ids: Tensor, places: Tensor, sees: Tensor) -> Tensor:
        """Runs new tokens behind what is in `cache`, which keeps them.

        Args:
            ids: (rows, new).
            places: (rows, new), their rotary positions.
            sees: bool (rows, new, all), which tokens each sees of those in the cache and the new ones.

        Returns:
            The last hidden states, (rows, new, hidden).
        """
        device, dtype = self.model.device, self.model.dtype
        mask = torch.zeros(sees.shape, dtype=dtype, device=device)
        mask.masked_fill_(~sees.to(device), torch.finfo(dtype).min)
        with torch.inference_mode():
            return self._call(
                self._text,
                cache,
                inputs_embeds=self._text.get_input_embeddings()(ids.to(device)),
                attention_mask=mask[:, None],
                position_ids=places.to(device).expand(3, -1, -1),
            )

    def head(self, states: Tensor) -> Tensor:
        """Next-token logits (n, vocabulary) float32 of hidden states (n, hidden)."""
        with torch.inference_mode():
            parts = [states[i : i + ROWS] for i in range(0, len(states), ROWS)]
            return torch.cat([self._head(part).float() for part in parts])

    def _call(self, part: Any, cache: Any, **given: Any) -> Tensor:
        """Last hidden states (rows, tokens, hidden) of a part of the model that fills `cache`."""
        takes = inspect.signature(part.forward).parameters
        if "cache_position" in takes:  # 4.x
            past = cache.get_seq_length()
            new = given["position_ids"].shape[-1]
            given["cache_position"] = torch.arange(past, past + new, device=self.model.device)
        # transformers renames it: the older name goes in 5.40.
        given["cache" if "cache" in takes else "past_key_values"] = cache
        states: Tensor = part(**given, use_cache=True).last_hidden_state
        return states

    def _suffix(self, question: str) -> Path:
        """The tokens of a question's prompt behind the picture."""
        parts = split_prompt(self.chat, self.model.config.vision_end_token_id, question)
        assert parts is not None, "`engines.obstacle` has seen the template"
        return parts[1]

    def asked(self, prompts: Sequence[Prompt]) -> list[Asked]:
        """Prompts in tokens."""
        with self._words:
            return [
                Asked(p, self.suffix(p.text), self.book.choices(p.choices) if p.choices else None)
                for p in prompts
            ]

    def _together(self, rounds: Sequence[_Round]) -> list[list[Reply]]:
        """The replies of several pictures' rounds, in order; the pictures that are new get their trunks."""
        new = [(r, r.picture) for r in rounds if r.trunk is None and r.picture is not None]
        for group in alike(new, lambda pair: len(pair[1].ids)):
            for (one, _), trunk in zip(group, self.encode([p for _, p in group]), strict=True):
                one.trunk = trunk
        replies: dict[int, list[Reply]] = {}
        for order in alike(range(len(rounds)), lambda i: rounds[i].new):
            trunks = [t for i in order if (t := rounds[i].trunk) is not None]
            replies |= zip(order, answer(self, trunks, [rounds[i].asked for i in order]), strict=True)
        return [replies[i] for i in range(len(rounds))]

    def logits(
        self, trunks: Sequence[Trunk], questions: Sequence[Sequence[tuple[str, Path]]]
    ) -> list[Tensor]:
        """A trunk's logits (questions, vocabulary) float32 of the token behind each of its questions and the
        tokens of an answer's beginning, all in one forward pass."""
        tails = Tails(trunks, self.grow)
        nodes = [
            [tails.add(row, -1, self.suffix(q) + begun) for q, begun in part]
            for row, part in enumerate(questions)
        ]
        return [self.head(tails.states(part)) for part in nodes]


class PrefixLook:
    """One picture whose trunk is kept while it is asked about."""

    def __init__(self, engine: PrefixEngine, image: Image.Image) -> None:
        self._engine = engine
        self._image: Image.Image | None = image
        self._trunk: Trunk | None = None

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order.

        Raises ImageError for a picture the model does not take, or for which memory does not suffice.
        """
        image = self._open()
        if not prompts:
            return []
        picture = self._engine.prepare(image) if self._trunk is None else None
        asked = _Round(self._engine.asked(prompts), picture, self._trunk)
        replies = self._engine.batcher(asked, asked.size)
        self._trunk = asked.trunk
        return replies

    def logits(self, questions: Sequence[tuple[str, Path]]) -> Tensor:
        """Logits (questions, vocabulary) float32 as those of `PrefixEngine.logits`."""
        image = self._open()
        if self._trunk is None:
            self._trunk = self._engine.encode([self._engine.prepare(image)])[0]
        return self._engine.logits([self._trunk], [questions])[0]

    def close(self) -> None:
        """Lets the picture and its trunk go."""
        self._image = self._trunk = None

    def _open(self) -> Image.Image:
        if self._image is None:
            raise RuntimeError("the look is closed")
        return self._image
