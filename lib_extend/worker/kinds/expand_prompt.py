"""The kind of task that writes more tags or prose to a prompt; the expander is loaded at the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_extend.errors import UserError
from lib_extend.prompt_expansion import MOST_DRAFTS, Length, Sampling, Wanted, Wish
from lib_extend.records import Record
from lib_extend.worker.prompt_fields import given_of, must_not_come, with_more
from lib_extend.worker.protocol import Task
from lib_extend.worker.task_kinds import Kind, OneByOne, Process, Runner

if TYPE_CHECKING:
    from lib_extend.models.expanders.expander_options import Expander

NAME = "expand_prompt"


@dataclass(frozen=True)
class Request(Record):
    """One prompt.

    Attributes:
        expander: a name of the list, a folder or a `.gguf` file. text: the user's prompt.
        length, wanted: see `Wish`. rating: of the picture, "" for that of the text.
        aspect: width / height. ban: what must not be written: names, wildcards, `/regular expressions/`.
        drafts: how many results, 1…32.
    """

    expander: str
    text: str
    length: Length = Length.LONG
    wanted: Wanted = Wanted.TAGS
    rating: str = ""
    aspect: float | None = None
    characters: tuple[str, ...] = ()
    ban: tuple[str, ...] = ()
    drafts: int = 1
    sampling: Sampling = Sampling()  # noqa: RUF009


@dataclass(frozen=True)
class ExpandedPrompt(Record):
    """One draft. `text`: the user's prompt to the letter with the new tags and prose behind it.

    `redrawn`: tags that were thrown away while it was written. `exhausted`: the bans left nothing more to write.
    """

    text: str
    tags: tuple[str, ...]
    prose: str = ""
    redrawn: int = 0
    exhausted: bool = False


@dataclass(frozen=True)
class Result(Record):
    """The drafts, and where the expander runs."""

    drafts: tuple[ExpandedPrompt, ...]
    device: str = ""


class ExpandPrompt(Kind):
    request, result = Request, Result

    def runner(self, process: Process) -> Runner:
        return OneByOne(_Expanders(process).expand, process)


def split_bans(text: str) -> list[str]:
    """A list with commas; a regular expression may have commas of its own."""
    text = text.strip()
    if text.startswith("/") and text.endswith("/") and len(text) > 1:
        return [text]
    return [part.strip() for part in text.split(",") if part.strip()]


def check(request: Request) -> None:
    """Raises UserError, which names the field, for what no expander can do."""
    sampling = request.sampling
    for name, good, value, words in (
        ("drafts", 1 <= request.drafts <= MOST_DRAFTS, request.drafts, f"from 1 to {MOST_DRAFTS}"),
        ("aspect", request.aspect is None or 0.1 <= request.aspect <= 10, request.aspect, "from 0.1 to 10"),
        ("temperature", 0 < sampling.temperature <= 10, sampling.temperature, "above 0 and up to 10"),
        ("top_p", 0 < sampling.top_p <= 1, sampling.top_p, "above 0 and up to 1"),
        ("top_k", sampling.top_k >= 0, sampling.top_k, "0 or more"),
        ("min_p", 0 <= sampling.min_p < 1, sampling.min_p, "from 0 to below 1"),
    ):
        if not good:
            raise UserError(f"{name} must be {words}, not {value:g}.", field=name)


class _Expanders:
    """The expander that was asked for last."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._name = ""
        self._loaded: Expander | None = None

    def expand(self, request: Request) -> Result:
        return answer(self._expander(request.expander), request)

    def _expander(self, name: str) -> Expander:
        from lib_extend.models.model_loading import load_expander

        if self._loaded is None or self._name != name:
            self._loaded = None  # two do not fit a small card
            setup = self._process.setup
            self._loaded = load_expander(
                name,
                device=setup.device,
                offline=setup.offline,
                models_dir=setup.models_dir,
                progress=self._process.progress,
            )
            self._name = name
        return self._loaded


def answer(expander: Expander, request: Request) -> Result:
    """What an expander writes. Raises ModelError when the prompt is too long, UserError for a damaged ban."""
    given = given_of(
        request.text, aspect=request.aspect, rating=request.rating, characters=request.characters
    )
    wish = Wish(
        given,
        request.length,
        request.wanted,
        request.sampling,
        request.drafts,
        must_not_come(given, request.ban),
    )
    drafts = [
        ExpandedPrompt(with_more(request.text, d.tags, d.prose), d.tags, d.prose, d.redrawn, d.exhausted)
        for d in expander.expand(wish)
    ]
    return Result(tuple(drafts), expander.device)


def tasks(requests: Sequence[Request]) -> list[Task]:
    """Tasks numbered from 0."""
    return [Task(str(i), NAME, request) for i, request in enumerate(requests)]


KIND = ExpandPrompt()
