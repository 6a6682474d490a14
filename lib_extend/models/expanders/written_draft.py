"""What a draft consists of while it is written, whatever writes it: which tags and sentences may be added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib_extend.prompt_expansion import Draft, Wish

TRIES_AT_ONE_PLACE = 64
"""Draws of a tag at one place before its part ends: nothing but banned tags comes."""
TRIES_OF_A_SENTENCE = 16
"""Likewise of a sentence, which is long."""
STOPS = (".", "!", "?")
"""What ends a sentence."""
TAGS = "tag"
"""The name of the part that is tags; all other parts are prose."""


@dataclass(frozen=True)
class Plan:
    """What the text that is written consists of.

    Attributes:
        prompt: the text that is continued.
        parts: `TAGS`, "short" and "long" in the order in which they are written. leads: by part, the text that is put
            before it when it is not the first.
        counted: how many tags count before the first new one.
        least, most: tags, with those counted. sentences: the least and the most of each part that is prose.
    """

    prompt: str
    parts: tuple[str, ...]
    counted: int
    least: int
    most: int
    leads: Mapping[str, str] = field(default_factory=dict)
    sentences: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class Written:
    """One draft so far.

    Attributes:
        part: what is being written now, "" when all is. tags: the new ones. redrawn, exhausted: see `Draft`.
        sentences: how many sentences the part has that is being written.
    """

    def __init__(self, plan: Plan, wish: Wish) -> None:
        self._plan, self._wish = plan, wish
        self._parts = list(plan.parts)
        self._taken = {*wish.given.names, *wish.forced}
        self._prose: dict[str, str] = {}
        self.tags: list[str] = list(wish.forced)
        self.redrawn = self.sentences = 0
        self.exhausted = False

    @property
    def part(self) -> str:
        return self._parts[0] if self._parts else ""

    @property
    def begun(self) -> bool:
        """Whether a tag was drawn."""
        return len(self.tags) > len(self._wish.forced)

    @property
    def missing(self) -> int:
        """How many tags or sentences the part needs before it may end; 0 or less where it is long enough."""
        if self.part == TAGS:
            return self._plan.least - self._plan.counted - len(self.tags)
        return self._plan.sentences.get(self.part, (0, 0))[0] - self.sentences

    @property
    def full(self) -> bool:
        """Whether the part is as long as it may be."""
        if self.part == TAGS:
            return self._plan.counted + len(self.tags) >= self._plan.most
        return self.sentences >= self._plan.sentences.get(self.part, (0, 10_000))[1]

    @property
    def tries(self) -> int:
        """How often something may be drawn at one place."""
        return TRIES_AT_ONE_PLACE if self.part == TAGS else TRIES_OF_A_SENTENCE

    def refuses(self, name: str) -> bool:
        """Whether a tag must not be added."""
        return name in self._taken or self._wish.banned(name) or self._wish.contradicts(name, self.tags)

    def refuses_sentence(self, text: str) -> bool:
        """Whether a sentence must not be added."""
        return self._wish.untrue(text, self.tags)

    def add(self, name: str) -> None:
        """One more tag."""
        self._taken.add(name)
        self.tags.append(name)

    def end_part(self, prose: str = "") -> str:
        """The next part begins; returns the text that leads to it, "" where all is written.

        `prose`: the text of the part that ends. What follows its last whole sentence is left out.
        """
        if self._parts:
            self._set_prose(prose)
            self._parts.pop(0)
        self.sentences = 0
        return self._plan.leads[self.part] if self._parts else ""

    def end(self, prose: str = "") -> None:
        """No more is written."""
        if self._parts:
            self._set_prose(prose)
        self._parts = []

    def _set_prose(self, prose: str) -> None:
        if self.part != TAGS:
            self._prose[self.part] = whole_sentences(prose)

    def draft(self, prose: str = "") -> Draft:
        """The draft as it is. `prose`: what the open part has so far."""
        long, short = (self._prose.get(part, "") for part in ("long", "short"))
        if self.part == "long":
            long = whole_sentences(prose)
        if not long and "long" not in self._plan.parts:
            long, short = short, ""
        return Draft(tuple(self.tags), long, short, self.redrawn, self.exhausted)


def whole_sentences(text: str) -> str:
    """The text up to its last full stop; all of it where there is none."""
    text = text.strip()
    end = max(map(text.rfind, STOPS))
    return text[: end + 1] if end >= 0 else text
