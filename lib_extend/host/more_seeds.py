"""More seeds of one picture, until every character has its tags."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from lib_extend.generation.panel import MAX_TRIES

ALL = 1.0 - 1e-9
_NESTED = "prompt_extend_try"


def keep_trying(
    p: Any, processed: Any, most: int, scores: Sequence[float], scores_of: Callable[[Any], Sequence[float]]
) -> None:
    """Runs `p` with up to `most` more seeds, one picture each, until one picture has all tags; adds the pictures to
    `processed`.

    Args:
        scores: 0…1 of the pictures that are there. scores_of: the same of a run that is over.
    """
    if vars(p).get(_NESTED) or max(scores, default=0) >= ALL:
        return
    from modules import processing, shared

    seed = max(int(s) for s in p.all_seeds)
    for n in range(1, min(most, MAX_TRIES) + 1):
        if (
            shared.state.interrupted
            or shared.state.skipped
            or getattr(shared.state, "stopping_generation", False)
        ):
            return
        one = _another(p, seed + n)
        shared.state.job_count += 1
        more = processing.process_images(one)
        _join(processed, more)
        if max(scores_of(one), default=0) >= ALL:
            return


def _another(p: Any, seed: int) -> Any:
    one = copy.copy(p)
    vars(one).pop("sample", None)
    setattr(one, _NESTED, True)
    one.seed, one.n_iter, one.batch_size = seed, 1, 1
    one.do_not_save_grid = True
    one.extra_generation_params = dict(p.extra_generation_params)
    one.override_settings = dict(p.override_settings)
    one.styles = list(p.styles or [])
    return one


def _join(processed: Any, more: Any) -> None:
    first = getattr(more, "index_of_first_image", 0)
    processed.images.extend(more.images[first:])
    processed.infotexts.extend(more.infotexts[first:])
    for name in ("all_prompts", "all_negative_prompts", "all_seeds", "all_subseeds"):
        values = getattr(processed, name, None)
        if isinstance(values, list):
            values.extend(getattr(more, name))
