"""Writing several drafts of tags and prose at once, tag by tag, with what must not be written drawn again.

All drafts share the prompt: it is read once. A tag that is banned, or there already, is taken back while the draft is
written and another is drawn in its place, so that no ban shortens a draft. What was taken back stays in the model's
cache and is hidden by the attention mask: nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_extend.models.expanders.language_model import LanguageModel
from lib_extend.models.expanders.token_choice import draw
from lib_extend.prompt_expansion import Draft, Sampling, heard

if TYPE_CHECKING:
    import torch

TRIES_BEFORE_FORBIDDING = 3
"""Draws of a tag at one place before its first token is forbidden there, so that another kind of tag comes."""
TRIES_AT_ONE_PLACE = 64
"""Draws at one place before a draft ends: nothing but banned tags comes."""


@dataclass(frozen=True)
class Plan:
    """What the text that is written consists of.

    Attributes:
        prompt: the text that is continued.
        parts: "tags", "prose" or both in this order. key: what leads from tags to prose (`long:`).
        there: canonical names that are there already and are not written again.
        counted: how many tags count before the first new one.
        least, most: tags, with those counted. sentences: prose ends after this many.
    """

    prompt: str
    parts: tuple[str, ...]
    there: frozenset[str]
    counted: int
    least: int
    most: int
    key: str = ""
    sentences: int = 10_000


def write(
    model: LanguageModel,
    plan: Plan,
    sampling: Sampling,
    drafts: int,
    banned: Callable[[str], bool],
    beat: Callable[[], None] = lambda: None,
) -> list[Draft]:
    """As many drafts. Raises ModelError when the prompt is longer than the model reads."""
    import torch

    ids = model.encode(plan.prompt)
    most = min(sampling.most_tokens, model.context - len(ids))
    with torch.inference_mode():
        reader = _Reader(model, ids, drafts)
        rows = [_Row(n, plan, model, banned, sampling, _seeded(sampling.seed + n)) for n in range(drafts)]
        open_rows = list(rows)
        logits = reader.first()
        while open_rows:
            beat()
            tokens = [row.next(logits[i]) for i, row in enumerate(open_rows)]
            hide = [row.taken_back() for row in open_rows]
            left = [i for i, row in enumerate(open_rows) if not row.done and row.written < most]
            for i, row in enumerate(open_rows):
                if i not in left:
                    row.finish()
            if not left:
                break
            if len(left) < len(open_rows):
                reader.keep(left)
                open_rows = [open_rows[i] for i in left]
            logits = reader.read([tokens[i] for i in left], [hide[i] for i in left])
    return [row.draft() for row in rows]


def _seeded(seed: int) -> torch.Generator:
    import torch

    return torch.Generator().manual_seed(seed % (1 << 63))


class _Reader:
    """The model's forward passes: one of the prompt for all rows, then one token a row."""

    def __init__(self, model: LanguageModel, prompt: list[int], rows: int) -> None:
        import torch

        self._model = model
        device = model.device
        # transformers 5.40 renames it
        made = model.model(input_ids=torch.tensor([prompt], device=device), use_cache=True)
        self._cache: Any = made[model.cache_argument]
        self._cache.batch_repeat_interleave(rows)
        self._mask = torch.ones((rows, len(prompt)), dtype=torch.long, device=device)
        self._position = torch.full((rows,), len(prompt), dtype=torch.long, device=device)
        self._first: torch.Tensor = made.logits[0, -1].float().cpu().expand(rows, -1)

    def first(self) -> torch.Tensor:
        """float [rows, vocabulary]: what may follow the prompt."""
        return self._first

    def keep(self, rows: list[int]) -> None:
        """Go on with these rows only."""
        import torch

        chosen = torch.tensor(rows, device=self._mask.device)
        self._cache.batch_select_indices(chosen)
        self._mask, self._position = self._mask[chosen], self._position[chosen]

    def read(self, tokens: list[int], hide: list[int]) -> torch.Tensor:
        """float [rows, vocabulary]: what may follow when each row reads its token.

        `hide`: how many of the tokens that a row read last are taken back before that.
        """
        import torch

        device = self._mask.device
        for row, count in enumerate(hide):
            if count:
                seen = self._mask[row].nonzero()[-count:, 0]
                self._mask[row, seen] = 0
                self._position[row] -= count
        self._mask = torch.cat([self._mask, self._mask.new_ones((len(tokens), 1))], 1)
        made = self._model.model(
            input_ids=torch.tensor(tokens, device=device)[:, None],
            attention_mask=self._mask,
            position_ids=self._position[:, None],
            use_cache=True,
            **{self._model.cache_argument: self._cache},
        )
        self._position += 1
        logits: torch.Tensor = made.logits[:, -1].float().cpu()
        return logits


