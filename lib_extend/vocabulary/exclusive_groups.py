"""Groups of tags of which at most one is right: one hair color, one rating, one number of girls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Of(str, Enum):
    """What a group has one tag of: of the whole picture, or of each person in it."""

    PICTURE = "picture"
    PERSON = "person"


@dataclass(frozen=True)
class ExclusiveGroup:
    """One group.

    Attributes:
        name: "hair color".
        tags: its tags. Two of them contradict each other unless one follows from the other.
        of: of a person: with several people in the picture several are right (`2girls, black_hair, blonde_hair`).
        unless: with one of these tags several are right (`multicolored_hair`).
    """

    name: str
    tags: frozenset[str]
    of: Of
    unless: frozenset[str] = frozenset()
