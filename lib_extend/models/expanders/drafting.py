"""Writing several drafts of tags and prose at once, tag by tag, with what must not be written drawn again.

All drafts share the prompt: it is read once. A tag that is banned, there already or contradicts the rest, and a sentence
that does, is taken back while the draft is written and another is drawn in its place, so that no ban shortens a draft. What was taken back stays in the model's
cache and is hidden by the attention mask: nothing is read twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lib_extend.models.expanders.language_model import LanguageModel
from lib_extend.models.expanders.token_choice import Options, draw, options_of, seeded
from lib_extend.models.expanders.written_draft import STOPS, TAGS, Plan, Written
from lib_extend.prompt_expansion import Draft, Tell, Wish, heard, told_to_nobody

if TYPE_CHECKING:
    import torch

TRIES_BEFORE_FORBIDDING = 3
"""Draws of a tag at one place before its first token is forbidden there, so that another kind of tag comes."""


def write(model: LanguageModel, plan: Plan, wish: Wish, tell: Tell = told_to_nobody) -> list[Draft]:
    """As many drafts as wished. Raises ModelError when the prompt is longer than the model reads.

    `tell` is called with each draft as it grows.
    """
    import torch

    ids = model.encode(plan.prompt)
    most = min(wish.sampling.most_tokens, model.context - len(ids))
    with torch.inference_mode():
        reader = model.reader(ids, wish.drafts)
        rows = [_Row(plan, wish, model, seeded(wish.sampling.seed + n)) for n in range(wish.drafts)]
        open_rows = list(enumerate(rows))
        options = options_of(reader.first(), wish.sampling)
        while open_rows:
            tokens = [row.next(options[i]) for i, (_, row) in enumerate(open_rows)]
            hide = [row.taken_back() for _, row in open_rows]
            left = [i for i, (_, row) in enumerate(open_rows) if not row.done and row.tokens < most]
            for i, (number, row) in enumerate(open_rows):
                if i not in left:
                    row.finish()
                if row.grew() or row.done:
                    tell(number, row.draft(), row.done)
            if not left:
                break
            if len(left) < len(open_rows):
                reader.keep(left)
                open_rows = [open_rows[i] for i in left]
            logits = reader.read([tokens[i] for i in left], [hide[i] for i in left])
            options = options_of(logits, wish.sampling)
    return [row.draft() for row in rows]


@dataclass
class _Place:
    """Where a tag begins: what may come there, and what was tried."""

    options: Options
    tries: int = 0
    forbidden: set[int] = field(default_factory=set)


class _Row:
    """One draft while it is written."""

    def __init__(self, plan: Plan, wish: Wish, model: LanguageModel, randomness: torch.Generator) -> None:
        self._model, self._sampling, self._randomness = model, wish.sampling, randomness
        self.text = Written(plan, wish)
        self._forced: list[int] = []
        self._tokens: list[int] = []  # of the open tag or sentence
        self._sentences: list[int] = []  # of those that are whole
        self._place: _Place | None = None
        self._hide = 0
        self._told = (len(self.text.tags), 0)
        self.tokens = 0

    @property
    def done(self) -> bool:
        return not self.text.part

    # one step

    def next(self, options: Options) -> int:
        """The token that the row reads next, given what may follow; the row may be `done` then."""
        self.tokens += 1
        while not self._forced:
            place = self._place = self._place or _Place(options)
            token = None if place.tries >= self.text.tries else self._drawn(options, place)
            if token is None:
                self._give_up()
                if self.done:
                    return self._model.end
            elif self._in_tags(token, place) if self.text.part == TAGS else self._in_prose(token, place):
                if not self._forced:
                    return token
            else:
                # taken back: drawn again from what may stand at the beginning
                options = place.options
        return self._forced.pop(0)

    def taken_back(self) -> int:
        """How many of the tokens that were read are to be hidden before the next one is."""
        count, self._hide = self._hide, 0
        return count

    def finish(self) -> None:
        """No more tokens: what is whole counts. A tag that is cut off does not."""
        self.text.end(self._model.decode([*self._sentences, *self._tokens]))

    def grew(self) -> bool:
        """Whether there is more than when this was asked last."""
        before, self._told = self._told, (len(self.text.tags), len(self._sentences))
        return self._told != before

    def draft(self) -> Draft:
        return self.text.draft(self._model.decode(self._sentences))

    # inner

    def _drawn(self, options: Options, place: _Place) -> int | None:
        model = self._model
        forbidden = {*model.never} if self._tokens else {*model.never, *place.forbidden}
        # the open tag counts
        if self.text.missing > (self.text.part == TAGS and bool(self._tokens)):
            forbidden |= {model.end, *model.new_lines}
        return draw(options, self._sampling, self._randomness, forbidden)

    def _in_prose(self, token: int, place: _Place) -> bool:
        """Whether the token is taken; else the sentence that it ended is taken back."""
        model, text = self._model, self.text
        ends = token == model.end or token in model.new_lines
        if not ends and not self._stops(token):
            self._tokens.append(token)
            return True
        sentence = model.decode(self._tokens if ends else [*self._tokens, token]).strip()
        if sentence and text.refuses_sentence(sentence):
            self._take_back(token, place)
            return False
        self._sentences += self._tokens if ends else [*self._tokens, token]
        self._tokens, self._place = [], None
        text.sentences += bool(sentence)
        if ends or text.full:
            self._lead_on()
        return True

    def _stops(self, token: int) -> bool:
        """Whether a token ends the open sentence."""
        model = self._model
        return token in model.stops and model.decode([*self._tokens, token]).rstrip().endswith(STOPS)

    def _in_tags(self, token: int, place: _Place) -> bool:
        """Whether the token is taken; else the tag that it ended is taken back."""
        model, text = self._model, self.text
        ends = token == model.end or token in model.new_lines
        if not ends and token not in model.commas:
            self._tokens.append(token)
            return True
        name = heard(model.decode(self._tokens if ends else [*self._tokens, token]).partition(",")[0])
        # some models begin with a comma
        nothing = not name and not ends and (text.begun or place.tries > 0)
        if nothing or (name and text.refuses(name)):
            self._take_back(token, place)
            return False
        if name:
            text.add(name)
        self._tokens, self._place = [], None
        if ends or text.full:
            self._lead_on()
        return True

    def _lead_on(self) -> None:
        """To the next part. The token that ended this one is not read."""
        prose = self._model.decode([*self._sentences, *self._tokens])
        self._sentences, self._tokens, self._place = [], [], None
        lead = self.text.end_part(prose)
        self._forced = self._model.encode_within(f"\n{lead}") if lead else []

    def _give_up(self) -> None:
        self.text.exhausted = True
        if self.text.part == TAGS:  # an open tag is no tag
            self._hide += len(self._tokens)
            self._tokens = []
        self._lead_on()

    def _take_back(self, token: int, place: _Place) -> None:
        place.tries += 1
        self.text.redrawn += 1
        self._hide += len(self._tokens)
        if not self._tokens or (self.text.part == TAGS and place.tries >= TRIES_BEFORE_FORBIDDING):
            place.forbidden.add(self._tokens[0] if self._tokens else token)
        self._tokens = []
