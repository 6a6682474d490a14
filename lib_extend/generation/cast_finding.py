"""Find the tags of each character of a cast in its place in the finished picture.

The picture's persons are assigned to the characters so that together they fit the boxes best. A person whose middle is
outside of a character's box, and who is more than half outside, is not that character. If two assignments are equally
good (equal boxes, or no regions), the one that finds more tags is used.

A tag counts when it can be looked for at all: it is about a person's look (`vocabulary.person_aspects`: hair, eyes,
face, body, clothes, pose; not how many people there are, not the place, not the style), the tagger knows it, and it
stands in the prompt all the time, which an alternative in `[a:b:0.5]` does not. Emphasis does not matter. A
character without any such tag counts as one that is found when somebody is in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.generation import syntax
from lib_extend.generation.cast import Cast, Character, Place
from lib_extend.generation.letters import says_people, stripped
from lib_extend.generation.places import from_pixels
from lib_extend.generation.prompt import read
from lib_extend.generation.syntax import Piece
from lib_extend.people.contradictions import contradicted
from lib_extend.records import Analysis, Caption, Person
from lib_extend.vocabulary.person_aspects import describes_a_person
from lib_extend.vocabulary.tag_names import KAOMOJI, canonical, key, written

_NOT_PLAIN = frozenset("{}[]<>$|")
"""Signs of what is no plain tag: alternatives, wildcards that were left, extra networks."""
_EXACT = 10**6


@dataclass(frozen=True)
class Seen:
    """A person in the picture: where, as fractions, and the canonical names of the tags it has."""

    place: Place
    tags: frozenset[str]


@dataclass(frozen=True)
class FoundCharacter:
    """The tags of one character found in the picture, in the prompt's words and order.

    Attributes:
        seen: somebody is in its place. found, missing: its tags that count.
        uncounted: its other tags.
    """

    letter: str
    name: str = ""
    seen: bool = False
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    uncounted: tuple[str, ...] = ()

    @property
    def counts(self) -> tuple[int, int]:
        """(number of tags found, number of tags looked for); the second is 1 or more."""
        total = len(self.found) + len(self.missing)
        return (len(self.found), total) if total else (int(self.seen), 1)


@dataclass(frozen=True)
class Found:
    """What was found of a cast in a picture. `persons`: how many persons it has."""

    characters: tuple[FoundCharacter, ...]
    persons: int = 0

    @property
    def score(self) -> float:
        """0…1: the share of the tags that count which were found; 1 where there is nothing to look for."""
        counts = [c.counts for c in self.characters]
        total = sum(n for _, n in counts)
        return round(sum(n for n, _ in counts) / total, 3) if total else 1.0

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return all(n == total for n, total in (c.counts for c in self.characters))

    @property
    def summary(self) -> str:
        """One line for people: `5 of 6 tags in their places; missing: β blue skirt`."""
        if not self.characters:
            return "nothing to look for"
        counts = [c.counts for c in self.characters]
        line = f"{sum(n for n, _ in counts)} of {sum(n for _, n in counts)} tags in their places"
        lacks = []
        for c in self.characters:
            if not c.seen:
                lacks.append(f"{c.letter} (nobody in its place)")
            elif c.missing:
                lacks.append(f"{c.letter} {', '.join(c.missing)}")
        return f"{line}; missing: {'; '.join(lacks)}" if lacks else line

    def to_json(self) -> dict[str, Any]:
        """The value of the infotext's entry."""
        return {
            "score": self.score,
            "persons": self.persons,
            "characters": [
                {"letter": c.letter, "seen": c.seen, "found": list(c.found), "missing": list(c.missing)}
                for c in self.characters
            ],
        }


def look_for(cast: Cast, persons: Sequence[Seen], vocabulary: Collection[str] = ()) -> Found:
    """Find a cast in a picture with these persons.

    Args:
        vocabulary: canonical names of the tags that could have been seen; empty: any.
    """
    known = frozenset(map(key, vocabulary))
    wanted = [_wanted(c, known) for c in cast.characters]
    having = [frozenset(map(key, p.tags)) for p in persons]
    matches = [[sum(name in has for name in tags) for has in having] for tags, _ in wanted]
    near = [[_nearness(c.box, p.place) if cast.regional else 1 for p in persons] for c in cast.characters]
    who = assigned(near, matches)
    characters = []
    for i, (letter, character) in enumerate(zip(cast.letters, cast.characters, strict=True)):
        tags, others = wanted[i]
        person = who[i]
        has = frozenset() if person is None else having[person]
        characters.append(
            FoundCharacter(
                letter,
                character.name,
                person is not None,
                tuple(text for name, text in tags.items() if name in has),
                tuple(text for name, text in tags.items() if name not in has),
                others,
            )
        )
    return Found(tuple(characters), len(persons))


