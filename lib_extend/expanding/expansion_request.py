"""One prompt that is to be expanded, as it crosses the worker's pipe; and what an expander makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lib_extend.errors import UserError
from lib_extend.expanding.expansion_rules import rules_of
from lib_extend.expanding.prompt_fields import given_of, with_more
from lib_extend.prompt_expansion import (
    MOST_DRAFTS,
    About,
    Draft,
    Length,
    Sampling,
    Wanted,
    Wish,
)
from lib_extend.records import Category, Record
from lib_extend.vocabulary.merging import own
from lib_extend.vocabulary.tag_names import canonical

if TYPE_CHECKING:
    from lib_extend.models.expanders.expander_options import Expander


@dataclass(frozen=True)
class Request(Record):
    """One prompt.

    Attributes:
        expander: a name of the list, a folder, a `.gguf` file or a server's address. text: the user's prompt.
        length, wanted, task: see `Wish`. rating: of the picture, "" for that of the text.
        aspect: width / height. characters: names of who is in the picture.
        ban: what must not be written: names, wildcards, `/regular expressions/`. force: names that are.
        drafts: how many results, 1…32.
        told: names that are in the picture too, though not in the text.
        about: what the text is about; a person's tags and the scene's are drawn apart.
        others: further prompts of the same picture: what contradicts them is drawn again.
        categories: by canonical name, of those in the text that a list knows as characters, artists, …
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
    force: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    about: About = About.PICTURE
    others: tuple[str, ...] = ()
    categories: dict[str, Category] = field(default_factory=dict)
    task: str = ""


@dataclass(frozen=True)
class ExpandedPrompt(Record):
    """One draft. `text`: the user's prompt to the letter with the new tags and prose behind it.

    `short`: a summary that the task writes besides. `redrawn`: tags and sentences that were thrown away while it was
    written. `exhausted`: nothing else was left to write.
    """

    text: str
    tags: tuple[str, ...]
    prose: str = ""
    redrawn: int = 0
    exhausted: bool = False
    short: str = ""


Grow = Callable[[int, ExpandedPrompt, bool], None]
"""See `prompt_expansion.Tell`."""


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


def wish_of(request: Request) -> Wish:
    """What an expander is asked for. Raises UserError for a damaged ban."""

    def category(name: str) -> Category | None:
        return request.categories.get(name) or own().category(name)

    given = given_of(
        request.text,
        aspect=request.aspect,
        rating=request.rating,
        characters=_names(request.characters),
        told=_names(request.told),
        about=request.about,
        category=category,
    )
    others = [name for text in request.others for name in given_of(text).names]
    rules = rules_of(given, request.ban, request.about, others)
    return Wish(
        given,
        request.length,
        request.wanted,
        request.sampling,
        request.drafts,
        tuple(name for name in _names(request.force) if name not in given.names),
        rules.banned,
        rules.contradicts,
        rules.untrue,
        request.task,
    )


def expanded(
    expander: Expander, request: Request, tell: Grow = lambda number, prompt, done: None
) -> list[ExpandedPrompt]:
    """What an expander writes; `tell` hears of each draft as it grows.

    Raises ModelError when the prompt is too long or the expander cannot do what is wanted, UserError for a damaged ban.
    """

    def prompt(draft: Draft) -> ExpandedPrompt:
        text = with_more(request.text, draft.tags, draft.prose)
        return ExpandedPrompt(text, draft.tags, draft.prose, draft.redrawn, draft.exhausted, draft.short)

    def told(number: int, draft: Draft, done: bool) -> None:
        tell(number, prompt(draft), done)

    return [prompt(draft) for draft in expander.expand(wish_of(request), told)]


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(canonical(name).lower() for name in names if name.strip()))
