"""Decide which person each tag belongs to, from the tags of a picture and of each person's cut-out.

Each person gets a tag whose score on the person's cut-out is high enough and not far below another person's. If no
score is high enough, the person whose score is clearly the highest gets it. A tag of all persons stays shared; a tag of
no person stays with the picture. Of two tags that contradict each other, a person keeps the one with the higher score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lib_extend.config import LETTERS
from lib_extend.people import not_separated as no
from lib_extend.people.contradictions import contradicted
from lib_extend.people.counting import count
from lib_extend.people.geometry import inside, iou, left_to_right
from lib_extend.people.not_separated import NotSeparated, because
from lib_extend.records import Category, Person, Record, Source, Tag
from lib_extend.vocabulary.people_tags import count_people, is_people
from lib_extend.vocabulary.person_aspects import describes_a_person

MAX_PERSONS = len(LETTERS)

SURE = 0.7
"""A score on the own cut-out from which a tag is a person's, whatever the others have."""
DWARFED = 2.5
"""Logits by which a score below `SURE` is behind another person's when the tag is taken for the other's."""
STANDS_OUT = 1.0
"""Logits by which the best of several unsure scores is ahead of the second when the tag goes to it."""
UNSURE = 0.4
"""The share of the threshold that the best of several unsure scores has at the least."""
NEW = 0.5
"""Score that a tag needs on a cut-out when the whole picture does not have it."""
WEAK_BOX = 0.5
"""A person found with a lower score is given up when the tags say there are fewer."""
FEWEST_PIXELS = 16
"""A box with a shorter side shows nothing that could be tagged."""
NESTED = 0.9
"""A box that lies in another one to this share is a second look at the same person."""


@dataclass(frozen=True)
class Rules:
    """The rules for giving tags to persons.

    Attributes:
        threshold: score in 0…1 a tag needs, by canonical name.
        letters: what persons are called, from left to right; at most five.
        everything: any tag may be a person's, not only what describes a person.
        shared: "once": a tag of all persons has no letter; "each": every person gets it.
        characters: named characters go to the person on whose cut-out they are named.
        max_overlap: largest intersection over union of two persons, 0…1.
        smallest: least area of a person as a share of the largest one's, 0…1.
        fewest: tags that each person needs.
    """

    threshold: Callable[[str], float]
    letters: tuple[str, ...] = LETTERS
    everything: bool = False
    shared: str = "once"
    characters: bool = False
    max_overlap: float = 0.6
    smallest: float = 0.05
    fewest: int = 2


@dataclass(frozen=True)
class Decision(Record):
    """What was decided for one tag: its scores on the persons, left to right, and the reason in one phrase.

    `letters` are those of the persons who have it.
    """

    name: str
    letters: tuple[str, ...]
    scores: tuple[float, ...]
    why: str


@dataclass(frozen=True)
class Separation:
    """The persons of a picture with their tags, or why there are none.

    Attributes:
        persons: left to right, lettered, each with its own tags, best first.
        people: the people tags to write. recounted: they are not the tagger's own.
        shared: tags that are everybody's and keep no letter.
        taken: names of the picture's tags that are written with the persons only.
        ruled_out: names of the picture's tags that better ones contradict → those.
        why_not: why the picture is not separated; None where it is.
        decisions: one a tag that some person could have.
        indexes: the place of each of `persons` in the list that was given.
    """

    persons: tuple[Person, ...] = ()
    people: tuple[Tag, ...] = ()
    recounted: bool = False
    shared: tuple[Tag, ...] = ()
    taken: frozenset[str] = frozenset()
    ruled_out: Mapping[str, str] = field(default_factory=dict)
    why_not: NotSeparated | None = None
    decisions: tuple[Decision, ...] = ()
    indexes: tuple[int, ...] = ()

    @property
    def reason(self) -> str:
        """ "" or one phrase: why the picture is not separated."""
        return "" if self.why_not is None else self.why_not.text


