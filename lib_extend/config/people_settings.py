"""How persons are found and told apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lib_extend.config.setting import setting

_s = partial(setting, group="people")

LETTERS = ("α", "β", "γ", "δ", "ε")
"""What persons and characters are called from left to right, as the published LoRAs were trained; at most so many."""
PERSON_TAGS = ("describing", "any")
SHARED_TAGS = ("once", "each")


@dataclass(frozen=True)
class PeopleSettings:
    """How persons are found and told apart."""

    people: bool = _s(
        False,
        "find the persons, tag each alone and say whose tag is whose (see --format greek)",
        label="Say whose tag is whose",
    )
    detector: str = _s(
        "auto",
        "person detector: a name from `prompt-extend models`, a folder with an ONNX model, or auto "
        "(`sketch` with the sketch tagger, else anime-person)",
        metavar="NAME",
        label="Person detector",
    )
    person_threshold: float | None = _s(
        None,
        "score a person needs (default: the detector's own)",
        low=0.01,
        high=1.0,
        label="Person score",
    )
    person_tag_threshold: float | None = _s(
        None,
        "score a tag needs on a person's cut-out (default: the same as on the whole picture)",
        low=0.0,
        high=1.0,
        recompose=True,
        label="Tag score on a person",
    )
    person_tags: str = _s(
        "describing",
        "which tags may be a person's: describing (hair, eyes, clothes, pose, expression) or any",
        choices=PERSON_TAGS,
        recompose=True,
        label="Tags of a person",
    )
    person_min_tags: int = _s(
        2,
        "tags each person needs, else the picture is not separated",
        low=0,
        high=100,
        recompose=True,
        label="Tags a person needs",
    )
    person_max_overlap: float = _s(
        0.6,
        "largest overlap of two persons (intersection over union) in a picture that is separated",
        low=0.0,
        high=1.0,
        recompose=True,
        label="Largest overlap",
    )
    person_min_size: float = _s(
        0.05,
        "least area of a person as a share of the largest person's",
        low=0.0,
        high=1.0,
        recompose=True,
        label="Smallest person",
    )
    shared_tags: str = _s(
        "once",
        "tags that all persons have: once without a letter, or each with every letter",
        choices=SHARED_TAGS,
        recompose=True,
        label="Tags all persons have",
    )
    letters: tuple[str, ...] = _s(
        LETTERS,
        "what persons are called, from left to right",
        metavar="LIST",
        recompose=True,
        label="Letters",
    )
    letter_separator: str = _s(
        " ",
        "text between a letter and its tag",
        recompose=True,
        label="Between letter and tag",
    )
    pair_characters: bool = _s(
        False,
        "give a named character to the person on whose cut-out the tagger names it",
        recompose=True,
        label="Pair named characters",
    )
    positions: bool = _s(
        False,
        "write where each person is (α on the left)",
        recompose=True,
        label="Write positions",
    )
