"""Writing several drafts at once with a model that has a token for each tag: what must not come is forbidden by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from lib_extend.errors import ModelError
from lib_extend.models.expanders.token_choice import Options, draw, options_of, seeded
from lib_extend.models.expanders.token_reading import Reader
from lib_extend.models.expanders.written_draft import Plan, Written
from lib_extend.prompt_expansion import Draft, Tell, Wish, heard


@dataclass(frozen=True)
class TagModel:
    """A loaded model.

    Attributes:
        ids: the text of each token → its id. ends: ids of tokens that end the tags. never: ids that are no tags.
        open: `open(prompt, rows)` is what reads a prompt's ids for as many drafts. context: tokens of prompt and answer
            together. label: what it is called in a message.
    """

    ids: Mapping[str, int]
    ends: frozenset[int]
    never: frozenset[int]
    open: Callable[[list[int], int], Reader]
    context: int
    label: str

    @cached_property
    def names(self) -> dict[int, str]:
        """The canonical name of each token that is a tag."""
        return {i: heard(text) for text, i in self.ids.items() if i not in self.never and i not in self.ends}


def write_tags(model: TagModel, plan: Plan, prompt: list[str], wish: Wish, tell: Tell) -> list[Draft]:
    """As many drafts as wished. Tags of the prompt that the model does not know are not read.

    Raises ModelError when the prompt is longer than the model reads.
    """
    import torch

    ids = [model.ids[token] for token in prompt if token in model.ids]
    if len(ids) >= model.context:
        raise ModelError(
            f"The prompt has {len(ids):,} tokens and {model.label} reads {model.context:,}: shorten it."
        )
    most = min(wish.sampling.most_tokens, model.context - len(ids))
    with torch.inference_mode():
        reader = model.open(ids, wish.drafts)
        rows = [_Row(model, plan, wish, n) for n in range(wish.drafts)]
        open_rows = list(enumerate(rows))
        options = options_of(reader.first(), wish.sampling)
        for step in range(1, most + 1):
            tokens = [row.next(options[i]) for i, (_, row) in enumerate(open_rows)]
            for number, row in open_rows:
                if step == most:
                    row.text.end()
                tell(number, row.text.draft(), row.done)
            left = [i for i, (_, row) in enumerate(open_rows) if not row.done]
            if not left:
                break
            if len(left) < len(open_rows):
                reader.keep(left)
                open_rows = [open_rows[i] for i in left]
            options = options_of(reader.read([tokens[i] for i in left], [0] * len(left)), wish.sampling)
    return [row.text.draft() for row in rows]


class _Row:
    """One draft while it is written."""

    def __init__(self, model: TagModel, plan: Plan, wish: Wish, number: int) -> None:
        self._model, self._sampling = model, wish.sampling
        self._randomness = seeded(wish.sampling.seed + number)
        self.text = Written(plan, wish)
        # ids of tags that are there, banned or contradict what is there; it only grows
        self._refused: set[int] = set()

    @property
    def done(self) -> bool:
        return not self.text.part

    def next(self, options: Options) -> int:
        """The token that the row reads next; it may be `done` then."""
        model, text = self._model, self.text
        tries = 0
        while True:
            ends = model.ends if text.missing > 0 else frozenset[int]()
            token = draw(options, self._sampling, self._randomness, model.never | ends | self._refused)
            if token is None:
                text.exhausted = True
                text.end()
                return next(iter(model.ends))
            if token in model.ends:
                text.end()
                return token
            name = model.names[token]
            if not text.refuses(name):
                text.add(name)
                self._refused.add(token)
                if text.full:
                    text.end()
                return token
            text.redrawn += 1
            tries += 1
            self._refused.add(token)
            if tries == text.tries:  # nearly nothing is left: find all at once
                self._refused |= {i for i, other in model.names.items() if text.refuses(other)}
