"""The questions as plain functions on pictures and lists of tags, for programs that bring their own loop.

    from lib_extend.analysis.functions import count_objects, load_model

    model = load_model("qwen2-vl-2b")
    count_objects(Image.open("a.png"), ["cake", "indoors"], model=model)   # ["3_cakes"]

`model` is anything with the port `Vlm` (`lib_extend.models.ports`): one of ours from `load_model`, or your own with
a `look(image)` whose `ask(prompts)` gives a `Reply` for each `Prompt`.

The original system's names (物件计数, 物件上色, 发现家具, 发现地板, 发现门) are aliases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib_extend.questions.answer_reading import read
from lib_extend.questions.asking import next_round, select, settle
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.question import Question
from lib_extend.records import Answer
from lib_extend.vocabulary.tag_names import canonical

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Vlm

THRESHOLD = 0.5
INDOORS = "indoors"


def load_model(
    spec: str = "qwen2-vl-2b",
    *,
    device: str = "auto",
    offline: bool = False,
    models_dir: str = "",
    max_pixels: int = 1_048_576,
    vram_limit: float | None = None,
    four_bit: str = "auto",
) -> Vlm:
    """A vision-language model by name, folder, server address or `auto`, as `--vlm` takes it.

    Args:
        vram_limit: GB of the graphics card's memory that it may take; None leaves some to other programs.
        four_bit: weights in 4 bits: "yes", "no", or "auto", where they would not fit otherwise.

    Raises:
        UserError: there is no such model. ModelError: it cannot be downloaded or loaded.
    """
    from lib_extend.models.vlms.loading import load_vlm

    return load_vlm(
        spec,
        device=device,
        offline=offline,
        models_dir=models_dir,
        max_pixels=max_pixels,
        vram_limit=vram_limit,
        four_bit=four_bit,
    )


def ask(
    image: Image.Image, tags: Sequence[str], questions: Sequence[Question], *, model: Vlm
) -> list[Answer]:
    """All answers to `questions` about one upright image of any mode and size, follow-ups included.

    Args:
        tags: what is in the image, with spaces or underscores; they decide what is asked.

    Raises:
        ImageError: the model could not take the image.
    """
    scores = {canonical(t): 1.0 for t in tags}
    answers: list[Answer] = []
    asked = next_round(questions, scores, answers)
    if not asked:
        return answers
    look = model.look(image)
    try:
        while asked:
            replies = iter(look.ask([p for a in asked for p in a.prompts]))
            answers += [read(a, *(next(replies) for _ in a.prompts)) for a in asked]
            asked = next_round(questions, scores, answers)
    finally:
        look.close()
    return answers


def count_objects(
    image: Image.Image, tags: Sequence[str], *, model: Vlm, threshold: float = THRESHOLD
) -> list[str]:
    """Counts of the countable objects among `tags`: `["3_cakes", "2_boxes"]`; from two on."""
    return _tags(ask(image, tags, select(BUILTIN, ["count"]), model=model), threshold)


def color_objects(
    image: Image.Image, tags: Sequence[str], *, model: Vlm, threshold: float = THRESHOLD
) -> list[str]:
    """Colors of the colorable objects among `tags`: `["red_cake"]`."""
    return _tags(ask(image, tags, select(BUILTIN, ["color"]), model=model), threshold)


def find_furniture(
    image: Image.Image, tags: Sequence[str] = (), *, model: Vlm, threshold: float = THRESHOLD
) -> list[str]:
    """The furniture in the image and its colors: `["sofa", "blue_sofa"]`; none that is in `tags` already."""
    known = {canonical(t) for t in tags}
    answers = ask(image, [], select(BUILTIN, ["furniture", "color"]), model=model)
    return [t for t in _tags(answers, threshold) if t not in known]


def find_floor(image: Image.Image, *, model: Vlm, threshold: float = THRESHOLD) -> list[str]:
    """The floor of an indoor picture: `["wooden_floor"]`, `["carpet"]` or nothing."""
    return _tags(ask(image, [INDOORS], select(BUILTIN, ["floor"]), model=model), threshold)


def find_door(image: Image.Image, *, model: Vlm, threshold: float = THRESHOLD) -> list[str]:
    """The door of an indoor picture and its color: `["door", "brown_door"]` or nothing."""
    return _tags(ask(image, [INDOORS], select(BUILTIN, ["door", "color"]), model=model), threshold)


def _tags(answers: Sequence[Answer], threshold: float) -> list[str]:
    """The tags of the answers that are sure enough, each once."""
    sure = [a for a in settle(answers) if a.tag and (a.probability is None or a.probability >= threshold)]
    return list(dict.fromkeys(a.tag for a in sure))


物件计数 = count_objects
物件上色 = color_objects
发现家具 = find_furniture
发现地板 = find_floor
发现门 = find_door
