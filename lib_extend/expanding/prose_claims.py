"""What a sentence says of a picture, as tags: how many girls, whose hair is of which color, indoors or outdoors.

Only what is plainly said: a sentence may say much more, and nothing is concluded from what it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lib_extend.vocabulary.colors import MULTICOLORED, NONE, color_in
from lib_extend.vocabulary.objects import GARMENTS

_NUMBERS = {w: n for n, w in enumerate("one two three four five six seven eight nine ten".split(), 1)} | {
    "a": 1,
    "an": 1,
}
_GENDERS = {
    "girl": "girl", "girls": "girl", "woman": "girl", "women": "girl", "lady": "girl", "ladies": "girl",
    "boy": "boy", "boys": "boy", "man": "boy", "men": "boy",
}  # fmt: skip
_PEOPLE = re.compile(
    r"\b(?:(?P<all>(?:there (?:is|are)|(?:image|picture|illustration) (?:of|shows)) (?:only )?(?:one|a single))"
    rf"|(?P<some>{'|'.join(_NUMBERS)}|[1-9]))(?: [a-z-]+){{0,2}}? (?P<who>{'|'.join(_GENDERS)})\b"
)
_NOUNS = ("hair", "eyes", *(g.replace("_", " ") for g in GARMENTS))
_NOUN = re.compile(rf"\b({'|'.join(sorted(map(re.escape, _NOUNS), key=len, reverse=True))})\b")
_HAIR_COLORS = {"yellow": "blonde", "gold": "blonde", "beige": "blonde"}
_LENGTHS = re.compile(r"\b(very long|very short|long|short|medium)\b")
_OWN = frozenset("very long short medium light dark pale deep bright".split())
_PLACES = frozenset({"indoors", "outdoors"})
_BEFORE = 5
"""Words before a noun in which its color and length stand."""
_STARTS = frozenset("a an the her his their with has have wearing wears in of on to is are she he".split())
"""Words before which a noun's own words do not begin."""
_WORD = re.compile(r"[a-z0-9][a-z0-9'-]*|,")


class People(NamedTuple):
    """A number of girls or boys; `all`: the sentence says that there are no more."""

    number: int
    gender: str
    all: bool


def people_said(sentence: str) -> Iterator[People]:
    """The numbers of people that a sentence names."""
    for match in _PEOPLE.finditer(_plain(sentence)):
        word = match["some"]
        number = 1 if word is None else _NUMBERS.get(word) or int(word)
        yield People(number, _GENDERS[match["who"]], word is None)


def tags_said(sentence: str) -> Iterator[str]:
    """Canonical names of what a sentence says: `black_hair`, `long_hair`, `red_skirt`, `indoors`."""
    text = _plain(sentence)
    last = 0
    for match in _NOUN.finditer(text):
        before = _own_words(text[last : match.start()])
        last = match.end()
        noun = match[1].replace(" ", "_")
        color = color_in(before)
        if color and color not in (NONE, MULTICOLORED):
            yield f"{_HAIR_COLORS.get(color, color) if noun == 'hair' else color}_{noun}"
        if noun == "hair":
            for length in _LENGTHS.findall(before):
                yield f"{length.replace(' ', '_')}_hair"
    yield from sorted(_PLACES & set(_WORD.findall(text)))


def names_in(sentence: str, longest: int = 3) -> Iterator[str]:
    """All words and pairs and triples of words of a sentence, as canonical names."""
    for part in re.split(r"[^a-z0-9'()_ -]+", _plain(sentence)):
        words = part.split()
        for count in range(1, longest + 1):
            for at in range(len(words) - count + 1):
                yield "_".join(words[at : at + count])


def _own_words(before: str) -> str:
    """What of the words before a noun is about it."""
    words = _WORD.findall(before)[-_BEFORE:]
    found: list[str] = []
    while words:
        word = words.pop()
        # "long, flowing black hair", but "a lamp, black hair"
        if word in _STARTS or (word in (",", "and") and not (words and _is_own(words[-1]))):
            break
        found.append(word)
    return " ".join(w for w in reversed(found) if w != ",")


def _is_own(word: str) -> bool:
    """Whether a word says the color or length of what follows."""
    return word in _OWN or color_in(word) not in ("", NONE)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").split())