def separate(tags: Sequence[Tag], every: Sequence[Tag], found: Sequence[Person], rules: Rules) -> Separation:
    """Divide a picture's tags among its persons.

    Args:
        tags: those of the picture that are to be written.
        every: all that the tagger named for the picture, whatever their scores.
        found: the persons, in any order, each with all tags of its own cut-out. When one of them is locked, a
            person made them: letters and tags stand as they are.
    """
    people = [t for t in tags if is_people(t.name)]
    if any(p.locked for p in found):
        return _as_given(tags, people, found)
    persons, why_not = _chosen(found, people, rules)
    if why_not is not None:
        return Separation(why_not=why_not)
    scores = [{t.name: t.score or 0.0 for t in p.tags} for p in persons]
    possible = {t.name: t.score or 0.0 for t in every if is_people(t.name)}
    counted = count(people, possible, scores)
    if counted.why_not is not None:
        return Separation(why_not=counted.why_not)
    holders, why = _divide(tags, persons, scores, rules)
    ruled_out = _settle(holders, scores, why)
    alone = len(persons) == 1
    shared = [
        n for n, who in holders.items() if len(who) == len(persons) and not alone and rules.shared == "once"
    ]
    letters = rules.letters[: len(persons)]
    categories = {t.name: t.category for p in persons for t in p.tags} | {t.name: t.category for t in tags}
    own: list[tuple[Tag, ...]] = []
    for i, person in enumerate(persons):
        has = {n for n, who in holders.items() if i in who}
        if len(has) < rules.fewest:
            some = f"{len(has)} tag{'' if len(has) == 1 else 's'}"
            return Separation(why_not=because(no.FEW_TAGS, who=_ordinal(i, len(persons)), tags=some))
        lettered = [Tag(n, categories[n], scores[i].get(n), Source.PERSON) for n in has if n not in shared]
        lettered.sort(key=lambda t: (t.category is not Category.CHARACTER, -(t.score or 0.0), t.name))
        own.append(tuple(lettered))
        persons[i] = replace(person, letter=letters[i], tags=own[i])
    in_picture = {t.name: t for t in tags}
    decisions = [
        Decision(
            name,
            tuple(letters[i] for i in sorted(holders.get(name, ()))),
            tuple(round(s.get(name, 0.0), 4) for s in scores),
            why[name],
        )
        for name in sorted(why)
    ]
    return Separation(
        persons=tuple(persons),
        people=counted.tags,
        recounted=counted.changed,
        shared=tuple(
            in_picture.get(n, Tag(n, categories[n], max(s.get(n, 0.0) for s in scores), Source.PERSON))
            for n in sorted(shared, key=lambda n: (-max(s.get(n, 0.0) for s in scores), n))
        ),
        taken=frozenset(t.name for own_tags in own for t in own_tags if t.name in in_picture),
        ruled_out={n: better for n, better in ruled_out.items() if n in in_picture},
        decisions=tuple(decisions),
        indexes=tuple(_place(p, found) for p in persons),
    )


def _chosen(
    found: Sequence[Person], people: Sequence[Tag], rules: Rules
) -> tuple[list[Person], NotSeparated | None]:
    """The persons to separate, left to right, or why not."""
    persons = [
        p
        for p in found
        if not any(
            q is not p and inside(p.box, q.box) > NESTED and (p.score or 0.0) < (q.score or 0.0)
            for q in found
        )
    ]
    said = count_people([t.name for t in people])
    # among equally weak persons the smallest first, so that the given order does not matter
    weakest = sorted(
        persons, key=lambda p: (1.0 if p.score is None else p.score, p.box.area, p.box.as_list())
    )
    while said and len(persons) > said and weakest[0].score is not None and weakest[0].score < WEAK_BOX:
        persons.remove(weakest.pop(0))
    if not persons:
        return [], because(no.NOBODY)
    most = min(MAX_PERSONS, len(rules.letters))
    if len(persons) > most:
        return [], because(no.TOO_MANY, persons=len(persons), letters=most)
    persons = left_to_right(persons)
    for i, p in enumerate(persons):
        which = _ordinal(i, len(persons))
        if min(p.box.width, p.box.height) < FEWEST_PIXELS:
            return [], because(no.FEW_PIXELS, who=which, pixels=FEWEST_PIXELS)
        share = p.box.area / max(q.box.area for q in persons)
        if share < rules.smallest:
            return [], because(no.TOO_SMALL, who=which, share=share)
        for j, q in enumerate(persons[:i]):
            overlap = iou(p.box, q.box)
            if overlap > rules.max_overlap:
                other = _ordinal(j, len(persons))
                return [], because(no.OVERLAP, other=other, who=which, share=overlap)
    return persons, None


