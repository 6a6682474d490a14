"""What is known of a picture, as a description of it is grounded in it and held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lib_extend.captions.prose_asking import Facts, PersonFacts
from lib_extend.people.place_words import place_words
from lib_extend.people.separating import Rules, separate
from lib_extend.questions.answer_reading import NO
from lib_extend.questions.asking import colorless, settle
from lib_extend.records import Answer, Category, Person, Tag
from lib_extend.vocabulary import colors
from lib_extend.vocabulary.objects import FLOORS
from lib_extend.vocabulary.people_tags import GENDERS, is_people, people_count, people_tag
from lib_extend.vocabulary.plurals import plural
from lib_extend.vocabulary.tag_names import written

FLOOR = "floor"
_FLOOR_TAGS = {"carpet": "carpet", **{f"{m}_{FLOOR}": m for m in FLOORS}}


@dataclass(frozen=True)
class KnownPerson:
    """One person: `place` as a canonical tag name (`on_the_left`; "" for one alone), `gender` ("" where unknown), tags."""

    place: str
    gender: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What models and persons said of a picture, as far as it is sure.

    Attributes:
        tags: canonical names of the whole picture's tags, people counts first, then the surest.
        persons: those told apart, left to right, row by row; none where they could not be.
        counts: object → how many, one at the least. colors: object → its color. floor: what it is of, "" where nobody
            says. absent: objects that an answer says are not there.
        names: characters that the tags name.
    """

    tags: tuple[str, ...] = ()
    persons: tuple[KnownPerson, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    colors: Mapping[str, str] = field(default_factory=dict)
    floor: str = ""
    absent: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def facts(self) -> Facts:
        """The same in words, for the request to a model."""
        bound = {t for p in self.persons for t in p.tags} if len(self.persons) > 1 else set()
        things = dict.fromkeys((*self.counts, *self.colors))
        persons = [
            PersonFacts(written(p.place), tuple(map(written, filter(None, (p.gender, *p.tags)))))
            for p in self.persons
            if len(self.persons) > 1
        ]
        floor = self.floor if self.floor in ("", "carpet") else f"{self.floor} {FLOOR}"
        return Facts(
            tuple(t for t in self.tags if t not in bound and t not in things),
            tuple(persons),
            tuple(filter(None, (*map(self._thing, things), floor))),
        )

    def _thing(self, name: str) -> str:
        number = self.counts.get(name, 0)
        noun = written(plural(name) if number > 1 else name)
        return " ".join(filter(None, (str(number or ""), written(self.colors.get(name, "")), noun)))


def known_of(
    tags: Sequence[Tag],
    answers: Sequence[Answer],
    persons: Sequence[Person],
    *,
    threshold: float = 0.35,
    person_threshold: float | None = None,
    answer_threshold: float = 0.5,
) -> Known:
    """What is known by an analysis.

    Args:
        tags: the picture's, any number of times. persons: as found or as a person left them.
        threshold, person_threshold, answer_threshold: 0…1, as the settings of these names.
    """
    passing = _sure(tags, threshold)
    told = separate(
        passing,
        tags,
        persons,
        Rules(
            threshold=lambda _: threshold if person_threshold is None else person_threshold, characters=True
        ),
    )
    places = place_words([p.box for p in told.persons])
    alone = [
        KnownPerson(place, _gender(p, persons[i]), tuple(t.name for t in p.tags if not is_people(t.name)))
        for p, place, i in zip(told.persons, places, told.indexes, strict=True)
    ]
    people = [t for t in passing if is_people(t.name)]
    if told.recounted:
        people = list(told.people)
    rest = [t for t in passing if not is_people(t.name)]
    sure = [
        a
        for a in settle([a for a in answers if not a.person])
        if a.answer and (a.probability is None or a.probability >= answer_threshold)
    ]
    colorless_things = {a.object for a in sure if colorless(a)}
    numbers = {a.object: int(a.answer) for a in sure if a.object and a.answer.isdigit()}
    denied = {a.object for a in sure if a.object and a.answer == NO}
    absent = {*colorless_things, *denied, *(name for name, n in numbers.items() if n == 0)}
    return Known(
        tuple(t.name for t in (*people, *rest)),
        tuple(alone),
        {name: n for name, n in numbers.items() if n and name not in absent},
        {a.object: a.answer for a in sure if a.object not in absent and a.object and _is_color(a.answer)},
        next((_FLOOR_TAGS[a.tag] for a in sure if a.tag in _FLOOR_TAGS), ""),
        frozenset(absent),
        frozenset(t.name for t in passing if t.category is Category.CHARACTER),
    )


def _sure(tags: Sequence[Tag], threshold: float) -> list[Tag]:
    """The tags a description may be about, the surest first, each once."""
    best: dict[str, Tag] = {}
    for tag in tags:
        score = 1.0 if tag.score is None else tag.score
        if score < threshold or tag.category in (Category.RATING, Category.META, Category.PROSE):
            continue
        before = best.get(tag.name)
        if before is None or score > (1.0 if before.score is None else before.score):
            best[tag.name] = tag
    return sorted(best.values(), key=lambda t: (-(1.0 if t.score is None else t.score), t.name))


def _gender(person: Person, found: Person) -> str:
    """The gender that the tags of a person's cut-out name best; "" where they name none."""
    scores = {t.name: 1.0 if t.score is None else t.score for t in (*found.tags, *person.tags)}
    best = max(GENDERS, key=lambda g: scores.get(people_tag(1, g), 0.0))
    return best if scores.get(people_tag(1, best)) else ""


def _is_color(answer: str) -> bool:
    return answer in colors.PLAIN or answer.partition("_")[0] in ("light", "dark")


def people_known(known: Known) -> dict[str, int]:
    """Gender → how many, of those whose number the tags say exactly."""
    found: dict[str, int] = {}
    for name in known.tags:
        count = people_count(name)
        if count is not None and not count.least:
            found[count.gender] = max(found.get(count.gender, 0), count.number)
    return found
