"""What a picture shows, ready to be written in any style: people, persons, names, what is shared, prose.

A stored picture becomes a scene (`scene_making`), and so does a cast. Styles write scenes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

from lib_extend.records import Tag

CAPTION_FIELDS = (
    "quality",
    "rating",
    "year",
    "people",
    "characters",
    "series",
    "artist",
    "general",
    "meta",
)
"""The lists of words that a scene has besides persons and prose."""


@dataclass(frozen=True)
class Word:
    """One thing that a caption says: a tag, or text that is kept as it is.

    Attributes:
        name: the canonical name, without a person's letter.
        text: how it is to be written, to the letter; "" where the style spells the name.
        raw: the same as it stands in a caption of the same style, with that style's escapes; "" where it did not.
        place: where in a caption of the same style a person put it; "" where the style decides.
        tag: what it is in the caption's list of tags; None for separators.
        after: the name of the word that it follows where a person put it there; None where the order is free.
    """

    name: str
    text: str = ""
    raw: str = ""
    place: str = ""
    tag: Tag | None = None
    after: str | None = None


Words = tuple[Word, ...]


@dataclass(frozen=True)
class ScenePerson:
    """One person.

    Attributes:
        start: what the names of its tags begin with among the caption's tags (`α_`); "" for the only one.
        words: its tags, names of characters among them.
        gender: "girl", "boy" or "other"; "" where it is not known.
        place: where it is as words (`on_the_left`); "" where that is not known.
        center: the middle of its box as shares 0…1 of the picture's width and height.
        head: how its part of the caption is called by the style ("On the left", "character_1"); "" to be made.
    """

    start: str = ""
    words: Words = ()
    gender: str = ""
    place: str = ""
    center: tuple[float, float] | None = None
    head: str = ""


@dataclass(frozen=True)
class Scene:
    """One picture, or one prompt.

    Attributes:
        persons: those told apart, left to right, row by row; what is theirs stands in no other field.
        first, last: what the user puts at the caption's ends.
        prose: sentences, in their order. extra: what a person wrote in places that only its style knows.
    """

    people: Words = ()
    persons: tuple[ScenePerson, ...] = ()
    characters: Words = ()
    series: Words = ()
    general: Words = ()
    artist: Words = ()
    rating: Words = ()
    year: Words = ()
    quality: Words = ()
    meta: Words = ()
    prose: Words = ()
    extra: Words = ()
    first: Words = ()
    last: Words = ()

    def lists(self) -> Iterator[tuple[str, Words]]:
        """Every field that is a list of words, by its name."""
        for f in fields(self):
            if f.name != "persons":
                yield f.name, getattr(self, f.name)


def in_order(words: Sequence[Word]) -> Words:
    """The words with those that a person put behind others (`after`) right there.

    Those whose neighbour is gone keep their order, behind all that has a free one.
    """
    result = [w for w in words if w.after is None]
    waiting = [w for w in words if w.after is not None]
    while waiting:
        left = [w for w in waiting if not _put(result, w)]
        if len(left) == len(waiting):
            result.append(replace(left.pop(0), after=None))
        waiting = left
    return tuple(result)


def _put(result: list[Word], word: Word) -> bool:
    """Puts a word behind the one that it follows; False where that is not there (yet)."""
    if word.after == "":
        at = 0
        while at < len(result) and result[at].after == "":
            at += 1
    else:
        # the last of several equal ones: words come in the order of the text
        at = next((i for i in range(len(result), 0, -1) if result[i - 1].name == word.after), 0)
        if at == 0:
            return False
    result.insert(at, word)
    return True
