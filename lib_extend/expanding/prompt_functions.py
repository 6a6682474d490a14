"""Expanding as plain functions, for programs that bring their own loop.

from lib_extend.expanding.prompt_functions import expand_tags, load_expander

expander = load_expander("tipo-200m-ft2")
drafts = expand_tags("1girl, cake", expander=expander, target="short", ban=["*_hair"], seed=4, drafts=8)
drafts[0].tags, drafts[0].text
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from lib_extend.errors import UserError
from lib_extend.expanding.expansion_request import ExpandedPrompt, Grow, Request, check, expanded
from lib_extend.prompt_expansion import DEFAULT_EXPANDER, SEEDS, About, Length, Sampling, Wanted
from lib_extend.records import Category

if TYPE_CHECKING:
    from lib_extend.models.expanders.expander_options import Expander

_OWN = Sampling()
_Choice = TypeVar("_Choice", bound=Enum)


def load_expander(
    spec: str = DEFAULT_EXPANDER, *, device: str = "auto", offline: bool = False, models_dir: str = ""
) -> Expander:
    """An expander by name, folder, `.gguf` file or server address, as `--expander` takes it.

    Raises:
        UserError: there is no such expander. ModelError: it cannot be downloaded or loaded.
    """
    from lib_extend.models.model_loading import load_expander as load

    return load(spec, device=device, offline=offline, models_dir=models_dir)


def expand_tags(
    prompt: str | Sequence[str],
    *,
    expander: Expander,
    target: str = Length.LONG.value,
    to: str = Wanted.TAGS.value,
    ban: Sequence[str] = (),
    force: Sequence[str] = (),
    rating: str = "",
    aspect: float | None = None,
    characters: Sequence[str] = (),
    told: Sequence[str] = (),
    about: str = About.PICTURE.value,
    others: Sequence[str] = (),
    categories: Mapping[str, Category] | None = None,
    task: str = "",
    seed: int | None = None,
    drafts: int = 1,
    temperature: float = _OWN.temperature,
    top_p: float = _OWN.top_p,
    top_k: int = _OWN.top_k,
    min_p: float = _OWN.min_p,
    tell: Grow = lambda number, draft, done: None,
) -> list[ExpandedPrompt]:
    """Drafts of a prompt with more tags, or prose, behind it.

    Args:
        prompt: as it is written, or a list of tags. expander: from `load_expander`.
        target: very_short, short, long or very_long. to: tags, prose or both.
        ban: what must not be written: names, wildcards, `/regular expressions/`. force: tags that every draft has.
        aspect: width / height. characters, told: who and what is in the picture, though not in the prompt.
        about: picture, person or scene. others: further prompts of the same picture, which nothing may contradict.
        categories: by canonical name, which names of the prompt are characters, series, artists.
        task: one of TIPO's; "" for what fits. seed: the same gives the same drafts; None for any.
        tell: called as `tell(number, draft, done)` while drafts grow.

    Raises:
        UserError: a value out of its range, a damaged ban. ModelError: the prompt is too long, or the expander cannot do it.
    """
    request = Request(
        expander.name,
        prompt if isinstance(prompt, str) else ", ".join(prompt),
        _choice(Length, target, "target"),
        _choice(Wanted, to, "to"),
        rating=rating,
        aspect=aspect,
        characters=tuple(characters),
        ban=tuple(ban),
        drafts=drafts,
        sampling=Sampling(
            temperature, top_p, top_k, min_p, random.randrange(SEEDS) if seed is None else seed
        ),
        force=tuple(force),
        told=tuple(told),
        about=_choice(About, about, "about"),
        others=tuple(others),
        categories=dict(categories or {}),
        task=task,
    )
    check(request)
    return expanded(expander, request, tell)


def _choice(of: type[_Choice], value: str, name: str) -> _Choice:
    try:
        return of(value)
    except ValueError:
        choices = ", ".join(str(c.value) for c in of)
        raise UserError(f"{name} must be one of {choices}, not {value!r}.", field=name) from None
