"""The basic records of Prompt Extend: small, frozen, and used by every room.

All records convert to and from plain JSON values with `to_json` / `from_json`, because they cross
the worker's pipe and are stored in the job's database.

Tag names are kept in ONE canonical form everywhere inside: Danbooru's, lower case as given by the
model, words joined by underscores (`black_hair`), no escapes. Spaces and escapes are added when a caption is written
(`captions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from lib_extend.json_record import Record as Record

SCORE_FLOOR = 0.05
"""Tags below this score are not kept: no sensible threshold is lower, and a model has ~10,000 tags."""


class Category(str, Enum):
    """Danbooru's tag categories, plus the ratings of the WD taggers."""

    GENERAL = "general"
    CHARACTER = "character"
    COPYRIGHT = "copyright"
    ARTIST = "artist"
    META = "meta"
    RATING = "rating"
    YEAR = "year"
    QUALITY = "quality"
    PROSE = "prose"

    __hash__ = str.__hash__  # Enum's own is slow, and tags are asked for their category all the time


class Source(str, Enum):
    """Where a tag came from."""

    HUMAN = "human"  # typed by a person, or found in a caption that was there before us
    TAGGER = "tagger"
    QUESTION = "question"
    PERSON = "person"
    OPTION = "option"  # prefix tags and replacements the user asked for

    __hash__ = str.__hash__


@dataclass(frozen=True)
class Tag(Record):
    """One tag. `score` is a probability in 0…1, or None where nobody gave one (a human's tag).

    `taggers` names those that are sure of it, where several taggers were asked.
    """

    name: str
    category: Category = Category.GENERAL
    score: float | None = None
    source: Source = Source.TAGGER
    locked: bool = False
    taggers: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `Record.to_json`; without `taggers` where one was asked."""
        values = super().to_json()
        if not self.taggers:
            del values["taggers"]
        return values


@dataclass(frozen=True)
class Box(Record):
    """A rectangle in pixels of the upright original image: x0 ≤ x < x1, y0 ≤ y < y1."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return max(0.0, self.x1 - self.x0)

    @property
    def height(self) -> float:
        return max(0.0, self.y1 - self.y0)

    @property
    def area(self) -> float:
        return self.width * self.height

    def as_list(self) -> list[float]:
        return [self.x0, self.y0, self.x1, self.y1]


@dataclass(frozen=True)
class Detection(Record):
    """What a detector found: where, how sure it is (0…1), and which of its labels it is ("person")."""

    box: Box
    score: float
    label: str


@dataclass(frozen=True)
class Prompt(Record):
    """One question put to a vision-language model about one image.

    `choices` are the allowed answers of a closed question; each is a tuple of spellings of which the
    first is the answer's name (`("3", "three")`). Empty: free text of at most `max_new_tokens`.
    """

    text: str
    choices: tuple[tuple[str, ...], ...] = ()
    max_new_tokens: int = 32


@dataclass(frozen=True)
class Reply(Record):
    """What a model said to a `Prompt`.

    `raw` is its text, untouched (for a closed question asked by scores alone: the best choice).
    `probabilities` are over `choices`, in their order, summing to 1; None where the model gives none.
    """

    raw: str
    probabilities: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Answer(Record):
    """An answer that was read.

    `question` is the question's name, `object` what it was asked about ("" when about nothing),
    `answer` the accepted answer in its normal form ("" when the reply fitted nothing), `raw` the reply
    as it came, `probability` in 0…1 or None, `tag` the tag it yields in canonical form ("" when none),
    `locked` whether a person fixed it, so that later runs do not change it. `person`: 1, 2, … when it is about that one
    of the
    analysis' persons alone, 0 when about the whole image.
    """

    question: str
    object: str
    answer: str
    raw: str
    probability: float | None
    tag: str
    locked: bool = False
    person: int = 0


@dataclass(frozen=True)
class Person(Record):
    """One person in the image.

    As found, `letter` is "" and `tags` are all that the tagger names on the person's cut-out; once separated,
    `tags` are the person's own. `score` is the detector's in 0…1, None for a box a person drew; `locked`: a
    person said that letter and tags stand.
    """

    letter: str
    box: Box
    score: float | None = None
    tags: Sequence[Tag] = ()
    locked: bool = False


@dataclass(frozen=True)
class Prose(Record):
    """A picture described in sentences.

    `text` is one line; `model` what the model that wrote it is called, "" for a person; `asked` how often it was asked.
    """

    text: str
    model: str = ""
    asked: int = 1


@dataclass(frozen=True)
class Analysis(Record):
    """All that the models said about one image: enough to compose any caption without them.

    `tags` hold every tag above the score floor (not above the user's threshold). `width` and
    `height` are the upright image's pixels.
    """

    width: int
    height: int
    tags: Sequence[Tag] = ()
    answers: tuple[Answer, ...] = ()
    persons: tuple[Person, ...] = ()
    prose: Prose | None = None


@dataclass(frozen=True)
class Unmade(Record):
    """Why a part of an analysis could not be made.

    `reason` is one sentence for the user; `everywhere`: the model fails on every image, not only on this one.
    `code` says the same to programs ("model_blind"); "" if the cause is unknown.
    """

    reason: str
    everywhere: bool = False
    code: str = ""


@dataclass(frozen=True)
class Drop(Record):
    """A tag left out of a caption, and why: one short phrase a user understands, and for programs its code and fields."""

    name: str
    reason: str
    code: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Caption(Record):
    """A caption ready to be written: its tags in order, its text, and what was left out.

    Where persons were wanted, `persons` are those told apart, left to right, or `reason` says why there are none, and
    `reason_code` with `reason_fields` the same to programs.
    `earlier` names the tags that earlier runs found and this one did not ask for.
    `text` is the whole file's; `tags` are those of its first line with words, and `later` are the further lines, each
    with its own text, where they are written too. `pruned` are tags that only the caption knew and curation left out:
    they are remembered, so that another run can bring them back.
    `also` names the style of a further line that the settings ask for, `line` says which of the later lines it was (-1: none
    yet), and `stays` that it is as it was.
    `heads`: of each person in a structured caption, what its tags' names begin with and how its part is called.
    """

    text: str
    tags: tuple[Tag, ...] = ()
    dropped: tuple[Drop, ...] = field(default=())
    persons: tuple[Person, ...] = ()
    reason: str = ""
    earlier: tuple[str, ...] = ()
    later: tuple[Caption, ...] = ()
    pruned: tuple[Tag, ...] = ()
    heads: tuple[str, ...] = ()
    reason_code: str = ""
    reason_fields: Mapping[str, Any] = field(default_factory=dict)
    also: str = ""
    line: int = -1
    stays: bool = False


def tag_names(tags: Sequence[Tag]) -> list[str]:
    """The names of `tags`, in order."""
    return [t.name for t in tags]
