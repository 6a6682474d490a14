"""What a vision-language model is asked, and how sure its answers must be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lib_extend.config.setting import setting

_s = partial(setting, group="questions")


@dataclass(frozen=True)
class QuestionSettings:
    """What a vision-language model is asked, and how sure its answers must be."""

    ask: tuple[str, ...] = _s(
        ("count", "color", "furniture", "floor", "door"),
        "questions to ask, separated by commas",
        metavar="LIST",
        label="Questions",
    )
    question: tuple[str, ...] = _s(
        (),
        'a question of your own: "What season is it? [spring, summer, autumn, winter]", "Is it raining? [yes] -> rain"',
        metavar="TEXT",
        label="Questions of your own",
    )
    question_file: tuple[str, ...] = _s(
        (),
        "TOML file with questions of your own",
        metavar="FILE",
        label="Question files",
    )
    question_threshold: float = _s(
        0.35,
        "score a tag needs for questions to be asked about it",
        low=0.0,
        high=1.0,
        label="Ask about tags above",
    )
    answer_threshold: float = _s(
        0.5,
        "probability an answer needs to become a tag; below it the answer is unsure and not written",
        low=0.0,
        high=1.0,
        recompose=True,
        label="Accept answers above",
    )
    max_pixels: int = _s(
        1_048_576,
        "pixels of an image sent to the vision-language model, at the most",
        low=3136,
        high=67_108_864,
        label="Pixels a question sees",
    )
