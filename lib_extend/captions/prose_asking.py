"""What a vision-language model is told when it is asked to describe a picture in sentences: what is known, what is wished."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lib_extend.config.prose_settings import ProseSettings
from lib_extend.vocabulary.tag_names import written

ASK = "Describe the image in plain sentences."
LENGTHS = {
    "short": "Write one sentence.",
    "medium": "",
    "long": "Write as much as you see, in many sentences.",
}
"""What each wished length adds to the request."""
TOKENS = {"short": 96, "medium": 224, "long": 512}
"""Tokens that prose of each length has at the most."""
ALONE = "Answer with the description alone."
MOST_SHOWN = 40
"""Tags of the whole picture that a model is told of at the most."""


@dataclass(frozen=True)
class PersonFacts:
    """One person: `place` ("on the left"; "" where nobody is told apart) and the words for all that is known."""

    place: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What is known of a picture before it is described.

    Attributes:
        shown: canonical tags of the whole picture, the surest first.
        persons: those told apart, left to right.
        things: counted and colored things in words ("2 red balloons", "wooden floor").
    """

    shown: tuple[str, ...] = ()
    persons: tuple[PersonFacts, ...] = ()
    things: tuple[str, ...] = ()

    def text(self) -> str:
        """All of it in one line; "" where nothing is known."""
        parts = [", ".join(written(name) for name in self.shown[:MOST_SHOWN])]
        parts += [f"{p.place}: {', '.join(p.words)}" if p.place else ", ".join(p.words) for p in self.persons]
        return "; ".join(filter(None, [*parts, ", ".join(self.things)]))


@dataclass(frozen=True)
class Wishes:
    """How the user wants prose.

    Attributes:
        length: a key of `LENGTHS`.
        instruction: the user's own words.
        trigger: what the text has to call the subject; "" for nothing.
        banned: words and phrases that it must not have.
    """

    length: str = "medium"
    instruction: str = ""
    trigger: str = ""
    banned: tuple[str, ...] = ()


NO_WISHES = Wishes()


def wishes_of(settings: ProseSettings) -> Wishes:
    """The settings as wishes."""
    return Wishes(
        settings.prose_length,
        settings.prose_instruction,
        settings.prose_trigger,
        tuple(settings.prose_banned),
    )


def request(facts: Facts, wishes: Wishes = NO_WISHES, corrections: Iterable[str] = ()) -> str:
    """The text of the request.

    Args:
        corrections: what an earlier description had wrong, a sentence each.
    """
    known = facts.text()
    parts = [
        ASK,
        LENGTHS[wishes.length],
        f"Mention: {known}." if known else "",
        wishes.instruction.strip(),
        f"Call the subject “{wishes.trigger}”." if wishes.trigger else "",
        f"Do not use these words: {', '.join(wishes.banned)}." if wishes.banned else "",
        *corrections,
        ALONE,
    ]
    return " ".join(filter(None, parts))
