"""What the sketch vision-language model is asked and should answer, from a picture's truth.

The first phrasing of each kind is, word for word, the template of the built-in question (a test compares
them); the others are there so that a user's own wording is understood as well.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.sketch import vocabulary as words
from lib_extend.vocabulary.objects import FLOORS, FURNITURE

COUNTS = tuple(str(n) for n in range(10))
COLORS = (*words.COLORS, "orange", "pink", "gray", "none")
YES_NO = ("yes", "no")
MATERIALS = (*FLOORS, "none")

UNDRAWN = (
    "bag", "bench", "bird", "boat", "bottle", "bow", "bowl", "bus", "camera", "car", "cat", "clock", "dog",
    "fan", "fish", "flower", "fork", "guitar", "gun", "knife", "mirror", "painting", "phone", "pillow",
    "plate", "rug", "ship", "spoon", "star", "sword", "teapot", "train", "umbrella", "vase",
)  # fmt: skip
"""Things that no scene has: asked about now and then, so that "none of that" is learned as well."""

TAUGHT = frozenset({*words.OBJECTS, *FURNITURE, *UNDRAWN, "door", "floor"})
"""The things that the model is asked about while it is trained: of others (windows, clouds, clothes) it knows nothing."""

TEMPLATES: dict[str, tuple[str, ...]] = {
    "count": (
        "How many {objects} are in the image? Answer with one number.",
        "How many {objects} are there?",
        "How many {objects} can you see in this picture? Answer with a number.",
        "Count the {objects}.",
        "What is the number of {objects} in the image? Answer with one number.",
    ),
    "color": (
        "What color is the {object} in the image? Answer with one color.",
        "What color is the {object}?",
        "What is the color of the {object} in this picture? Answer with one word.",
        "Name the color of the {objects}.",
    ),
    "present": (
        "Is there a {object} in the image? Answer yes or no.",
        "Is there a {object}?",
        "Can you see a {object} in this picture? Answer with yes or no.",
        "Are there any {objects} in the image? Answer yes or no.",
    ),
    "floor": (
        "Is the floor visible in the image? Answer yes or no.",
        "Is the floor visible?",
        "Can you see the floor in this picture? Answer with yes or no.",
    ),
    "material": (
        "What is the floor made of? Answer with one material.",
        "What is the floor made of?",
        "What material is the floor in this picture? Answer with one word.",
    ),
    "door": (
        "Is there a door in the image? Answer yes or no.",
        "Is there a door?",
        "Can you see a door in this picture? Answer with yes or no.",
    ),
}

CHOICES: dict[str, tuple[str, ...]] = {
    "count": COUNTS,
    "color": COLORS,
    "present": YES_NO,
    "floor": YES_NO,
    "material": MATERIALS,
    "door": YES_NO,
}
"""The allowed answers of each kind."""


@dataclass(frozen=True)
class Asking:
    """One question with its right answer. `kind` is a key of `TEMPLATES`."""

    kind: str
    object: str
    text: str
    answer: str


def plural(name: str) -> str:
    """The English plural of any name used here."""
    if name.endswith(("s", "sh", "ch", "x")) and name != "curtains":
        return name + "es"
    if name == "knife":
        return "knives"
    if name in ("fish", "curtains"):
        return name
    return words.plural(name)


def phrase(kind: str, name: str, rng: random.Random | None = None) -> str:
    """The question in its built-in phrasing, or in one of chance (two in three are built-in)."""
    templates = TEMPLATES[kind]
    template = templates[0]
    if rng is not None and rng.random() > 0.66:
        template = rng.choice(templates[1:])
    return template.format(object=name.replace("_", " "), objects=plural(name).replace("_", " "))


def facts(truth: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(kind, object, answer) of everything that is in the picture: what the pipeline would ask."""
    for name, count in truth["counts"].items():
        yield "count", name, str(count)
    for name, color in truth["colors"].items():
        yield "color", name, color
    for name in FURNITURE:
        if name in truth["counts"]:
            yield "present", name, "yes"
    yield "floor", "floor", "yes" if truth["floor"] else "no"
    if truth["floor"]:
        yield "material", "floor", truth["floor"]
    yield "door", "door", "yes" if truth["door"] else "no"
    if truth["door"]:
        yield "color", "door", truth["door"]


def absences(truth: Mapping[str, Any], rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """(kind, object, answer) of a few things that are not in the picture."""
    absent = [k for k in words.OBJECTS if k not in truth["counts"]]
    lacking = [k for k in FURNITURE if k not in truth["counts"]]
    for name in rng.sample(absent, 2):
        yield "count", name, "0"
    yield "color", rng.choice(absent), "none"
    for name in rng.sample(lacking, 2):
        yield "present", name, "no"
    extra = rng.random()
    if extra < 0.15:
        yield "count", rng.choice(UNDRAWN), "0"
    elif extra < 0.3:
        yield "present", rng.choice(UNDRAWN), "no"
    elif extra < 0.4:
        yield "color", rng.choice(UNDRAWN), "none"
    if not truth["door"] and rng.random() < 0.15:
        yield "color", "door", "none"
    if not truth["floor"] and rng.random() < 0.15:
        yield "material", "floor", "none"


def lessons(truth: Mapping[str, Any], rng: random.Random, most: int) -> list[Asking]:
    """At most `most` questions with answers about one picture, for training, in an order of chance."""
    asked = [*facts(truth), *absences(truth, rng)]
    small = [k for k in truth["counts"] if k not in FURNITURE]
    if small and rng.random() < 0.4:
        asked.append(("present", rng.choice(small), "yes"))
    # People are asked about too, for questions of the user's own.
    if rng.random() < 0.5:
        tags = set(truth["tags"])
        kind = rng.choice(("girl", "boy"))
        found = [n for n in range(1, 6) if f"{n}{kind}{'s' if n > 1 else ''}" in tags]
        asked.append(("count", kind, str(found[0] if found else 0)))
    rng.shuffle(asked)
    return [Asking(k, n, phrase(k, n, rng), a) for k, n, a in asked[:most]]


def examination(truth: Mapping[str, Any], rng: random.Random) -> list[Asking]:
    """Questions in the built-in phrasing for measuring: all that is there, and what is not.

    All eleven kinds of furniture are asked about, as the pipeline does; one absent object is counted
    and one is asked for its color.
    """
    asked = [f for f in facts(truth) if f[0] != "present"]
    asked += [("present", f, "yes" if f in truth["counts"] else "no") for f in FURNITURE]
    absent = [k for k in words.OBJECTS if k not in truth["counts"]]
    asked += [("count", rng.choice(absent), "0"), ("color", rng.choice(absent), "none")]
    return [Asking(k, n, phrase(k, n), a) for k, n, a in asked]


def corpus() -> Iterator[str]:
    """Every question there is, for the tokenizer."""
    names: Sequence[str] = (*words.OBJECTS, *FURNITURE, *UNDRAWN, "door", "floor", "girl", "boy")
    for kind, templates in TEMPLATES.items():
        for name in names:
            for template in templates:
                if kind in ("count", "color", "present") or name == "door":
                    yield template.format(object=name, objects=plural(name))


def answer_words() -> tuple[str, ...]:
    """Every answer, each once."""
    return tuple(dict.fromkeys(a for answers in CHOICES.values() for a in answers))