@dataclass
class _Place:
    """Where a tag begins: what may come there, and what was tried."""

    logits: torch.Tensor
    tries: int = 0
    forbidden: set[int] = field(default_factory=set)


class _Row:
    """One draft while it is written."""

    def __init__(
        self,
        number: int,
        plan: Plan,
        model: LanguageModel,
        banned: Callable[[str], bool],
        sampling: Sampling,
        randomness: torch.Generator,
    ) -> None:
        self.number, self._plan, self._model, self._banned = number, plan, model, banned
        self._sampling, self._randomness = sampling, randomness
        self._parts = list(plan.parts)
        self._forced: list[int] = []
        self._tokens: list[int] = []  # of the open tag, or of the prose
        self._taken: set[str] = set(plan.there)
        self._tags: list[str] = []
        self._prose = ""
        self._place: _Place | None = None
        self._hide = 0
        self._redrawn = 0
        self._exhausted = False
        self.written = 0
        self.done = False

    @property
    def _part(self) -> str:
        """What is being written now, "" when nothing is left."""
        return self._parts[0] if self._parts else ""

    # one step

    def next(self, logits: torch.Tensor) -> int:
        """The token that the row reads next, given what may follow; the row may be `done` then."""
        self.written += 1
        if self._forced:
            return self._forced.pop(0)
        while True:
            given_up = self._place is not None and self._place.tries >= TRIES_AT_ONE_PLACE
            token = None if given_up else self._drawn(logits)
            if token is None:
                return self._give_up()
            if self._part == "prose":
                return self._in_prose(token)
            if self._in_tags(token):
                return token if not self._forced else self._forced.pop(0)
            # taken back: drawn again from what may stand at the tag's beginning
            assert self._place is not None
            logits = self._place.logits

    def taken_back(self) -> int:
        """How many of the tokens that were read are to be hidden before the next one is."""
        count, self._hide = self._hide, 0
        return count

    def finish(self) -> None:
        """No more tokens: what is whole counts. A tag that is cut off does not."""
        self.done = True
        if self._part == "prose":
            self._prose = self._model.decode(self._tokens)
        self._parts = []

    def draft(self) -> Draft:
        return Draft(tuple(self._tags), _whole_sentences(self._prose), self._redrawn, self._exhausted)

    # inner

    def _drawn(self, logits: torch.Tensor) -> int | None:
        forbidden: set[int] = set()
        if self._part == "tags":
            if self._place is None:
                self._place = _Place(logits)
            if not self._tokens:
                forbidden |= self._place.forbidden
            if self._plan.counted + len(self._tags) + bool(self._tokens) < self._plan.least:
                forbidden |= {self._model.end, *self._model.new_lines}
        return draw(logits, self._sampling, self._randomness, forbidden)

    def _in_prose(self, token: int) -> int:
        ends = token == self._model.end or token in self._model.new_lines
        if not ends:
            self._tokens.append(token)
        if token in self._model.stops:
            text = self._model.decode(self._tokens).rstrip()
            ends = text.endswith(_STOPS) and _sentences(text) >= self._plan.sentences
        if ends:
            self.finish()
        return token

    def _in_tags(self, token: int) -> bool:
        """Whether the token is taken; else the tag that it ended is taken back."""
        ends = token == self._model.end or token in self._model.new_lines
        if not ends and token not in self._model.commas:
            self._tokens.append(token)
            return True
        text = self._model.decode(self._tokens if ends else [*self._tokens, token])
        name = heard(text.partition(",")[0])
        # some models begin with a comma
        nothing = not name and not ends and bool(self._tags or self._hide)
        if nothing or (name and (name in self._taken or self._banned(name))):
            self._take_back(token)
            return False
        if name:
            self._taken.add(name)
            self._tags.append(name)
        self._tokens, self._place = [], None
        if ends or self._plan.counted + len(self._tags) >= self._plan.most:
            self._parts.pop(0)
            self.done = not self._parts
            self._forced = [] if self.done else self._model.encode_within(f"\n{self._plan.key}")
        return True

    def _take_back(self, token: int) -> None:
        assert self._place is not None
        place = self._place
        place.tries += 1
        self._redrawn += 1
        self._hide += len(self._tokens)
        if not self._tokens or place.tries >= TRIES_BEFORE_FORBIDDING:
            place.forbidden.add(self._tokens[0] if self._tokens else token)
        self._tokens = []

    def _give_up(self) -> int:
        self._exhausted = True
        self.finish()
        return self._model.end


_STOPS = (".", "!", "?")


def _sentences(text: str) -> int:
    return sum(text.count(f"{mark} ") for mark in _STOPS) + text.endswith(_STOPS)


def _whole_sentences(text: str) -> str:
    """The text up to its last full stop; all of it where there is none."""
    text = text.strip()
    end = max(map(text.rfind, _STOPS))
    return text[: end + 1] if end >= 0 else text
