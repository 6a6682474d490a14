"""How often what the sketch expander writes could be a drawn scene."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lib_extend.models.expanders.expander_options import ExpanderOptions, ExpanderPlace
from lib_extend.models.family import families
from lib_extend.prompt_expansion import Given, Length, Sampling, Wish
from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.expander_data import general_tags
from lib_extend.sketch.scene_layout import random_scene
from lib_extend.sketch.scenes import people_tags, scene_rng
from lib_extend.vocabulary.people_tags import count_people

PROMPTS, DRAFTS = 60, 5


@dataclass(frozen=True)
class Possible:
    """`share` of the drafts, in 0…1, could be a scene."""

    drafts: int
    share: float


def possible_scenes(model: Path, prompts: int = PROMPTS, drafts: int = DRAFTS) -> Possible:
    """Expand the people and one to three tags of scenes of unseen seeds."""
    expander = families("expanders")["tipo"].load(ExpanderPlace(model), ExpanderOptions("cpu", "sketch"))
    good = 0
    for index in range(prompts):
        rng = scene_rng("eval/expander", 1, index)
        scene = random_scene(rng, (1, 2), 0.1)
        people = people_tags([p.gender for p in scene.persons])
        given = Given(people=tuple(people), general=tuple(_some(general_tags(scene), rng)))
        wish = Wish(given, Length.VERY_SHORT, sampling=Sampling(seed=index), drafts=drafts)
        good += sum(not contradictions([*given.tags, *d.tags]) for d in expander.expand(wish))
    return Possible(prompts * drafts, good / (prompts * drafts))


def _some(tags: list[str], rng: random.Random) -> list[str]:
    return rng.sample(tags, min(len(tags), rng.randint(1, 3)))


def contradictions(tags: Iterable[str]) -> list[str]:
    """What keeps tags from being one scene, a sentence each: words that no scene has, two counts of one thing, …"""
    there = set(tags)
    found = [f"{t} is no tag of a scene" for t in sorted(there - _ALL)]
    people = there & set(words.PEOPLE_TAGS)
    persons = count_people(people)
    if "solo" in there and persons != 1:
        found.append("solo beside several people")
    for gender in ("girl", "boy"):
        counts = [t for t in people if t[0].isdigit() and gender in t]
        if len(counts) > 1:
            found.append(f"two counts of {gender}s")
    for kind in words.OBJECTS:
        for what, names in (("counts", _COUNTS[kind]), ("colors", _COLORS[kind])):
            if len(there & names) > 1:
                found.append(f"two {what} of {kind}")
    places = there & {"indoors", "outdoors", "simple_background"}
    if len(places) > 1:
        found.append("two places")
    for what, names in (
        ("hair colors", {f"{c}_hair" for c in words.HAIR_COLORS}),
        ("eye colors", {f"{c}_eyes" for c in words.EYE_COLORS}),
        ("lengths of hair", {"short_hair", "long_hair"}),
        ("floors", _FLOORS),
        ("doors", _DOORS),
    ):
        most = 1 if what in ("floors", "doors") else max(1, persons)
        if len(there & names) > most:
            found.append(f"too many {what}")
    return found


_COUNTS = {
    k: {f"1_{k}", *(f"{n}_{words.plural(k)}" for n in range(2, words.MAX_COUNT + 1))} for k in words.OBJECTS
}
_COLORS = {k: {f"{c}_{k}" for c in words.COLORS} for k in words.OBJECTS}
_FLOORS = {f"{f}_floor" for f in words.FLOORS}
_DOORS = {f"{c}_door" for c in words.COLORS}
_ALL = {
    *words.TAGS,
    *words.MASCOTS,
    *_FLOORS,
    *_DOORS,
    *(n for names in (*_COUNTS.values(), *_COLORS.values()) for n in names),
}