def _divide(
    tags: Sequence[Tag], persons: Sequence[Person], scores: Sequence[Mapping[str, float]], rules: Rules
) -> tuple[dict[str, set[int]], dict[str, str]]:
    """Tag name → the places of the persons who have it, and why."""
    in_picture = {t.name for t in tags}
    named = [t for t in tags if _may_be_a_persons(t, rules)]
    named += [t for p in persons for t in p.tags if _may_be_a_persons(t, rules)]
    holders: dict[str, set[int]] = {}
    why: dict[str, str] = {}
    for name in dict.fromkeys(t.name for t in named):
        if len(persons) == 1:
            # no other person could have the tag
            if name in in_picture:
                holders[name], why[name] = {0}, "there is one person"
            continue
        limit = rules.threshold(name)
        if name not in in_picture:
            limit = max(limit, NEW)
        each = [s.get(name, 0.0) for s in scores]
        best = max(each)
        who = {i for i, s in enumerate(each) if s >= limit}
        sure = {i for i in who if each[i] >= SURE or _logit(best) - _logit(each[i]) <= DWARFED}
        if sure:
            holders[name] = sure
            why[name] = "sure on the cut-out" if sure == who else "far surer on one than on another"
        elif name in in_picture:
            second = sorted(each)[-2]
            if best >= UNSURE * limit and _logit(best) - _logit(second) >= STANDS_OUT:
                holders[name], why[name] = {each.index(best)}, "unsure, but one stands out"
            else:
                why[name] = "nobody stands out: it stays the picture's"
    return holders, why


def _settle(
    holders: dict[str, set[int]], scores: Sequence[Mapping[str, float]], why: dict[str, str]
) -> dict[str, str]:
    """Remove from each person the tags that a better tag contradicts; return the tags that no person has any more."""
    ruled_out: dict[str, str] = {}
    for i, own in enumerate(scores):
        has = {n: own.get(n, 0.0) for n, who in holders.items() if i in who}
        for name, better in contradicted(has).items():
            holders[name].discard(i)
            why[name] = f"{better.replace('_', ' ')} is likelier on the same person"
            if not holders[name]:
                ruled_out[name] = better
    for name in ruled_out:
        del holders[name]
    return ruled_out


def _may_be_a_persons(tag: Tag, rules: Rules) -> bool:
    if tag.category is Category.CHARACTER:
        return rules.characters
    if tag.category is not Category.GENERAL or is_people(tag.name):
        return False
    return rules.everything or describes_a_person(tag.name)


def _as_given(tags: Sequence[Tag], people: Sequence[Tag], found: Sequence[Person]) -> Separation:
    persons = tuple(p for p in found if p.letter)
    names = {t.name for t in tags}
    return Separation(
        persons=persons,
        people=tuple(people),
        taken=frozenset(t.name for p in persons for t in p.tags if t.name in names),
        indexes=tuple(_place(p, found) for p in persons),
    )


def _place(person: Person, found: Sequence[Person]) -> int:
    return next(i for i, p in enumerate(found) if p.box == person.box)


def _logit(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))


def _ordinal(place: int, of: int) -> str:
    """How a person is called in a sentence."""
    if of == 1:
        return "person"
    return f"{('first', 'second', 'third', 'fourth', 'fifth')[place]} person from the left"
