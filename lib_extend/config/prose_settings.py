"""Descriptions in sentences: whether a vision-language model is asked for them, and how they are to be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lib_extend.config.setting import setting

_s = partial(setting, group="prose")

LENGTHS = ("short", "medium", "long")


@dataclass(frozen=True)
class ProseSettings:
    """Descriptions in sentences: whether a vision-language model is asked for them, and how they are to be."""

    prose: bool = _s(
        False,
        "have the vision-language model describe each picture in sentences, checked against what is known of it; the "
        "formats prose, anima, newbie and json write them",
        label="Describe in sentences",
    )
    prose_length: str = _s(
        "medium",
        "how long descriptions are: short (a sentence), medium (a few) or long",
        choices=LENGTHS,
        label="Length of descriptions",
    )
    prose_instruction: str = _s(
        "",
        'what else the model is told, in your words: "Write soberly.", "Do not speak of the art style."',
        metavar="TEXT",
        label="Instruction for descriptions",
    )
    prose_trigger: str = _s(
        "",
        "word that a description must call its subject by",
        metavar="WORD",
        label="Subject's name in descriptions",
    )
    prose_banned: tuple[str, ...] = _s(
        (),
        "words and phrases that a description must not have, separated by commas",
        metavar="LIST",
        label="Banned in descriptions",
    )
