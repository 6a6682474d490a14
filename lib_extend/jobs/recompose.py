"""One image's caption as other settings would write it, from what is stored: no model runs and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from lib_extend.captions.composing import Existing
from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import Recipe
from lib_extend.datasets.state import State
from lib_extend.errors import UserError
from lib_extend.files.caption_forms import find
from lib_extend.files.scan import Found, show
from lib_extend.jobs.captioning import Captioner, existing_caption, keys_for
from lib_extend.records import Analysis, Caption


@dataclass(frozen=True)
class Recomposed:
    """What would be written.

    Attributes:
        before: the caption that is there, None without one. missing: what the models have not said yet about this
            image ("tags", "answers", "persons"): the caption is without it.
    """

    caption: Caption
    analysis: Analysis
    before: str | None
    missing: tuple[str, ...]


def recompose(dataset: Dataset, name: str, config: TagConfig) -> Recomposed:
    """The caption of the image `name` of the dataset under `config`. Takes some milliseconds.

    Raises:
        UserError: no such image, or it was never analysed with these models.
        ImageError: its present caption cannot be read.
    """
    try:
        stat = (dataset.root / name).stat()
    except OSError:
        raise UserError(f"There is no image {show(name)} in {show(str(dataset.root))}.") from None
    if not dataset.has_state:
        raise _never(name)
    found = Found(name, stat.st_size, stat.st_mtime_ns, caption=find(dataset.root, name))
    with dataset.state() as state:
        recipe = Recipe.of(config).known_in(state)
        state.encodings.choose(config.caption_encoding)
        existing = existing_caption(state, found, config)
        missing = _missing(state, recipe, found, existing)
        if len(missing) == len(recipe.parts):
            raise _never(name)
        captioner = Captioner(state, recipe)
        analysis = captioner.stored(found, existing)
        caption = captioner.caption(found, analysis, existing)
        return Recomposed(caption, analysis, existing.text if existing else None, missing)


def _missing(state: State, recipe: Recipe, found: Found, existing: Existing | None) -> tuple[str, ...]:
    keys = keys_for(recipe, existing)
    return tuple(part for part, key in keys.items() if not key or state.part(found, part, key) is None)


def _never(name: str) -> UserError:
    return UserError(
        f"{show(name)} was not analysed with these models and questions yet: tag it or preview it first."
    )