def persons_of(caption: Caption, analysis: Analysis, threshold: Callable[[str], float]) -> list[Seen]:
    """The persons of a picture: those that its separation told apart, or, where it could not, those that were found.

    Args:
        caption: composed with persons. analysis: what it was composed from.
        threshold: score in 0…1 that a tag needs on the cut-out of a person who was not told apart.
    """
    size = analysis.width, analysis.height
    if caption.persons:
        return [Seen(from_pixels(p.box, *size), frozenset(t.name for t in p.tags)) for p in caption.persons]
    return [Seen(from_pixels(p.box, *size), _own(p, threshold)) for p in analysis.persons]


def assigned(near: Sequence[Sequence[int]], matches: Sequence[Sequence[int]]) -> list[int | None]:
    """For each character the number of its person, None for nobody.

    Args:
        near: by character and person, how well the person lies in the box, 0 where it does not; the sum is made as
            large as can be. matches: the same for the tags that decide between ways that are equally good.
    """
    # Over all sets of characters that have a person: at most 2⁵, person by person.
    best: dict[int, tuple[tuple[int, int], tuple[tuple[int, int], ...]]] = {0: ((0, 0), ())}
    persons = len(near[0]) if near else 0
    for p in range(persons):
        after = dict(best)
        for mask, (total, pairs) in best.items():
            for c in range(len(near)):
                if mask & (1 << c) or not near[c][p]:
                    continue
                sums = total[0] + near[c][p], total[1] + matches[c][p]
                taken = mask | (1 << c)
                if taken not in after or sums > after[taken][0]:
                    after[taken] = sums, (*pairs, (c, p))
        best = after
    _, pairs = max(best.values(), key=lambda entry: entry[0])
    who: list[int | None] = [None] * len(near)
    for c, p in pairs:
        who[c] = p
    return who


def _wanted(character: Character, known: frozenset[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The tags that count, name → the prompt's words, and the words of those that do not."""
    tags: dict[str, str] = {}
    others = []
    for text in _flat(read(character.prompt).pieces):
        name = key(canonical(stripped(Piece(syntax.bare(text))).text))
        plain = name in KAOMOJI or _NOT_PLAIN.isdisjoint(name)
        if plain and not says_people(text) and describes_a_person(name) and (not known or name in known):
            tags.setdefault(name, written(canonical(name)))
        else:
            others.append(text)
    return tags, tuple(others)


def _flat(parts: Iterable[Piece]) -> Iterable[str]:
    """The tags of a prompt; tags inside an emphasis are listed singly."""
    for piece in parts:
        if piece.emphasised is not None:
            yield from _flat(piece.emphasised.pieces)
        elif piece.text:
            yield piece.text


def _own(person: Person, threshold: Callable[[str], float]) -> frozenset[str]:
    """The tags of a person from its own cut-out only."""
    scores: Mapping[str, float] = {
        t.name: t.score or 0.0 for t in person.tags if (t.score or 0.0) >= threshold(t.name)
    }
    return frozenset(scores) - frozenset(contradicted(scores))


def _nearness(box: Place, person: Place) -> int:
    """How well a person lies in a box: 0 not at all, up to two millions. A whole number, so that sums are exact."""
    shared = _area(
        (max(box[0], person[0]), max(box[1], person[1]), min(box[2], person[2]), min(box[3], person[3]))
    )
    inside = shared / _area(person)
    x, y = (person[0] + person[2]) / 2, (person[1] + person[3]) / 2
    middle = box[0] <= x <= box[2] and box[1] <= y <= box[3]
    if not middle and inside < 0.5:
        return 0
    return round(_EXACT * (inside + shared / (_area(box) + _area(person) - shared)))


def _area(place: Place) -> float:
    return max(0.0, place[2] - place[0]) * max(0.0, place[3] - place[1])
