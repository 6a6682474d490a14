"""Tags with the letter of the person whose they are: `α black hair`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib_extend.captions.lists import rewritten, unique, without
from lib_extend.captions.style_table import style_of
from lib_extend.captions.thresholds import Thresholds, limit_of
from lib_extend.config import TagConfig
from lib_extend.people.geometry import position_words
from lib_extend.people.separating import Rules, Separation, separate
from lib_extend.records import Analysis, Answer, Drop, Person, Source, Tag
from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.tag_names import canonical, key, written

FAINT = 0.1
"""Tags of a cut-out below this score decide nothing."""


@dataclass(frozen=True)
class Lettered:
    """A picture's tags with those of its persons lettered, and how it came about."""

    tags: list[Tag]
    separation: Separation


def writes_letters(config: TagConfig) -> bool:
    """Whether captions of these settings have letters."""
    return config.people and style_of(config.format).lettered


def lettered(
    tags: Sequence[Tag],
    by_hand: Sequence[Tag],
    analysis: Analysis,
    config: TagConfig,
    own: Thresholds,
    removed: set[str],
    dropped: list[Drop],
) -> Lettered:
    """`tags`, what belongs to one person replaced by that person's lettered tags.

    Args:
        tags: the picture's own, as they would be written. by_hand: a person's tags of it.
        own: the tagger's thresholds.
        removed: keys of tags that a person took out, with or without a letter.
        dropped: what is left out is added here.
    """
    persons = [_rewritten(p, config) for p in analysis.persons]
    said = [t for t in by_hand if is_people(t.name)]
    whole = [*said, *(t for t in tags if not (said and is_people(t.name)))]
    separation = separate(whole, analysis.tags, persons, rules(config, own))
    if separation.reason:
        return Lettered(list(tags), separation)
    separation = _with_answers(separation, analysis.answers, config)
    style = style_of(config.format)
    if not writes_letters(config) or (style.structured and len(separation.persons) == 1):
        return Lettered(list(tags), separation)
    rest = []
    for tag in tags:
        if tag.name in separation.ruled_out:
            better = separation.ruled_out[tag.name]
            reason = f"{written(better)} is likelier on each person"
            dropped.append(Drop(tag.name, reason, "likelier_on_each", {"by": better}))
        elif tag.name not in separation.taken and not (separation.recounted and is_people(tag.name)):
            rest.append(tag)
    if separation.recounted:
        rest += without(separation.people, removed, dropped)
    there = {key(t.name) for t in rest}
    rest += [t for t in without(separation.shared, removed, dropped) if key(t.name) not in there]
    return Lettered([*rest, *_with_letters(separation, config, removed, dropped)], separation)


def rules(config: TagConfig, own: Thresholds) -> Rules:
    """The settings as the separation needs them."""

    def threshold(name: str) -> float:
        if config.person_tag_threshold is not None:
            return config.person_tag_threshold
        return limit_of(name, config, own)

    return Rules(
        threshold=threshold,
        letters=config.letters,
        everything=config.person_tags == "any",
        shared=config.shared_tags,
        characters=config.pair_characters,
        max_overlap=config.person_max_overlap,
        smallest=config.person_min_size,
        fewest=config.person_min_tags,
    )


def letter_name(letter: str, name: str, config: TagConfig) -> str:
    """The canonical name of a tag with its letter: `α_black_hair`."""
    return canonical(f"{letter}{config.letter_separator}{written(name)}")


def _with_letters(
    separation: Separation, config: TagConfig, removed: set[str], dropped: list[Drop]
) -> list[Tag]:
    told = config.positions and not style_of(config.format).structured
    words = position_words(len(separation.persons)) if told else ("",) * len(separation.persons)
    result = []
    for person, word in zip(separation.persons, words, strict=True):
        position = [Tag(word, source=Source.PERSON)] if word else []
        for tag in without([*person.tags, *position], removed, dropped):
            name = letter_name(person.letter, tag.name, config)
            result.append(replace(tag, name=name, source=Source.PERSON))
    return unique(without(result, removed, dropped), set())


def _rewritten(person: Person, config: TagConfig) -> Person:
    """The person with the user's exclusions and replacements applied to its tags."""
    if person.locked:
        return person
    clear = [t for t in person.tags if t.score is None or t.score >= FAINT]
    return replace(person, tags=tuple(t for _, t in rewritten(clear, config, [])))


def _with_answers(separation: Separation, answers: Sequence[Answer], config: TagConfig) -> Separation:
    """The persons with what questions about them alone found."""
    told: dict[int, list[Tag]] = {}
    for a in answers:
        if a.person and a.tag and (a.probability is None or a.probability >= config.answer_threshold):
            told.setdefault(a.person - 1, []).append(Tag(a.tag, score=a.probability, source=Source.PERSON))
    if not told:
        return separation
    persons = []
    for person, index in zip(separation.persons, separation.indexes, strict=True):
        has = {t.name for t in person.tags} | {t.name for t in separation.shared}
        new = [t for _, t in rewritten(told.get(index, []), config, []) if t.name not in has]
        persons.append(person if person.locked else replace(person, tags=(*person.tags, *new)))
    return replace(separation, persons=tuple(persons))
