"""What an expander gets and what it returns: plain records, no models.

Tag names are canonical (`black_hair`); each model family converts them to its own spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import Enum

from lib_extend.records import Record
from lib_extend.vocabulary.tag_names import canonical, written

DEFAULT_EXPANDER = "tipo-200m-ft2"
MOST_DRAFTS = 32
SEEDS = 2**31 - 1
"""Random seeds are below this."""


class Length(str, Enum):
    """How much is wanted. The bounds in tags are those of the families' training."""

    VERY_SHORT = "very_short"
    SHORT = "short"
    LONG = "long"
    VERY_LONG = "very_long"


class Wanted(str, Enum):
    """What is to be written."""

    TAGS = "tags"
    PROSE = "prose"
    BOTH = "both"


class About(str, Enum):
    """What a prompt is about: a whole picture, one person in it, or all of it but the persons."""

    PICTURE = "picture"
    PERSON = "person"
    SCENE = "scene"


@dataclass(frozen=True)
class Given(Record):
    """What the user has, sorted into the fields that the models know. All are tuples of canonical names but `prose`.

    Attributes:
        people: `1girl`, `solo`. general: the other tags, in the user's order.
        aspect: width / height, None where it is open.
        prose: sentences that describe the picture.
    """

    people: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    copyrights: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    rating: tuple[str, ...] = ()
    meta: tuple[str, ...] = ()
    aspect: float | None = None
    prose: str = ""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that a target length counts."""
        return (*self.people, *self.general)

    @property
    def names(self) -> tuple[str, ...]:
        """All names of all fields but the rating: none of them is written again."""
        return (
            *self.tags, *self.characters, *self.copyrights, *self.artist, *self.quality, *self.meta
        )  # fmt: skip


@dataclass(frozen=True)
class Sampling(Record):
    """How the next token is drawn.

    Attributes:
        temperature: above 0. top_p: in (0, 1]. top_k: 0 is off. min_p: in [0, 1), 0 is off.
        seed: of the first draft; the next ones count up. The same seed gives the same draft on the same machine.
        most_tokens: the most tokens a draft may have.
    """

    temperature: float = 0.5
    top_p: float = 0.95
    top_k: int = 80
    min_p: float = 0.1
    seed: int = 0
    most_tokens: int = 512


@dataclass(frozen=True)
class Wish:
    """One request.

    Attributes:
        drafts: how many different results, at least 1.
        forced: canonical names that every draft has, before those that are drawn.
        banned: whether a canonical name must never be written. What the user gave or forced is never asked about.
        contradicts: whether a name cannot stand beside what is given and the further names.
        untrue: whether a sentence cannot stand beside what is given and the further names.
        task: one of TIPO's ("short_to_tag_to_long"); "" for the one that fits what is given and wanted.
    """

    given: Given
    length: Length = Length.LONG
    wanted: Wanted = Wanted.TAGS
    sampling: Sampling = Sampling()
    drafts: int = 1
    forced: tuple[str, ...] = ()
    banned: Callable[[str], bool] = lambda name: False
    contradicts: Callable[[str, Collection[str]], bool] = lambda name, more: False
    untrue: Callable[[str, Collection[str]], bool] = lambda sentence, more: False
    task: str = ""

    @property
    def shown(self) -> Given:
        """What the model is told: the forced tags are there too."""
        return replace(self.given, general=(*self.given.general, *self.forced))


@dataclass(frozen=True)
class Draft(Record):
    """One result.

    Attributes:
        tags: the new tags, the forced ones first, in the order they were written; none twice and none that was given.
        prose: the new sentences, "" where none were wanted. short: a summary before them, where the task has one.
        redrawn: how many tags and sentences were thrown away while sampling, because they were banned, contradicted
            the rest or were there already.
        exhausted: nothing else was left to write, so that it may be shorter than wanted.
    """

    tags: tuple[str, ...]
    prose: str = ""
    short: str = ""
    redrawn: int = 0
    exhausted: bool = False


Tell = Callable[[int, Draft, bool], None]
"""Called as `tell(number, draft, done)` with a draft as it is: more may come unless it is `done`. May raise to stop."""


def told_to_nobody(number: int, draft: Draft, done: bool) -> None:
    """A `Tell` that does nothing."""


_SHORTEST = 4
"""Names of fewer letters keep their underscores: these are faces (`^_^`, `o_o`)."""


def spoken(name: str) -> str:
    """A canonical name as the models of this kind saw it: with spaces, brackets as they are."""
    return name if len(name) < _SHORTEST else written(name)


def heard(text: str) -> str:
    """The canonical name of what a model wrote between two commas."""
    return canonical(text.strip().lower())
