"""What each image of a run still needs from the models; what is stored and current is not made twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib_extend.config import TagConfig
from lib_extend.datasets.recipe import ANSWERS, PERSONS, TAGS, Recipe
from lib_extend.datasets.state import State
from lib_extend.datasets.state_values import stored
from lib_extend.errors import ImageError
from lib_extend.files.scan import Found
from lib_extend.jobs.captioning import existing_caption, tags_to_ask_about
from lib_extend.parts.part_table import parts
from lib_extend.questions.asking import of_persons
from lib_extend.records import Person, Tag


@dataclass(frozen=True)
class Need:
    """What one image still needs from the models."""

    found: Found
    tags: bool
    answers: bool
    known: Sequence[Tag] = ()
    answers_key: str = ""
    persons: bool = False
    known_persons: Sequence[Person] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts that it needs."""
        wanted = ((TAGS, self.tags), (ANSWERS, self.answers), (PERSONS, self.persons))
        return tuple(name for name, needed in wanted if needed)

    @property
    def sent(self) -> dict[str, Sequence[Tag] | Sequence[Person]]:
        """What is known already, for those that need it, by the parts' names."""
        known = ((TAGS, self.known), (PERSONS, self.known_persons))
        return {name: value for name, value in known if value}

    @property
    def nothing(self) -> bool:
        return not self.parts


def needs_of(state: State, recipe: Recipe, found: Sequence[Found]) -> list[Need]:
    """What each image needs; everything when the models' keys are not known yet."""
    models, people = recipe.models, recipe.config.people
    ask = bool(recipe.questions)
    has_tags = state.analysed(TAGS, models.tagger) if models.tagger else {}
    shared_key = ""
    has_answers: dict[str, tuple[int, int]] = {}
    if ask and models.known and models.tagger:
        shared_key = recipe.answers_key
        has_answers = state.analysed(ANSWERS, shared_key)
    has_persons: dict[str, tuple[int, int]] = {}
    if people and models.known:
        has_persons = state.analysed(PERSONS, recipe.persons_key)
    needs = []
    for f in found:
        stamp = (f.size, f.mtime_ns)
        tags = models.tagger is None or (models.tagger != "" and has_tags.get(f.name) != stamp)
        known: Sequence[Tag] = ()
        key = shared_key
        answers = ask
        if ask and models.known and models.tagger:
            answers = has_answers.get(f.name) != stamp
            if answers and not tags:
                known = _stored_tags(state, f, models.tagger)
        elif ask and models.tagger == "":
            known = _caption_tags(state, f, recipe.config)
            if models.known:
                key = recipe.answers_key_of(known)
                answers = state.part(f, ANSWERS, key) is None
        persons = people and has_persons.get(f.name) != stamp
        there: Sequence[Person] = ()
        if answers and people and not persons and of_persons(recipe.questions):
            there = stored_persons(state, f, recipe.persons_key)
        needs.append(Need(f, tags, answers, known, key, persons, there))
    return needs


def stored_persons(state: State, found: Found, key: str) -> Sequence[Person]:
    """The persons of an image as the models found them."""
    part = state.part(found, PERSONS, key)
    return stored(parts()[PERSONS].from_json, part.payload) if part else ()


def _stored_tags(state: State, found: Found, key: str) -> Sequence[Tag]:
    part = state.part(found, TAGS, key)
    return stored(parts()[TAGS].from_json, part.payload) if part else ()


def _caption_tags(state: State, found: Found, config: TagConfig) -> tuple[Tag, ...]:
    """The tags that an image's caption has, where there is no tagger to give any."""
    try:
        existing = existing_caption(state, found, config)
    except ImageError:
        return ()  # reported with its reason when the caption is composed
    return tags_to_ask_about(existing) if existing else ()
