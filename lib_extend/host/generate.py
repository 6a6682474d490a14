"""The panel's part in one run of the WebUI's `process_images`, in the order of the WebUI's calls.

    before_process        the dict is read; the cast's texts ride in the host's prompt past wildcards and styles
    process               the host's own fields are as they were
    before_process_batch  each picture's prompt is compiled from what has become of the texts
    before_sampling       each sampling pass: regions go into the UNet
    after_sampling        … and out
    postprocess_image     the finished picture is checked, if asked for
    postprocess           more seeds are tried, if asked for

A run stores everything at the processing object `p`. If the panel is off, `p` stays unchanged and nothing is hooked in.
If a request cannot be done, the run fails with a sentence: WebUIs ignore exceptions of a script, so the sampling raises
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lib_extend.errors import PromptExtendError, UserError
from lib_extend.generation import slips
from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.panel import Panel
from lib_extend.generation.value_checks import FieldError
from lib_extend.host import leftovers, more_seeds, regions
from lib_extend.host.run import Helpers, Run

_RUN = "prompt_extend_run"
_UNPROCESSABLE = 422
_open: list[Any] = []
"""The WebUI's scripts of runs that have not come to their end: they may have copies of carrying prompts."""
SECOND = "Prompt Extend: args must be one object, such as [{…}]: put all of them into the first."


def before_process(
    p: Any, value: Any, helpers: Callable[[], Helpers] = Helpers, *, others: Iterable[Any] = ()
) -> None:
    """The first call of a run.

    Args:
        value: the panel's dict, see `generation.panel`. helpers: asked only when the panel is on.
        others: further arguments; there must be none.
    """
    regions.end_all()
    while _open:
        leftovers.clean_scripts(_open.pop())
    vars(p).pop(_RUN, None)
    if getattr(vars(p).get("sample"), "of_prompt_extend", False):
        del p.sample
    if any(other is not None and other != "" for other in others):
        refuse(p, UserError(SECOND))
    else:
        _or_refuse(p, lambda: _begin(p, value, helpers))


def _begin(p: Any, value: Any, helpers: Callable[[], Helpers]) -> None:
    panel = Panel.parse(value)
    if not panel.enabled:
        return
    for slip in slips.find(panel.cast):
        raise slip
    found = helpers()
    run = Run(p, found.overridden(panel, p), found, panel)
    run.carry()
    _open.append(getattr(p, "scripts", None))
    setattr(p, _RUN, run)


def process(p: Any) -> None:
    """The host has made the prompts of all pictures; other extensions may change them."""
    run = run_of(p)
    if run is not None:
        run.restore()


def before_process_batch(p: Any, batch: int) -> None:
    """The prompts of a batch are final, except that they still contain LoRAs."""
    run = run_of(p)
    if run is not None:
        _or_refuse(p, lambda: run.compile(batch))


def before_sampling(p: Any, x: Any) -> None:
    """A sampling pass starts. `x`: its latent (B, C, h, w)."""
    run = run_of(p)
    if run is None:
        return
    try:
        run.begin(x)
    except PromptExtendError as error:
        vars(error).update(status_code=_UNPROCESSABLE, detail=str(error))
        run.adapter.refuse(error)
    except Exception as error:  # noqa: BLE001 - it would be swallowed, and the picture come out without regions
        reason = RegionsError(f"{type(error).__name__}: {error}")
        reason.__cause__ = error
        run.adapter.refuse(reason)


def post_sample(p: Any, args: Any) -> None:
    """All passes of a batch have ended. `args.samples`: their result, which the host decodes next."""
    run = run_of(p)
    if run is None:
        return
    if run.missed():
        args.samples = _Refused(
            RegionsError("another script samples in a way of its own (turn one of the two off)")
        )
    run.forget()


def after_sampling(p: Any) -> None:
    """Later steps (detailers, upscalers) are not changed."""
    run = run_of(p)
    if run is not None:
        run.tidy()
        run.forget()


def postprocess_image(p: Any, image: Any) -> None:
    """A picture (PIL) is finished, but not saved."""
    run = run_of(p)
    if run is not None and run.panel.checks:
        run.check(int(p.iteration) * int(p.batch_size) + int(getattr(p, "batch_index", 0)), image)


def postprocess(p: Any, processed: Any) -> None:
    """The last call of a run that did not fail."""
    run = run_of(p)
    if run is None:
        return
    run.end(processed)
    _open.clear()
    scores = [found.score for found in run.found.values()]
    if run.panel.keep_trying and scores:
        more_seeds.keep_trying(p, processed, run.panel.keep_trying, scores, lambda one: _scores(one))


def _scores(p: Any) -> list[float]:
    run = run_of(p)
    return [found.score for found in run.found.values()] if run is not None else []


def run_of(p: Any) -> Run | None:
    """The run of `p`, None where the panel is off. A copy of `p` has none until it begins its own."""
    run = vars(p).get(_RUN)
    return run if isinstance(run, Run) and run.p is p else None


def refuse(p: Any, error: PromptExtendError) -> None:
    """Makes the run fail with `error` as soon as the host samples; an API call is answered with status 422."""
    vars(error).update(status_code=_UNPROCESSABLE, detail=str(error))

    def sample(*args: Any, **kwargs: Any) -> Any:
        raise error

    sample.of_prompt_extend = True  # type: ignore[attr-defined]
    p.sample = sample


class _Refused:
    """Replaces a result: every use of it raises the error, because WebUIs ignore exceptions of a script."""

    def __init__(self, error: RegionsError) -> None:
        vars(self)["_error"] = error

    def __getattr__(self, name: str) -> Any:
        raise vars(self)["_error"]


def _or_refuse(p: Any, work: Callable[[], None]) -> None:
    try:
        work()
    except FieldError as error:
        refuse(p, UserError(f"Prompt Extend: {error}"))
    except PromptExtendError as error:
        refuse(p, error)
    except Exception as error:  # noqa: BLE001 - it would be swallowed, and half a cast come out
        reason = UserError(f"Prompt Extend cannot do its part ({type(error).__name__}: {error}).")
        reason.__cause__ = error
        refuse(p, reason)
