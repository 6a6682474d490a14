"""What leaves tags out of a caption because something else says them already, as composing asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lib_extend.records import Drop, Person, Tag


@dataclass(frozen=True)
class ToCurate:
    """One line's tags before curation.

    Attributes:
        tags: from models and earlier runs, those of persons with their letters. said: a person's and the user's options.
        persons: those told apart, with their letters and all tags. image: the picture's name in its dataset.
    """

    tags: Sequence[Tag]
    said: Sequence[Tag]
    persons: Sequence[Person]
    image: str


@dataclass(frozen=True)
class Curated:
    """What is left: the tags in their order, those that go to the end, and what was left out."""

    tags: Sequence[Tag]
    last: Sequence[Tag] = ()
    dropped: Sequence[Drop] = ()


class Curator(Protocol):
    """What curates captions of a folder."""

    def refused(self, name: str) -> Drop | None:
        """Why a tag that a person wrote goes; None where no list of theirs names it."""
        ...

    def curated(self, line: ToCurate) -> Curated:
        """The tags of one line without those that go."""
        ...
