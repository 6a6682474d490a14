"""The built-in questions: counting, coloring, furniture, floor and door, and the clothes of each person.

The rules follow the reference system (see `docs/captions.md`). The built-in sketch model was trained on these
templates: whoever changes a word here must run `sketch train`.
"""

from __future__ import annotations

from lib_extend.questions.question import Kind, Question
from lib_extend.vocabulary.colors import PLAIN
from lib_extend.vocabulary.objects import COLORABLE, COUNTABLE, FLOORS, FURNITURE, GARMENTS

BUILTIN: tuple[Question, ...] = (
    Question(
        name="count",
        kind=Kind.COUNT,
        each=COUNTABLE,
        ask="How many {objects} are in the image? Answer with one number.",
        tag="{answer}_{objects}",
    ),
    Question(
        name="furniture",
        kind=Kind.SOME_OF,
        answers=FURNITURE,
        ask="Is there a {answer} in the image? Answer yes or no.",
        tag="{answer}",
    ),
    Question(
        name="color",
        kind=Kind.COLOR,
        each=COLORABLE,
        each_answer=("furniture", "door"),
        ask="What color is the {object} in the image? Answer with one color.",
        tag="{answer}_{object}",
    ),
    Question(
        name="floor",
        kind=Kind.YES_NO,
        when=("indoors",),
        ask="Is the floor visible in the image? Answer yes or no.",
    ),
    Question(
        name="floor_material",
        group="floor",
        kind=Kind.ONE_OF,
        after="floor",
        answers=FLOORS,
        plain=("carpet",),
        ask="What is the floor made of? Answer with one material.",
        tag="{answer}_floor",
    ),
    Question(
        name="door",
        kind=Kind.YES_NO,
        when=("indoors",),
        ask="Is there a door in the image? Answer yes or no.",
        tag="door",
    ),
    Question(
        name="clothes",
        kind=Kind.COLOR,
        of_person=True,
        each=GARMENTS,
        unless_any=tuple(f"{color}_{{object}}" for color in PLAIN),
        ask="What color is the {object} of the character in the image? Answer with one color.",
        tag="{answer}_{object}",
    ),
)
