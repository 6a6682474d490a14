"""What an expander is asked for a cast: each text by itself, so that nothing of one character flows into another.

asked = requests_of(cast, main, seed=7)          # of the places that the cast's expansion names
with_added(cast, {one.place: what_was_written})  # the cast with it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lib_extend.generation import syntax
from lib_extend.generation.cast import Cast
from lib_extend.generation.expansion import Added, Expansion
from lib_extend.generation.letters import (
    counts,
    gender,
    genders,
    is_count,
    people_tags,
    says_people,
    stripped,
)
from lib_extend.generation.prompt import read
from lib_extend.generation.syntax import Piece
from lib_extend.prompt_expansion import SEEDS, About
from lib_extend.vocabulary.tag_names import is_sentence

MAIN, SCENE = "prompt", "scene"
"""The places that are no character's; a character's is its number, from `0`."""
_STRIDE = 1_000_003
"""Between the seeds of places, so that no two of a few pictures in a row share one."""
_UNSETTLED = re.compile(r"[{}|]|__[^_\s][^,]*?__|\[.*:.*\]")
"""Wildcards, dynamic prompts, alternations and schedules: they say nothing before they are resolved."""


@dataclass(frozen=True)
class PlaceRequest:
    """What is asked of the expander for one text.

    Attributes:
        place: `prompt`, `scene`, or a character's number from 0.
        text: what the expander reads: who is there, and the user's words without networks, weights and wildcards.
        about: what it may write of. others: what the picture's other texts say; what contradicts them is not written.
        seed: of the first draft. expansion: how it is expanded. kept: what is there already and stays.
    """

    place: str
    text: str
    about: About
    others: tuple[str, ...]
    seed: int
    expansion: Expansion
    kept: Added


def places_of(cast: Cast, chosen: Sequence[str]) -> list[str]:
    """The places of a cast for the names of `expansion.PLACES`."""
    found: list[str] = []
    for name in chosen:
        found += [str(i) for i in range(len(cast.characters))] if name == "characters" else [name]
    return found


def added_at(cast: Cast, place: str) -> Added:
    """What was added at a place."""
    if place == MAIN:
        return cast.main_added
    return cast.scene_added if place == SCENE else cast.characters[int(place)].added


def with_added(cast: Cast, found: Mapping[str, Added]) -> Cast:
    """The cast with these in the place of what was added before."""
    characters = tuple(
        replace(c, added=found[str(i)]) if str(i) in found else c for i, c in enumerate(cast.characters)
    )
    return replace(
        cast,
        characters=characters,
        main_added=found.get(MAIN, cast.main_added),
        scene_added=found.get(SCENE, cast.scene_added),
    )


def as_written(cast: Cast) -> Cast:
    """The cast without what each picture draws anew."""
    expansion = cast.expansion
    if expansion is None or not expansion.at_generation:
        return cast
    return with_added(
        cast, {place: added_at(cast, place).stays for place in places_of(cast, expansion.places)}
    )


def requests_of(cast: Cast, main: str, seed: int, places: Iterable[str]) -> list[PlaceRequest]:
    """One request for each place, in their order. What is locked there stays; all else is drawn anew.

    Args:
        main: the host's own prompt. seed: of the picture, any number.
    """
    expansion = cast.expansion or Expansion()
    people = _People(cast, main)
    result = []
    for n, place in enumerate(places):
        kept = added_at(cast, place).stays
        about, own, others = _reads(cast, main, place, people)
        result.append(
            PlaceRequest(
                place,
                ", ".join([*own, *kept.tags]),
                about,
                tuple(dict.fromkeys(others)),
                (seed + n * _STRIDE) % SEEDS,
                expansion.shorter if about is About.PERSON and len(cast.characters) > 1 else expansion,
                kept,
            )
        )
    return result


class _People:
    """Who is in the picture: `own` what each character is (`1girl`), `all` the people tags of all together."""

    def __init__(self, cast: Cast, main: str) -> None:
        prompts = [[stripped(p) for p in read(c.prompt).pieces] for c in cast.characters]
        elsewhere = [p.text for text in (cast.common, cast.scene, main) for p in read(text).pieces if p.text]
        written = counts(elsewhere)
        known = genders(written, prompts) or [gender(p) for p in prompts]
        kinds = [kind or "girl" for kind in known]
        self.own = tuple(f"1{kind}" for kind in kinds)
        self.all = [t for t in elsewhere if is_count(t)] or people_tags(kinds)


def _reads(cast: Cast, main: str, place: str, people: _People) -> tuple[About, list[str], list[str]]:
    """What the expander may write of at a place, the words it reads, and what the other texts say."""
    shared, own_prompt = _words(cast.common), _words(main)
    scene = [*_words(cast.scene), *cast.scene_added.stays.tags]
    if place not in (MAIN, SCENE):
        own = [w for w in _words(cast.characters[int(place)].prompt) if not says_people(w)]
        return About.PERSON, [people.own[int(place)], "solo", *own], [*shared, *scene, *own_prompt]
    own, others = (own_prompt, scene) if place == MAIN else (scene, own_prompt)
    if len(cast.characters) > 1 or (cast.characters and place == SCENE):
        # what belongs to one of several would be everybody's in a text of the whole picture
        return About.SCENE, [*people.all, *shared, *own], others
    persons = [w for c in cast.characters for w in _words(c.prompt) if not says_people(w)]
    return About.PICTURE, [*people.all, *shared, *persons, *own], others


def _words(text: str) -> list[str]:
    """The tags and sentences of a prompt as an expander reads them: settled, without weights and networks."""
    return [w for piece in read(text).listed if piece.text for w in _settled(stripped(piece))]


def _settled(piece: Piece) -> Iterator[str]:
    group = piece.emphasised
    if group is not None:
        for inner in group.pieces:
            yield from _settled(inner)
        return
    word = piece.text if is_sentence(piece.text) else syntax.bare(piece.text)
    if word and not _UNSETTLED.search(word):
        yield word
