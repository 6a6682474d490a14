"""What a description says against what is known of the picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_extend.captions.prose_asking import NO_WISHES, Wishes
from lib_extend.captions.prose_known import Known, KnownPerson, people_known
from lib_extend.captions.prose_reading import BOY, GIRL, Beside, Said, Thing, Who, read_prose
from lib_extend.captions.prose_words import HAIR, color_of, same_color
from lib_extend.vocabulary.plurals import plural
from lib_extend.vocabulary.tag_names import written

COUNT, COLOR, SIDE, PEOPLE, OBJECT, FLOOR = (
    "prose_count",
    "prose_color",
    "prose_side",
    "prose_people",
    "prose_object",
    "prose_floor",
)
BANNED, TRIGGER = "prose_banned", "prose_trigger"
_LIKE = {"couch": "sofa", "sofa": "couch"}


@dataclass(frozen=True)
class Contradiction:
    """One thing that a description has wrong.

    Attributes:
        code: one of the codes above. reason: a phrase for a person, and for the model that is asked again.
        fields: what it speaks of, as JSON values.
    """

    code: str
    reason: str
    fields: dict[str, Any] = field(default_factory=dict)


def contradictions(text: str, known: Known, wishes: Wishes = NO_WISHES) -> list[Contradiction]:
    """What a description has wrong, each thing once, in the order people, things, floor, wishes."""
    things = {*known.counts, *known.colors, *known.absent}
    said = read_prose(text, things, known.names)
    found = [
        *_people(said, known),
        *_who_has_which(said, known),
        *_things(said, known),
        *_floor(said, known),
        *_wishes(text, wishes),
    ]
    return list({(c.code, c.reason): c for c in found}.values())


# people


def _people(said: Said, known: Known) -> Iterator[Contradiction]:
    """Numbers of girls and boys that the tags do not have."""
    numbers = people_known(known)
    if not numbers or "other" in numbers:
        return
    total = sum(numbers.values())
    for gender, noun in ((GIRL, "girls"), (BOY, "boys")):
        is_there = numbers.get(gender, 0)
        spoken = [p for p in said.people if p.gender == gender and not p.name]
        counted = [p.number for p in spoken if p.number is not None and p.number > 1]
        if not is_there and spoken:
            yield _wrong(PEOPLE, f"there are no {noun}", kind=gender, number=0)
        elif any(n > is_there for n in counted):
            most = max(counted)
            yield _wrong(PEOPLE, f"there {_are(is_there, gender)}, not {most}", kind=gender, number=is_there)
        elif (
            len(counted) == 1
            and counted[0] < is_there
            and not any(p.side or p.number in (None, 1) for p in spoken if p.number != counted[0])
            and not any(p.side for p in spoken)
            and len(spoken) == 1
        ):
            yield _wrong(
                PEOPLE, f"there {_are(is_there, gender)}, not {counted[0]}", kind=gender, number=is_there
            )
        elif is_there < _introduced(spoken) or (is_there == 1 and any(p.again for p in spoken)):
            yield _wrong(PEOPLE, f"there {_are(is_there, gender)} only", kind=gender, number=is_there)
    for person in said.people:
        if not person.gender and not person.name and person.number and person.number > total > 0:
            yield _wrong(PEOPLE, f"there are {total} people, not {person.number}", kind="", number=total)


def _introduced(people: Sequence[Who]) -> int:
    """The most people that one sentence introduces: "a girl with black hair and a girl with white hair"."""
    new = Counter(p.sentence for p in people if p.new)
    return max(new.values(), default=0)


def _are(number: int, gender: str) -> str:
    return f"is one {gender}" if number == 1 else f"are {number} {gender}s"


def _who_has_which(said: Said, known: Known) -> Iterator[Contradiction]:
    """Colors and sides of people, as far as nobody who is there has them so."""
    persons = _persons(known)
    if not persons:
        yield from _among_all(said, known)
        return
    for who in said.people:
        if who.number not in (None, 1):
            continue
        fit = [persons[i] for i in _who(who, persons)]
        if not fit:
            yield from _unlike_all(who, persons)
        elif who.side and len(persons) > 1 and not any(_at(p, who.side) for p in fit):
            at = sorted({written(p.place) for p in fit})
            told = _told(who)
            yield _wrong(SIDE, f"{told} is {' or '.join(at)}, not on the {who.side}", side=who.side)
    for pair in said.beside:
        if len(persons) > 1 and not _stands(pair, persons):
            yield _wrong(SIDE, f"{_told(pair.first)} is not left of {_told(pair.second)}", side="left")


def _persons(known: Known) -> Sequence[KnownPerson]:
    """Those told apart; the only person with all tags, where there is one."""
    if len(known.persons) > 1:
        return known.persons
    numbers = people_known(known)
    if sum(numbers.values()) == 1:
        return [
            KnownPerson("", next(iter(numbers)), (*known.tags, *(t for p in known.persons for t in p.tags)))
        ]
    return ()


def _who(who: Who, persons: Sequence[KnownPerson]) -> list[int]:
    """The places of those whom it may be: who is known to have all that is said, else who may have it."""
    fit = [i for i, p in enumerate(persons) if _fits(who, p)]
    known = [i for i in fit if all(_colors_of(persons[i].tags, what) for what, _ in who.colors)]
    return known or fit


def _fits(who: Who, person: KnownPerson) -> bool:
    if who.gender and person.gender and who.gender != person.gender:
        return False
    if who.name and who.name not in person.tags:
        return False
    return all(_may_have(person, what, colors) for what, colors in who.colors)


def _may_have(person: KnownPerson, what: str, colors: tuple[str, ...]) -> bool:
    """Whether a person may have something of these colors: nothing is known of its color, or one of them is it."""
    known = _colors_of(person.tags, what)
    return not known or any(same_color(said, have) for said in colors for have in known)


def _colors_of(tags: Sequence[str], what: str) -> list[str]:
    """The colors that tags give something: `black_hair` → black."""
    what = "hair" if what in HAIR else what
    found = []
    for tag in tags:
        color, _, thing = tag.rpartition("_")
        if thing == what and color and (color_of(color.rpartition("_")[2])):
            found.append(color)
    several = any(
        t.rpartition("_")[2] == what and t.startswith(("multicolored", "two-tone", "gradient")) for t in tags
    )
    return [] if several else found


def _unlike_all(who: Who, persons: Sequence[KnownPerson]) -> Iterator[Contradiction]:
    """Why nobody is like this: a color, whoever's, or a combination of gender, name and colors that nobody has."""
    for what, colors in who.colors:
        if not any(_may_have(p, what, colors) for p in persons):
            have = sorted({written(c) for p in persons for c in _colors_of(p.tags, what)})
            yield _wrong(COLOR, f"the {what} is {' or '.join(have)}, not {' and '.join(colors)}", what=what)
            return
    if who.colors:
        what, colors = who.colors[0]
        told = _told(Who(who.gender, who.name))
        yield _wrong(COLOR, f"{told} has no {' and '.join(colors)} {what}", what=what)


