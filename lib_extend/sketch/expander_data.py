"""Texts for the sketch expander: what drawn scenes say, in the formats of TIPO and DanTagGen.

No picture is drawn: a scene's truth is enough.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from lib_extend.models.expanders import dtg_format, tipo_format
from lib_extend.prompt_expansion import Given, Length, Wanted, spoken
from lib_extend.sketch import vocabulary as words
from lib_extend.sketch.scene_layout import random_scene
from lib_extend.sketch.scenes import Character, Scene, people_tags, scene_rng

END = "</s>"
ADDED_TOKENS: tuple[str, ...] = (
    "<|empty|>",
    *(f"<|{length.value}|>" for length in Length),
    *(
        f"<|{task}|>"
        for task in (
            "tag_to_long",
            "long_to_tag",
            "short_to_tag",
            "short_to_long",
            "tag_to_short_to_long",
            "short_to_tag_to_long",
            "short_to_long_to_tag",
            "gen_meta",
        )
    ),
    dtg_format.INPUT_END,
)
"""TIPO's added tokens in their order, then the one that only DanTagGen has."""

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def general_tags(scene: Scene) -> list[str]:
    """All that can be said of a scene in tags, people aside: counts and colors of things too."""
    people = {*words.PEOPLE_TAGS}
    tags = [t for t in scene.tags() if t not in people and t not in words.MASCOTS]
    for kind, count in scene.counts().items():
        tags.append(f"{count}_{words.plural(kind)}" if count > 1 else f"1_{kind}")
    tags += [f"{color}_{kind}" for kind, color in scene.colors().items()]
    tags += [f"{scene.floor}_floor"] if scene.floor else []
    tags += [f"{scene.door}_door"] if scene.door else []
    return tags


def mascots(scene: Scene) -> list[str]:
    """The named characters of a scene."""
    return [p.name for p in scene.persons if p.name]


def sentences(scene: Scene, rng: random.Random) -> list[str]:
    """The scene in plain sentences: its place, each person, each kind of things."""
    place = {"indoors": "in a room", "outdoors": "outdoors"}.get(scene.setting, "before a simple background")
    who = [t for t in people_tags([p.gender for p in scene.persons]) if t[0].isdigit()]
    named = " and ".join(f"{_NUMBERS[int(t[0])]} {t[1:]}" for t in who) or "nobody"
    verb = "is" if len(scene.persons) <= 1 else "are"
    result = [f"There {verb} {named} {place}."]
    for person in scene.persons:
        result.append(_about(person, rng))
    for kind, count in scene.counts().items():
        noun = kind if count == 1 else words.plural(kind)
        result.append(
            f"There {'is' if count == 1 else 'are'} {_NUMBERS[count]} {scene.colors()[kind]} {noun}."
        )
    return result


def _about(person: Character, rng: random.Random) -> str:
    traits = [f"{person.hair_length} {person.hair_color} hair", f"{person.eye_color} eyes"]
    traits += [f"a {color} {kind}" for kind, color in person.clothes if kind != "pants"]
    if rng.random() < 0.5:
        rng.shuffle(traits)
    return f"A {person.gender} has {', '.join(traits[:-1])} and {traits[-1]}."


def texts(seed: int, namespace: str = "train") -> Iterator[str]:
    """Endless training texts, each with the token that ends it."""
    index = 0
    while True:
        rng = scene_rng(f"{namespace}/expander", seed, index)
        index += 1
        scene = random_scene(rng, rng.choice(((1, 1), (1, 2), (1, 3), (0, 4))), 0.1)
        yield _tipo(scene, rng) if rng.random() < 0.7 else _dtg(scene, rng)


def _length(count: int) -> Length:
    for length, below in ((Length.VERY_SHORT, 18), (Length.SHORT, 36), (Length.LONG, 48)):
        if count < below:
            return length
    return Length.VERY_LONG


def _given(scene: Scene, general: Sequence[str], rng: random.Random, prose: str = "") -> Given:
    def some(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(names) if rng.random() < 0.65 else ()

    return Given(
        people=tuple(people_tags([p.gender for p in scene.persons])),
        general=tuple(general),
        characters=tuple(mascots(scene)),
        copyrights=some(["sketch"] if mascots(scene) else []),
        quality=some(["masterpiece"]),
        rating=some(["safe"]),
        aspect=scene.aspect if rng.random() < 0.65 else None,
        prose=prose,
    )


def _tipo(scene: Scene, rng: random.Random) -> str:
    tags = general_tags(scene)
    rng.shuffle(tags)
    given = _given(scene, tags, rng)
    everything = [*given.people, *tags]
    if rng.random() < 0.3:
        rng.shuffle(everything)
    given = Given(**{**given.__dict__, "people": (), "general": tuple(everything)})
    length = _length(len(everything))
    told = sentences(scene, rng)
    kind = rng.choices(
        ("tags", "tag_to_long", "short_to_tag", "long_to_tag", "short_to_long"), (5, 2, 1, 1, 1)
    )[0]
    short = " ".join(told[: rng.randint(1, 2)])
    if kind == "tags":
        return tipo_format.prompt(given, length, Wanted.TAGS).text + END
    if kind == "tag_to_long":
        asked = tipo_format.prompt(given, length, Wanted.PROSE)
        return f"{asked.text} {' '.join(told)}{END}"
    if kind == "short_to_long":
        alone = Given(**{**given.__dict__, "general": (), "prose": short})
        return f"{tipo_format.prompt(alone, length, Wanted.PROSE).text} {' '.join(told)}{END}"
    prose = short if kind == "short_to_tag" else " ".join(told)
    given = Given(**{**given.__dict__, "prose": prose})
    return tipo_format.prompt(given, length, Wanted.TAGS).text + END


def _dtg(scene: Scene, rng: random.Random) -> str:
    tags = general_tags(scene)
    rng.shuffle(tags)
    kept = tags[: rng.randint(0, len(tags) // 2)]
    rest = tags[len(kept) :]
    length = next((x for x in Length if len(tags) <= dtg_format.LEAST[x] * 1.5), Length.VERY_LONG)
    text = dtg_format.prompt(_given(scene, kept, rng), length, quality=False)
    return f"{text}{', '.join(map(spoken, rest))}{END}"