def _at(person: KnownPerson, side: str) -> bool:
    return (
        not person.place or side in person.place.split("_") or (side == "middle" and "center" in person.place)
    )


def _stands(pair: Beside, persons: Sequence[KnownPerson]) -> bool:
    """Whether the first may be left of the second. Persons of unknown sides may be anywhere."""
    first, second = _who(pair.first, persons), _who(pair.second, persons)
    if (
        not first
        or not second
        or not all({"left", "right", "middle"} & set(p.place.split("_")) for p in persons)
    ):
        return True  # another contradiction says why
    return any(a < b for a in first for b in second)


def _among_all(said: Said, known: Known) -> Iterator[Contradiction]:
    """Where people are not told apart: colors that none of them has, when everybody's is known."""
    people = sum(people_known(known).values())
    if not people:
        return
    for who in said.people:
        for what, colors in who.colors:
            have = _colors_of(known.tags, what)
            if len(set(have)) >= people and not any(same_color(c, h) for c in colors for h in have):
                yield _wrong(COLOR, f"nobody has {' and '.join(colors)} {what}", what=what)


def _told(who: Who) -> str:
    """How somebody is called in a phrase."""
    if who.name:
        return written(who.name)
    parts = [f"{' and '.join(colors)} {what}" for what, colors in who.colors]
    return f"the {who.gender or 'person'}{' with ' + ', '.join(parts) if parts else ''}"


# things


def _things(said: Said, known: Known) -> Iterator[Contradiction]:
    for name in dict.fromkeys(t.name for t in said.things):
        told = [t for t in said.things if t.name == name]
        numbers = [t.number for t in told if t.number is not None]
        noun = written(plural(name))
        is_there = known.counts.get(name)
        if name in known.absent and _LIKE.get(name) not in {*known.counts, *known.colors}:
            if any(n > 0 for n in numbers):
                yield _wrong(OBJECT, f"there is no {written(name)}", object=name)
            continue
        few = any(t.others for t in told) and max(numbers, default=0) < (is_there or 0)
        if is_there is not None and numbers and not few and not _adds_up(numbers, is_there):
            yield _wrong(
                COUNT, f"there {_count(is_there, name)}, not {numbers[0]}", object=name, number=is_there
            )
        color = known.colors.get(name)
        if color and color != "multicolored":
            yield from _colored(told, color, name, noun)


def _adds_up(numbers: Sequence[int], is_there: int) -> bool:
    """Whether one of the numbers is right, or all of them together are."""
    return is_there in numbers or sum(numbers) == is_there


def _count(number: int, name: str) -> str:
    return f"is one {written(name)}" if number == 1 else f"are {number} {written(plural(name))}"


def _colored(told: Sequence[Thing], color: str, name: str, noun: str) -> Iterator[Contradiction]:
    """A color that is not the thing's, where no other one of the kind is said to have the right one."""
    said = [t.colors for t in told if t.colors]
    if said and not any(same_color(c, color) for colors in said for c in colors):
        yield _wrong(COLOR, f"the {noun} are {written(color)}, not {' and '.join(said[0])}", object=name)


def _floor(said: Said, known: Known) -> Iterator[Contradiction]:
    if known.floor and said.floors and known.floor not in said.floors:
        yield _wrong(FLOOR, f"the floor is {known.floor}, not {said.floors[0]}", floor=known.floor)


# wishes


def _wishes(text: str, wishes: Wishes) -> Iterator[Contradiction]:
    folded = f" {' '.join(_plain(text).split())} "
    for banned in wishes.banned:
        if f" {' '.join(_plain(banned).split())} " in folded:
            yield _wrong(BANNED, f"the word “{banned}” is banned", word=banned)
    if wishes.trigger and wishes.trigger.casefold() not in text.casefold():
        yield _wrong(TRIGGER, f"the subject is not called “{wishes.trigger}”", word=wishes.trigger)


def _plain(text: str) -> str:
    return "".join(c if c.isalnum() or c == "'" else " " for c in text.casefold())


def _wrong(code: str, reason: str, **fields: Any) -> Contradiction:
    return Contradiction(code, reason, fields)
